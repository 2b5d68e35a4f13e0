import { setTimeout as pause } from 'node:timers/promises';
import { performance } from 'node:perf_hooks';

/**
 * Lets at most one control call start per interval and key, in order of arrival: SES throttles everything but sending
 * at one request a second per account and region (aws-facts 1.1). Per process; several workers rely on the retries of
 * the SDK, since these calls may be repeated.
 */
export class ControlPace {
  private readonly lines = new Map<string, { tail: Promise<void>; nextAt: number }>();

  constructor(private readonly intervalMs: number) {}

  async run<T>(key: string, call: () => Promise<T>): Promise<T> {
    const line = this.lines.get(key) ?? { tail: Promise.resolve(), nextAt: 0 };
    this.lines.set(key, line);
    const turn = line.tail.then(async () => {
      const wait = line.nextAt - performance.now();
      if (wait > 0) await pause(wait);
      line.nextAt = performance.now() + this.intervalMs;
    });
    line.tail = turn;
    await turn;
    return call();
  }
}
