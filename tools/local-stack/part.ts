import { setTimeout as sleep } from 'node:timers/promises';
import type { Child, ChildSpec } from './child';
import { StackProblem } from './stack-problem';
import type { Supervisor } from './supervisor';

/** A killed PostgreSQL leaves processes that hold its memory for a moment, and refuses to start until they are gone. */
const REFUSED_WITHIN_MS = 5_000;
const BETWEEN_TRIES_MS = 500;
/** Who dies so often in a row, each time sooner after it was ready than this, would die again. */
const SOON_MS = 5_000;
const MOST_SOON_ENDS = 3;

/** One process of a stack that may be ended, frozen and started anew on purpose, by whoever wants to see the rest survive it. */
export class Part {
  private child: Child | undefined;
  private readyAt = 0;
  private soonEnds = 0;

  constructor(
    private readonly supervisor: Supervisor,
    /** Asked at every start: a later one may differ in its environment. */
    private readonly spec: (changes: Readonly<Record<string, string>>) => ChildSpec,
    /** Hears when it has died and is started anew, as the process manager of an installation would; without it the stack ends. */
    private readonly sayRevived?: (line: string) => void,
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
        this.child = await this.supervisor.start(this.spec(changes), (problem) => this.revive(problem, changes));
        this.readyAt = performance.now();
        return;
      } catch (error) {
        if (this.child === undefined || performance.now() > deadline) throw error;
        await sleep(BETWEEN_TRIES_MS);
      }
    }
  }

  private revive(problem: StackProblem, changes: Readonly<Record<string, string>>): boolean {
    this.soonEnds = performance.now() - this.readyAt < SOON_MS ? this.soonEnds + 1 : 0;
    if (!this.sayRevived || this.soonEnds > MOST_SOON_ENDS) return false;
    this.sayRevived(`${problem.message.split('. ')[0] ?? ''}: it is started again`);
    this.start(changes).catch((error: unknown) => {
      this.supervisor.fail(error instanceof StackProblem ? error : problem);
    });
    return true;
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
