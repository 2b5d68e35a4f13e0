import { Inject, Injectable } from '@nestjs/common';
import type { Queue } from 'bull';
import type { JobDefinition, QueueName } from './job-definition';

export type BullQueues = ReadonlyMap<QueueName, Queue>;
export const BULL_QUEUES = Symbol('bull queues');

export interface EnqueueOptions {
  readonly delayMs?: number;
}

/** Puts jobs on Bull. A job is a hint or a ticket, never the only home of a fact: losing Redis loses no work. */
@Injectable()
export class JobQueue {
  constructor(@Inject(BULL_QUEUES) private readonly queues: BullQueues) {}

  /** @throws ZodError when the payload is not the definition's: a fault of the caller's code. */
  async enqueue<Payload>(job: JobDefinition<Payload>, payload: Payload, options: EnqueueOptions = {}): Promise<void> {
    await this.queue(job.queue).add(job.name, job.write?.(payload) ?? job.payload.parse(payload), {
      attempts: job.attempts,
      backoff: { type: 'exponential', delay: job.backoffMs },
      removeOnComplete: true,
      // With a derived id, a failed job that stayed would swallow the next one of the same id.
      removeOnFail: job.id === undefined ? { age: 86_400 } : true,
      ...(job.id === undefined ? {} : { jobId: `${job.name}:${job.id(payload)}` }),
      ...(options.delayMs === undefined ? {} : { delay: options.delayMs }),
    });
  }

  /** Jobs that nobody has taken yet: one cheap call. */
  async waiting(name: QueueName): Promise<number> {
    const queue = this.queue(name);
    return queue.client.llen(queue.toKey('wait'));
  }

  /** Jobs waiting or running, per queue. */
  async counts(name: QueueName): Promise<{ waiting: number; active: number; delayed: number; failed: number }> {
    return this.queue(name).getJobCounts();
  }

  /** Resolves when every queue has reached Redis. */
  async ready(): Promise<void> {
    await Promise.all([...this.queues.values()].map((queue) => queue.isReady()));
  }

  private queue(name: QueueName): Queue {
    const queue = this.queues.get(name);
    if (!queue) throw new Error(`no queue "${name}" in this process`);
    return queue;
  }
}
