import type { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { LoopWatch } from '../../apps/simulator/src/clock/loop-watch';
import { monotonicUs } from '../monotonic';

/**
 * Since when a request may have waited to be heard. The sink is one thread beside others on few cores: while it stands still
 * requests wait in its sockets and are heard one after the other when it goes on, which is its own pause and no burst of the
 * sender. All times in microseconds of CLOCK_MONOTONIC.
 */
export class Hearing {
  /** Connections that waited to be taken, until their first request: from when on. */
  private readonly taken = new WeakMap<Socket, number>();
  /** The last pause: when it began, what the loop had rested until it was seen, and until when it may take to catch up. */
  private pause = { sinceUs: 0, restedMs: 0, untilUs: 0 };

  constructor(
    private readonly loop: Pick<LoopWatch, 'waitedMs'> = new LoopWatch(),
    private readonly nowUs: () => number = monotonicUs,
    /** Milliseconds in which the event loop has had nothing to do. */
    private readonly restedMs: () => number = () => performance.nodeTiming.idleTime,
  ) {}

  connected(socket: Socket): void {
    const now = this.nowUs();
    const since = this.waitsSince(now);
    if (since < now) this.taken.set(socket, since);
  }

  /** `atUs` itself when the request was heard at once. */
  since(socket: Socket, atUs: number): number {
    const since = this.waitsSince(atUs);
    const taken = this.taken.get(socket);
    if (taken === undefined) return since;
    this.taken.delete(socket);
    return Math.min(taken, since);
  }

  private waitsSince(atUs: number): number {
    const waitedUs = this.loop.waitedMs() * 1_000;
    if (waitedUs > 0) {
      this.pause = { sinceUs: atUs - waitedUs, restedMs: this.restedMs(), untilUs: atUs + waitedUs };
      return this.pause.sinceUs;
    }
    // Node takes one connection a turn: until it has nothing more to do some may still wait. No longer than the pause was, though.
    const catchesUp = atUs < this.pause.untilUs && this.restedMs() === this.pause.restedMs;
    return catchesUp ? this.pause.sinceUs : atUs;
  }
}
