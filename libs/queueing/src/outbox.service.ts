import { UnitOfWork } from '@libs/database';
import { Injectable } from '@nestjs/common';
import { EngineRedis } from './engine-redis';
import type { JobDefinition } from './job-definition';
import { JobQueue } from './job-queue';
import { OutboxRepository, type OutboxRow } from './outbox.repository';

const DRAIN_BATCH = 200;
/** Where it is told that rows were committed. */
const ADDED = 'pf:outbox';

/** Rows that the version of this process cannot read; they stay. */
class OutboxUnreadable extends Error {
  constructor(rows: readonly OutboxRow[]) {
    const named = rows.slice(0, 5).map(({ id, job }) => `${id} (${job})`);
    super(`${String(rows.length)} rows of the outbox have payloads this version cannot read: ${named.join(', ')}`);
  }
}

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
   * repeats a job and never drops one: processors are re-runnable. A row of another name, or with a payload that this version
   * cannot read, stays where it is, for the version that wrote it, and keeps no other from going.
   * @param known every job definition of this process
   * @throws OutboxUnreadable after the others have gone
   */
  async drain(known: readonly JobDefinition<never>[]): Promise<number> {
    const byName = new Map(known.map((job) => [job.name, job]));
    const names = [...byName.keys()];
    if (await this.rows.isEmpty(names)) return 0;
    const unreadable: OutboxRow[] = [];
    const count = await this.uow.forSystem(async () => {
      const handed: string[] = [];
      let after: string | undefined = '0';
      while (after !== undefined) {
        const stayed = unreadable.length;
        const rows: OutboxRow[] = await this.rows.take(names, after, DRAIN_BATCH);
        for (const row of rows) {
          const job = byName.get(row.job);
          const payload = job?.payload.safeParse(row.payload);
          if (job && payload?.success === true) {
            await this.queue.enqueue(job, payload.data);
            handed.push(row.id);
          } else unreadable.push(row);
        }
        // The next look would meet the same rows again: what stands behind those that stay goes now.
        const isCrowded = rows.length === DRAIN_BATCH && unreadable.length > stayed;
        after = isCrowded ? rows.at(-1)?.id : undefined;
      }
      if (handed.length > 0) await this.rows.remove(handed);
      return handed.length;
    });
    if (unreadable.length > 0) throw new OutboxUnreadable(unreadable);
    return count;
  }

  /** Nobody waits for it: without Redis the next look finds the row. */
  private tellOnCommit(): void {
    this.uow.onCommit(() => {
      void this.redis.publish(ADDED, '').catch(() => undefined);
    });
  }
}
