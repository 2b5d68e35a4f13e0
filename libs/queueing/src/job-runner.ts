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

/** What a version leaves to the others comes again after so long. */
const LEFT_MS = 5_000;

/** A job that only another version can run: of another name, or with a payload that this one cannot read. */
class JobOfAnotherVersion extends Error {
  constructor(why: string) {
    super(`this version cannot run it, and has left it to one that can: ${why}`);
  }
}

/** Takes jobs off Bull and hands them to their one handler. Used by the worker alone. */
@Injectable()
export class JobRunner {
  constructor(@Inject(BULL_QUEUES) private readonly queues: BullQueues) {}

  /** Registers handlers and starts taking jobs. Returns at once; jobs arrive from now on. */
  start(handlers: readonly JobHandler<never>[], onFailure: JobFailureListener): void {
    for (const handler of handlers) {
      const queue = this.queues.get(handler.job.queue);
      if (!queue) throw new Error(`no queue "${handler.job.queue}" for job "${handler.job.name}"`);
      void queue.process(handler.job.name, handler.concurrency, async (job: Job) => {
        const payload = handler.job.payload.safeParse(job.data);
        if (payload.success) await handler.run(payload.data);
        else await leave(job, payload.error.message, onFailure);
      });
    }
    // Without a turn of its own: what the others do with a name that they do not know.
    void this.queues.get('control')?.process('*', 0, (job: Job) => leave(job, 'its name is unknown', onFailure));
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

/**
 * While versions change, all of them take from one queue. A control job that was lost may be the only word of what somebody asked
 * for; a ticket is swept, and events are looked for.
 */
async function leave(job: Job, why: string, onFailure: JobFailureListener): Promise<void> {
  const error = new JobOfAnotherVersion(why);
  if (job.queue.name !== 'control') throw error;
  // Under no id: the one at hand still has it, and would swallow the other.
  const { attempts, backoff, removeOnComplete, removeOnFail } = job.opts;
  await job.queue.add(job.name, job.data, { attempts, backoff, removeOnComplete, removeOnFail, delay: LEFT_MS });
  onFailure({ job: job.name, attemptsMade: job.attemptsMade, error });
}
