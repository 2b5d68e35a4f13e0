import { Timers, type SendingAccountId } from '@libs/kernel';
import { Injectable } from '@nestjs/common';

/**
 * Whether this process may start anything new: closed for good while it drains, and for a moment when claims fail; for one
 * account, while what was granted before SES refused it as a whole may still be here.
 */
@Injectable()
export class EngineGate {
  private closedUntil = 0;
  private draining = false;
  private readonly accountsClosedUntil = new Map<SendingAccountId, number>();

  constructor(private readonly timers: Timers) {}

  get isOpen(): boolean {
    return !this.draining && this.timers.monotonicMs() >= this.closedUntil;
  }

  get isDraining(): boolean {
    return this.draining;
  }

  /** PostgreSQL does not answer: granting more would only burn quota until it does. */
  closeFor(ms: number): void {
    this.closedUntil = Math.max(this.closedUntil, this.timers.monotonicMs() + ms);
  }

  /** SES refuses all mail of the account: none of what was granted ahead starts before then (engine milliseconds). */
  closeAccount(id: SendingAccountId, untilMs: number): void {
    this.accountsClosedUntil.set(id, untilMs);
  }

  isAccountClosed(id: SendingAccountId, nowMs: number): boolean {
    const untilMs = this.accountsClosedUntil.get(id);
    if (untilMs === undefined) return false;
    if (nowMs < untilMs) return true;
    this.accountsClosedUntil.delete(id);
    return false;
  }

  drain(): void {
    this.draining = true;
  }
}
