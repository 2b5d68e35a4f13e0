import { Timers } from '@libs/kernel';
import { Log, Metrics } from '@libs/observability';
import { Ledger } from '@libs/quota';
import { Injectable } from '@nestjs/common';
import { EngineGate } from './engine-gate';

/** How often the clocks are compared, real milliseconds. */
const LOOK_MS = 1_000;
/** A clock that stays wrong is logged this often, real milliseconds. */
const ALARM_MS = 60_000;

/**
 * Whether this host's clock and that of Redis agree. While they do not, this process takes no ticket and no lock, and ends
 * nothing for its time: it would expire mail too early, take what others are sending for abandoned, and sign requests that AWS
 * refuses. Processes on hosts whose clocks are right go on.
 */
@Injectable()
export class ClockWatch {
  private lookedAt = Number.NEGATIVE_INFINITY;
  private alarmedAt = Number.NEGATIVE_INFINITY;
  private aheadMs = 0;
  private readonly ahead;

  constructor(
    private readonly ledger: Ledger,
    private readonly gate: EngineGate,
    private readonly timers: Timers,
    private readonly log: Log,
    metrics: Metrics,
  ) {
    this.ahead = metrics.gauge(
      'clock_ahead_seconds',
      "How far this host's clock is ahead of that of Redis (negative: behind); 0 within 5 s",
    );
  }

  get isRight(): boolean {
    return this.aheadMs === 0;
  }

  /** What is wrong, and what to do about it; undefined while the clocks agree. */
  get problem(): string | undefined {
    if (this.isRight) return undefined;
    const seconds = String(Math.round(Math.abs(this.aheadMs) / 1_000));
    return `the clock of this host is ${seconds} s ${this.aheadMs > 0 ? 'ahead of' : 'behind'} that of Redis: set both by NTP`;
  }

  /** Compares them when that is due. A Redis that does not answer proves nothing: what was found last stands. */
  async look(): Promise<boolean> {
    const now = this.timers.monotonicMs();
    if (now - this.lookedAt >= LOOK_MS) {
      this.lookedAt = now;
      this.note((await this.ledger.clockAheadMs()) ?? this.aheadMs, now);
    }
    return this.isRight;
  }

  private note(aheadMs: number, now: number): void {
    const wasRight = this.isRight;
    this.aheadMs = aheadMs;
    this.ahead.set(aheadMs / 1_000);
    this.gate.setClock(this.isRight);
    if (this.isRight && !wasRight) this.log.warn('the clocks agree again: this process goes on', {});
    if (this.isRight || (!wasRight && now - this.alarmedAt < ALARM_MS)) return;
    this.alarmedAt = now;
    this.log.error('the clocks disagree: this process sends nothing and ends nothing', { why: this.problem });
  }
}
