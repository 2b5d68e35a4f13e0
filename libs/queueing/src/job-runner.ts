import { Inject, Injectable } from '@nestjs/common';
import type { Job } from 'bull';
import { REGAINED, type JobDefinition } from './job-definition';
import { BULL_QUEUES, type BullQueues } from './job-queue';
import { LongLocks } from './long-locks';

/** How often locks are looked at that last too long; longer than a worker takes to renew its own. */
const LOCKS_MS = 10_000;

/** What runs a job: its definition, how many turns it brings to its queue in this process, and the code. */
export interface JobHandler<Payload> {
  readonly job: JobDefinition<Payload>;
  readonly concurrency: number;
  readonly run: (payload: Payload) => Promise<void>;
}

/** A job failed for good, or one try of it did; the listener logs and counts it. */
export type JobFailureListener = (failure: { job: string; attemptsMade: number; error: Error }) => void;

/** What a version leaves to the others comes again after so long, and each time after twice as long, */
const LEFT_MS = 5_000;
/** up to this: after a deployment that was taken back nobody may ever run it. */
const LEFT_MOST_MS = 300_000;

/** A job that only another version can run: of another name, or with a payload that this one cannot read. */
class JobOfAnotherVersion extends Error {
  constructor(why: string) {
    super(`this version cannot run it, and has left it to one that can: ${why}`);
  }
}

/** Takes jobs off Bull and hands them to their one handler. Used by the worker alone. */
@Injectable()
export class JobRunner {
  private looking: NodeJS.Timeout | undefined;

  constructor(@Inject(BULL_QUEUES) private readonly queues: BullQueues) {}

  /** Starts taking jobs for these handlers. Returns at once; jobs arrive from now on. */
  start(handlers: readonly JobHandler<never>[], onFailure: JobFailureListener): void {
    const byName = new Map(handlers.map((handler) => [handler.job.name, handler]));
    // By its name, whatever queue another version has put it on.
    const run = async (job: Job) => {
      const handler = byName.get(job.name);
      const payload = handler?.job.payload.safeParse(job.data);
      if (handler && payload?.success === true) await handler.run(payload.data);
      else await leave(job, payload?.error?.message ?? 'its name is unknown', onFailure);
    };
    for (const [name, queue] of this.queues) {
      const turns = handlers.reduce((sum, { job, concurrency }) => sum + (job.queue === name ? concurrency : 0), 0);
      if (turns > 0) void queue.process('*', turns, run);
      // Bull gives no job when one that stalled too often is gone already.
      queue.on('failed', (job: Job | null, error: Error) => {
        onFailure({ job: job?.name ?? queue.name, attemptsMade: job?.attemptsMade ?? 0, error });
      });
      queue.on('error', (error: Error) => {
        onFailure({ job: queue.name, attemptsMade: 0, error });
      });
    }
    this.lookForLongLocks();
  }

  /** Stops taking jobs here and waits for those that run. */
  async drain(): Promise<void> {
    clearInterval(this.looking);
    await Promise.all([...this.queues.values()].map((queue) => queue.pause(true)));
  }

  private lookForLongLocks(): void {
    const locks = new LongLocks(this.queues);
    let isLooking = false;
    this.looking = setInterval(() => {
      if (isLooking) return;
      isLooking = true;
      // Redis is away: the next look finds what there is then.
      void locks
        .release()
        .catch(() => undefined)
        .finally(() => (isLooking = false));
    }, LOCKS_MS);
    this.looking.unref();
  }
}

/**
 * While versions change, all of them take from one queue, and a job that was lost may be the only word of what somebody asked for. Not
 * so a ticket, which is swept, nor events, which are looked for.
 */
async function leave(job: Job, why: string, onFailure: JobFailureListener): Promise<void> {
  const error = new JobOfAnotherVersion(why);
  if (REGAINED.has(job.queue.name)) throw error;
  // Under no id: the one at hand still has it, and would swallow the other.
  const { attempts, backoff, removeOnComplete, removeOnFail, delay: last = 0 } = job.opts;
  const delay = Math.min(Math.max(LEFT_MS, 2 * last), LEFT_MOST_MS);
  await job.queue.add(job.name, job.data, { attempts, backoff, removeOnComplete, removeOnFail, delay });
  onFailure({ job: job.name, attemptsMade: job.attemptsMade, error });
}
