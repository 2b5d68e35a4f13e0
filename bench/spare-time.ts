import type { Child } from '../tools/local-stack/child';

/**
 * A program that needs nothing but a core, and whose own time nobody measures. It goes on while the benchmark does what is not
 * measured either, such as writing mail into the database, and stands still while anything is measured.
 */
export class SpareTime {
  private readonly ended: Promise<void>;

  constructor(readonly program: Child) {
    this.ended = program.expectedEnd();
    program.signal('SIGSTOP');
  }

  async during<T>(work: () => Promise<T>): Promise<T> {
    this.program.signal('SIGCONT');
    try {
      return await work();
    } finally {
      this.program.signal('SIGSTOP');
    }
  }

  /** Lets it go on until it ends. */
  async toTheEnd(): Promise<void> {
    this.program.signal('SIGCONT');
    await this.ended;
  }
}
