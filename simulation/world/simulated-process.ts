import { EngineClock, Timers, type Clock } from '@libs/kernel';
import { EPOCH_MS, type VirtualTime } from './virtual-time';

/** A machine: its wall clock may be wrong, and files on it outlive the processes. */
export class SimulatedHost {
  /** Flight recorders by file name. */
  readonly files = new Map<string, { readonly writer: SimulatedProcess; text: string }>();
  clockErrorMs = 0;

  constructor(readonly name: string) {}
}

/**
 * One process: what it plans runs only while it lives, and waits while it is frozen. After its death none of its timers
 * fires and no answer reaches it, which is what a SIGKILL does to it.
 */
export class SimulatedProcess extends Timers {
  readonly clock: EngineClock;
  private dead = false;
  private frozen = false;
  private held: (() => void)[] = [];

  constructor(
    readonly name: string,
    readonly host: SimulatedHost,
    private readonly time: VirtualTime,
  ) {
    super();
    const nowMs = () => Math.floor(EPOCH_MS + time.nowMs + host.clockErrorMs);
    const wall: Clock = { nowMs, now: () => new Date(nowMs()) };
    this.clock = new EngineClock(wall);
  }

  get alive(): boolean {
    return !this.dead;
  }

  get running(): boolean {
    return !this.dead && !this.frozen;
  }

  get isFrozen(): boolean {
    return this.frozen;
  }

  kill(): void {
    this.dead = true;
    this.held = [];
  }

  freeze(): void {
    this.frozen = true;
  }

  thaw(): void {
    this.frozen = false;
    for (const work of this.held.splice(0))
      this.time.at(0, () => {
        this.enter(work);
      });
  }

  /** Runs `work` inside the process: not if it is dead, later if it is frozen. */
  enter(work: () => void): void {
    if (this.dead) return;
    if (this.frozen) this.held.push(work);
    else work();
  }

  monotonicMs(): number {
    return this.time.nowMs;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted === true) {
        resolve();
        return;
      }
      const cancel = this.after(ms, () => {
        signal?.removeEventListener('abort', wake);
        resolve();
      });
      const wake = () => {
        cancel();
        resolve();
      };
      signal?.addEventListener('abort', wake, { once: true });
    });
  }

  after(ms: number, work: () => void): () => void {
    let cancelled = false;
    const take = this.time.at(ms, () => {
      this.enter(() => {
        if (!cancelled) work();
      });
    });
    return () => {
      cancelled = true;
      take();
    };
  }
}
