import { constants } from 'node:os';
import { CannotStart, reasonOf } from './cannot-start';

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;

type Close = () => Promise<unknown>;

/** Where a process says that it ends. */
interface Sayings {
  info(message: string, fields: Record<string, unknown>): void;
  error(message: string, fields: Record<string, unknown>): void;
}

/**
 * How a service ends: on SIGTERM or SIGINT everything it has opened so far is closed, what was opened last first. It is made
 * before anything else, so that a signal is heard while the service is still starting: process 1 of a container would
 * ignore one that nobody listens to, and any other process would die of it half-way.
 */
export class ProcessEnd {
  private readonly opened: Close[] = [];
  private log: Sayings | undefined;
  private begun = false;

  /** @param withinMs what is still running after this is cut off: something that never ends must not hold a deployment */
  constructor(
    private readonly name: string,
    private readonly withinMs: number,
  ) {
    for (const signal of SIGNALS) {
      process.on(signal, () => {
        // Through npm one Ctrl-C arrives twice, and the second one must not cut the first one's work short.
        if (this.begun) return;
        this.log?.info(`${this.name} stopping`, { signal });
        void this.end(0);
      });
    }
  }

  get hasBegun(): boolean {
    return this.begun;
  }

  sayIn(log: Sayings): void {
    this.log = log;
  }

  /** From now on this is open. */
  closes(close: Close): void {
    this.opened.push(close);
  }

  /**
   * It cannot start: what is open is closed, and it ends with exit code 1. Nothing is reported while it ends anyway: what fails
   * then fails because the ground was taken from under it. What is not known to be wrong outside comes with its stack.
   */
  fail(error: unknown): void {
    if (this.begun) return;
    const isOurs = error instanceof Error && !(error instanceof CannotStart);
    process.stderr.write(`${this.name}: ${isOurs ? (error.stack ?? error.message) : reasonOf(error)}\n`);
    void this.end(1);
  }

  private async end(code: number): Promise<void> {
    this.begun = true;
    setTimeout(() => process.exit(1), this.withinMs).unref();
    let worst = code;
    for (let close = this.opened.pop(); close !== undefined; close = this.opened.pop()) {
      try {
        await close();
      } catch (error) {
        worst = 1;
        this.log?.error(`${this.name} did not stop cleanly`, { error });
      }
    }
    process.exit(worst);
  }
}

/**
 * A command, unlike a service, has nothing to put in order: it ends at once, with the exit code a shell gives for the signal.
 * Said aloud because process 1 of a container ignores a signal that nobody listens to.
 */
export function endOnSignal(): void {
  for (const signal of SIGNALS) process.on(signal, () => process.exit(128 + constants.signals[signal]));
}
