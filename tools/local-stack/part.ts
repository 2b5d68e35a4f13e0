import { setTimeout as sleep } from 'node:timers/promises';
import type { Child, ChildSpec } from './child';
import type { Supervisor } from './supervisor';

/** A killed PostgreSQL leaves processes that hold its memory for a moment, and refuses to start until they are gone. */
const REFUSED_WITHIN_MS = 5_000;
const BETWEEN_TRIES_MS = 500;

/** One process of a stack that may be ended, frozen and started anew on purpose, by whoever wants to see the rest survive it. */
export class Part {
  private child: Child | undefined;

  constructor(
    private readonly supervisor: Supervisor,
    /** Asked at every start: a later one may differ in its environment. */
    private readonly spec: (changes: Readonly<Record<string, string>>) => ChildSpec,
  ) {}

  get pid(): number | undefined {
    return this.isRunning ? this.child?.pid : undefined;
  }

  get isRunning(): boolean {
    return this.child?.isRunning === true;
  }

  /**
   * Starts it unless it runs. Resolves when it is ready.
   * @param changes variables of its environment that differ from the usual ones
   */
  async start(changes: Readonly<Record<string, string>> = {}): Promise<void> {
    if (this.isRunning) return;
    if (this.child) await this.supervisor.remove(this.child);
    const deadline = performance.now() + REFUSED_WITHIN_MS;
    for (;;) {
      try {
        this.child = await this.supervisor.start(this.spec(changes));
        return;
      } catch (error) {
        if (this.child === undefined || performance.now() > deadline) throw error;
        await sleep(BETWEEN_TRIES_MS);
      }
    }
  }

  /** Ends it as a crash would, with SIGKILL. */
  async kill(): Promise<void> {
    await this.child?.kill();
  }

  /** Asks for a clean end and waits for it. */
  async stop(): Promise<void> {
    await this.child?.stop();
  }

  /** SIGSTOP: it keeps its connections and answers nobody. */
  freeze(): void {
    this.child?.signal('SIGSTOP');
  }

  thaw(): void {
    this.child?.signal('SIGCONT');
  }

  /** Resolves when it has ended by itself, which from now on is no failure of the stack. */
  async untilCrash(): Promise<void> {
    await this.child?.expectedEnd();
  }
}
