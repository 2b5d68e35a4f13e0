import { dispatchBulk, dispatchTransactional, SendEngine, type Ticket } from '@libs/sending';
import { Injectable } from '@nestjs/common';
import { Processes } from '../processing/processes.decorator';

@Injectable()
export class DispatchProcessor {
  constructor(private readonly engine: SendEngine) {}

  @Processes(dispatchTransactional, { concurrency: 64 })
  transactional(ticket: Ticket): Promise<void> {
    return this.engine.dispatch(ticket);
  }

  @Processes(dispatchBulk, { concurrency: 64 })
  bulk(ticket: Ticket): Promise<void> {
    return this.engine.dispatch(ticket);
  }
}
