import { dispatchBulk, dispatchTransactional, SendEngine, type Ticket } from '@libs/sending';
import { Injectable } from '@nestjs/common';
import { Processes } from '../processing/processes.decorator';

@Injectable()
export class DispatchProcessor {
  constructor(private readonly engine: SendEngine) {}

  // A ticket is held only until it is claimed: as many at once as the pool has connections to claim with.
  @Processes(dispatchTransactional, { concurrency: 6 })
  transactional(ticket: Ticket): Promise<void> {
    return this.engine.take(ticket);
  }

  @Processes(dispatchBulk, { concurrency: 4 })
  bulk(ticket: Ticket): Promise<void> {
    return this.engine.take(ticket);
  }
}
