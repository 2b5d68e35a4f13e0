import type { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import type { LoopWatch } from './loop-watch';

/**
 * How long a request may have waited to be heard. Who counts is one thread beside others on few cores: while it stands still
 * requests wait in its sockets and are heard one after the other when it goes on, which is its own pause and no burst of the
 * sender. All times in milliseconds of one monotonic clock.
 */
export class Hearing {
  /** Connections that waited to be taken, until their first request: from when on. */
  private readonly taken = new WeakMap<Socket, number>();
  /** The last pause: when it began, what the loop had rested until it was seen, and until when it may take to catch up. */
  private pause = { since: 0, restedMs: 0, until: 0 };

  constructor(
    private readonly loop: Pick<LoopWatch, 'waitedMs'>,
    private readonly nowMs: () => number = () => performance.now(),
    /** For how long the event loop has had nothing to do so far. */
    private readonly restedMs: () => number = () => performance.nodeTiming.idleTime,
  ) {}

  /** To be called when a connection is taken. */
  connected(socket: Socket): void {
    const now = this.nowMs();
    const since = this.waitsSince(now);
    if (since < now) this.taken.set(socket, since);
  }

  /** For a request that is heard now; 0 when it was heard at once. */
  waitedMs(socket: Socket): number {
    const now = this.nowMs();
    const since = this.waitsSince(now);
    const taken = this.taken.get(socket);
    if (taken === undefined) return now - since;
    // The first request of a connection waited for that to be taken as well.
    this.taken.delete(socket);
    return now - Math.min(taken, since);
  }

  private waitsSince(now: number): number {
    // Node takes one connection a turn: until it has nothing more to do some may still wait, also past another short stop. No
    // longer than the pause was, though.
    if (now < this.pause.until && this.restedMs() === this.pause.restedMs) return this.pause.since;
    const waited = this.loop.waitedMs();
    if (waited > 0) this.pause = { since: now - waited, restedMs: this.restedMs(), until: now + waited };
    return now - waited;
  }
}
