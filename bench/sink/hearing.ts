import type { Socket } from 'node:net';
import { LoopWatch } from '../../apps/simulator/src/clock/loop-watch';
import { monotonicUs } from '../monotonic';

/**
 * Since when a request may have waited to be heard. The sink is one thread beside others on few cores: while it stands still
 * requests wait in its sockets and are heard together, which is its own pause and no burst of the sender.
 */
export class Hearing {
  /** Connections that waited to be taken, until their first request: from when on, microseconds. */
  private readonly taken = new WeakMap<Socket, number>();

  constructor(
    private readonly loop: Pick<LoopWatch, 'waitedMs'> = new LoopWatch(),
    private readonly nowUs: () => number = monotonicUs,
  ) {}

  connected(socket: Socket): void {
    const waitedMs = this.loop.waitedMs();
    if (waitedMs > 0) this.taken.set(socket, this.nowUs() - waitedMs * 1_000);
  }

  /** Microseconds of CLOCK_MONOTONIC; `atUs` itself when the request was heard at once. */
  since(socket: Socket, atUs: number): number {
    const heardUs = atUs - this.loop.waitedMs() * 1_000;
    const taken = this.taken.get(socket);
    if (taken === undefined) return heardUs;
    this.taken.delete(socket);
    return Math.min(taken, heardUs);
  }
}
