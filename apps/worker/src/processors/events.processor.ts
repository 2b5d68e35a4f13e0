import { processEvents } from '@libs/deliverability';
import { EventApplier } from '@libs/sending';
import { Injectable } from '@nestjs/common';
import { Processes } from '../processing/processes.decorator';

@Injectable()
export class EventsProcessor {
  constructor(private readonly events: EventApplier) {}

  @Processes(processEvents, { concurrency: 1 })
  apply(): Promise<unknown> {
    return this.events.applyStored();
  }
}
