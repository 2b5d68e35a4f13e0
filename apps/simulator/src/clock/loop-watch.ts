const TICK_MS = 5;
/** A loop that comes round this often hears every request when it comes. */
const IN_TIME_MS = 20;

/**
 * Knows how long a request that is heard now may have waited unheard. This process is one thread: while it is busy, or the machine
 * runs others, requests of half a second wait in its sockets, and are heard together.
 */
export class LoopWatch {
  private lastTurn: number;
  private turnBefore: number;
  private readonly timer: NodeJS.Timeout;

  /** @param now monotonic milliseconds */
  constructor(private readonly now: () => number = () => performance.now()) {
    this.lastTurn = this.turnBefore = now();
    this.timer = setInterval(() => {
      this.turn();
    }, TICK_MS);
    this.timer.unref();
  }

  /** The loop has come round, and hears what has come since it did so last. */
  turn(): void {
    this.turnBefore = this.lastTurn;
    this.lastTurn = this.now();
  }

  /** Real milliseconds; 0 while the loop comes round in time. What is heard in this turn came after the sockets were read in the last one. */
  waitedMs(): number {
    const waited = this.now() - this.turnBefore;
    return waited > IN_TIME_MS ? waited : 0;
  }

  stop(): void {
    clearInterval(this.timer);
  }
}
