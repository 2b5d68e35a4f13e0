import type { Fraction } from '@libs/quota';

/** When each message of a batch may start: every message takes as long as its recipients do at the paced rate. */
export class SlotPlan {
  private offset = 0;

  constructor(
    private startMs: number,
    private endMs: number,
    private readonly rate: Fraction,
  ) {}

  /** Engine milliseconds of the next message's slot. */
  get nextMs(): number {
    return this.startMs + this.offset;
  }

  /** Nothing may start after this. */
  get deadlineMs(): number {
    return this.endMs;
  }

  used(recipients: number): void {
    this.offset += (recipients * 1000 * this.rate.den) / this.rate.num;
  }

  /** The ledger gave what is left a new slot. */
  move(startMs: number, deadlineMs: number): void {
    this.startMs = startMs;
    this.endMs = deadlineMs;
    this.offset = 0;
  }
}
