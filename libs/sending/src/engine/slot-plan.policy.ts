import type { Fraction } from '@libs/quota';

export interface Slot<Item> {
  readonly item: Item;
  readonly recipients: number;
  /** When it may start, engine milliseconds. */
  readonly dueMs: number;
  /** It must not start after this. */
  readonly deadlineMs: number;
}

interface Costly {
  readonly recipients: number;
}

/**
 * When each message of a batch may start: every message takes as long as its recipients do at the paced rate. Messages
 * that missed their slots get new ones from the ledger; the others keep theirs, so a hiccup costs only what it hit.
 */
export class SlotPlan<Item extends Costly> {
  private slots: Slot<Item>[] = [];

  /** The next message, still in the plan; undefined at the end. */
  get next(): Slot<Item> | undefined {
    return this.slots[0];
  }

  /** How many slots begin by then. */
  dueBy(timeMs: number): number {
    let [low, high] = [0, this.slots.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.slots[middle]?.dueMs ?? 0) <= timeMs) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  take(): Slot<Item> | undefined {
    return this.slots.shift();
  }

  /** Takes out every message whose slot has begun. */
  takeOverdue(nowMs: number): Slot<Item>[] {
    const overdue = this.slots.filter((slot) => slot.dueMs <= nowMs);
    this.slots = this.slots.filter((slot) => slot.dueMs > nowMs);
    return overdue;
  }

  takeAll(): Slot<Item>[] {
    return this.slots.splice(0);
  }

  /** Puts messages one after the other from there on, at that rate of recipients per second. */
  add(items: readonly Item[], startMs: number, deadlineMs: number, rate: Fraction): void {
    let dueMs = startMs;
    const added = items.map((item) => {
      const slot = { item, recipients: item.recipients, dueMs, deadlineMs };
      dueMs += (item.recipients * 1000 * rate.den) / rate.num;
      return slot;
    });
    this.slots = this.slots.length === 0 ? added : [...this.slots, ...added].sort((a, b) => a.dueMs - b.dueMs);
  }
}
