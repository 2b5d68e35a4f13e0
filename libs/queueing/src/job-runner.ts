import { Inject, Injectable } from '@nestjs/common';
import type { Job } from 'bull';
import type { JobDefinition } from './job-definition';
import { BULL_QUEUES, type BullQueues } from './job-queue';

/** What runs a job: its definition, how many at once in this process, and the code. */
export interface JobHandler<Payload> {
  readonly job: JobDefinition<Payload>;
  readonly concurrency: number;
  readonly run: (payload: Payload) => Promise<void>;
}

/** A job failed for good, or one try of it did; the listener logs and counts it. */
export type JobFailureListener = (failure: { job: string; attemptsMade: number; error: Error }) => void;

/** Takes jobs off Bull and hands them to their one handler. Used by the worker alone. */
@Injectable()
export class JobRunner {
  constructor(@Inject(BULL_QUEUES) private readonly queues: BullQueues) {}

  /** Registers handlers and starts taking jobs. Returns at once; jobs arrive from now on. */
  start(handlers: readonly JobHandler<never>[], onFailure: JobFailureListener): void {
    for (const handler of handlers) {
      const queue = this.queues.get(handler.job.queue);
      if (!queue) throw new Error(`no queue "${handler.job.queue}" for job "${handler.job.name}"`);
      void queue.process(handler.job.name, handler.concurrency, async (job) => {
        await handler.run(handler.job.payload.parse(job.data));
      });
    }
    for (const queue of this.queues.values()) {
      // Bull gives no job when one that stalled too often is gone already.
      queue.on('failed', (job: Job | null, error: Error) => {
        onFailure({ job: job?.name ?? queue.name, attemptsMade: job?.attemptsMade ?? 0, error });
      });
      queue.on('error', (error: Error) => {
        onFailure({ job: queue.name, attemptsMade: 0, error });
      });
    }
  }

  /** Stops taking jobs here and waits for those that run. */
  async drain(): Promise<void> {
    await Promise.all([...this.queues.values()].map((queue) => queue.pause(true)));
  }
}
