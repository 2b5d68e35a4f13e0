import { Timers } from '@libs/kernel';
import { Injectable } from '@nestjs/common';

/** Whether this process may start anything new: closed for good while it drains, and for a moment when claims fail. */
@Injectable()
export class EngineGate {
  private closedUntil = 0;
  private draining = false;

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

  drain(): void {
    this.draining = true;
  }
}
