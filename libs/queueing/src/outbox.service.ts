import { UnitOfWork } from '@libs/database';
import { Injectable } from '@nestjs/common';
import { EngineRedis } from './engine-redis';
import type { JobDefinition } from './job-definition';
import { JobQueue } from './job-queue';
import { OutboxRepository } from './outbox.repository';

const DRAIN_BATCH = 200;
/** Where it is told that rows were committed. */
const ADDED = 'pf:outbox';

/** Jobs that must not be lost: written in the transaction that causes them, handed to Bull afterwards. */
@Injectable()
export class Outbox {
  constructor(
    private readonly rows: OutboxRepository,
    private readonly uow: UnitOfWork,
    private readonly queue: JobQueue,
    private readonly redis: EngineRedis,
  ) {}

  /** Adds a job to the current unit of work; it exists if and only if that unit commits. */
  async add<Payload>(job: JobDefinition<Payload>, payload: Payload): Promise<void> {
    await this.rows.add(job, payload);
    this.tellOnCommit();
  }

  /** The same for many payloads, in one statement. */
  async addAll<Payload>(job: JobDefinition<Payload>, payloads: readonly Payload[]): Promise<void> {
    if (payloads.length === 0) return;
    await this.rows.addAll(job, payloads);
    this.tellOnCommit();
  }

  /** Hears, in any process, that rows wait, until what this answers is called. A hint: it may be lost, the row is not. */
  listen(hear: () => void): () => void {
    return this.redis.listen(ADDED, hear);
  }

  /**
   * Hands waiting rows to Bull, oldest first, and answers how many. Enqueued before the rows go, so a crash in between
   * repeats a job and never drops one: processors are re-runnable.
   * @param known every job definition of this process; a row of another name stays where it is
   */
  async drain(known: readonly JobDefinition<never>[]): Promise<number> {
    if (await this.rows.isEmpty()) return 0;
    return this.uow.forSystem(async () => {
      const byName = new Map(known.map((job) => [job.name, job]));
      const handed: string[] = [];
      for (const row of await this.rows.take(DRAIN_BATCH)) {
        const job = byName.get(row.job);
        if (!job) continue;
        await this.queue.enqueue(job, job.payload.parse(row.payload));
        handed.push(row.id);
      }
      if (handed.length > 0) await this.rows.remove(handed);
      return handed.length;
    });
  }

  /** Nobody waits for it: without Redis the next look finds the row. */
  private tellOnCommit(): void {
    this.uow.onCommit(() => {
      void this.redis.publish(ADDED, '').catch(() => undefined);
    });
  }
}
