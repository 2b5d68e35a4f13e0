import type { BullQueues } from './job-queue';

/** Longer than Bull keeps any lock: 15 s for a job, 5 s between its looks for stalled ones. */
const LONGEST_MS = 60_000;

/**
 * What Bull locks it locks by Redis' clock. Taken while that clock was an hour ahead, a lock lasts an hour longer once it is set
 * back: nobody looks for stalled jobs, and the job of a worker that has died is nobody's, nor may another of its id be added. A
 * worker that lives makes its locks anew within 8 s, so that one which is still too long at a second look belongs to nobody.
 */
export class LongLocks {
  private suspects: ReadonlySet<string> = new Set();

  constructor(private readonly queues: BullQueues) {}

  /** Takes away what was too long at the last look already, which must be 8 s ago or more. Answers how many. */
  async release(): Promise<number> {
    const long = new Set<string>();
    let released = 0;
    for (const queue of this.queues.values()) {
      const { client } = queue;
      const active = await client.lrange(queue.toKey('active'), 0, -1);
      for (const key of [queue.toKey('stalled-check'), ...active.map((id) => `${queue.toKey(id)}:lock`)]) {
        if ((await client.pttl(key)) <= LONGEST_MS) continue;
        if (this.suspects.has(key)) released += await client.del(key);
        else long.add(key);
      }
    }
    this.suspects = long;
    return released;
  }
}
