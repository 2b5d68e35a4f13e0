import { isFresh, Timers, type SendingAccountId } from '@libs/kernel';
import { Injectable } from '@nestjs/common';

/**
 * Whether this process may start anything new: closed for good while it drains, for a moment when claims fail, and while its
 * host's clock is wrong; for one account, while what was granted before SES refused it as a whole may still be here.
 */
@Injectable()
export class EngineGate {
  private closedUntil = 0;
  private draining = false;
  private clockIsRight = true;
  private untilRight: (() => void)[] = [];
  private readonly accountsClosed = new Map<SendingAccountId, { readonly sinceMs: number; readonly forMs: number }>();

  constructor(private readonly timers: Timers) {}

  get isOpen(): boolean {
    return !this.draining && this.clockIsRight && this.timers.monotonicMs() >= this.closedUntil;
  }

  get isDraining(): boolean {
    return this.draining;
  }

  get isClockRight(): boolean {
    return this.clockIsRight;
  }

  setClock(isRight: boolean): void {
    this.clockIsRight = isRight;
    if (isRight) this.letGo();
  }

  /** Resolves once the clock of this host is right, or this process drains. */
  async rightClock(): Promise<void> {
    if (this.clockIsRight || this.draining) return;
    await new Promise<void>((resolve) => this.untilRight.push(resolve));
  }

  /** PostgreSQL does not answer: granting more would only burn quota until it does. */
  closeFor(ms: number): void {
    this.closedUntil = Math.max(this.closedUntil, this.timers.monotonicMs() + ms);
  }

  /** SES refuses all mail of the account: none of what was granted ahead starts for so long (engine milliseconds). */
  closeAccount(id: SendingAccountId, sinceMs: number, forMs: number): void {
    this.accountsClosed.set(id, { sinceMs, forMs });
  }

  openAccount(id: SendingAccountId): void {
    this.accountsClosed.delete(id);
  }

  isAccountClosed(id: SendingAccountId, nowMs: number): boolean {
    const closed = this.accountsClosed.get(id);
    if (closed === undefined) return false;
    if (isFresh(closed.sinceMs, nowMs, closed.forMs)) return true;
    this.accountsClosed.delete(id);
    return false;
  }

  drain(): void {
    this.draining = true;
    this.letGo();
  }

  private letGo(): void {
    for (const resolve of this.untilRight.splice(0)) resolve();
  }
}
