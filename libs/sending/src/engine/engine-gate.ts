import { performance } from 'node:perf_hooks';
import { Injectable } from '@nestjs/common';

/** Whether this process may start anything new: closed for good while it drains, and for a moment when claims fail. */
@Injectable()
export class EngineGate {
  private closedUntil = 0;
  private draining = false;

  get isOpen(): boolean {
    return !this.draining && performance.now() >= this.closedUntil;
  }

  get isDraining(): boolean {
    return this.draining;
  }

  /** PostgreSQL does not answer: granting more would only burn quota until it does. */
  closeFor(ms: number): void {
    this.closedUntil = Math.max(this.closedUntil, performance.now() + ms);
  }

  drain(): void {
    this.draining = true;
  }
}
