/** Recipients at moments in time, oldest first, of which the last second counts. */
class Lately {
  private times: number[] = [];
  private counts: number[] = [];
  private first = 0;
  private next = 0;
  private inWindow = 0;

  /** How many lie in (now - length, now]. */
  sum(now: number, length: number): number {
    for (; this.next < this.times.length && this.at(this.next) <= now; this.next += 1)
      this.inWindow += this.count(this.next);
    for (; this.first < this.next && this.at(this.first) <= now - length; this.first += 1) {
      this.inWindow -= this.count(this.first);
    }
    if (this.first > 4_096) this.forget();
    return this.inWindow;
  }

  /** Nearly always later than everything before it. */
  add(time: number, recipients: number): void {
    let place = this.times.length;
    while (place > this.first && this.at(place - 1) > time) place -= 1;
    if (place === this.times.length) {
      this.times.push(time);
      this.counts.push(recipients);
    } else {
      this.times.splice(place, 0, time);
      this.counts.splice(place, 0, recipients);
    }
    // Among those that count by now, it does as well.
    if (place < this.next) {
      this.next += 1;
      this.inWindow += recipients;
    }
  }

  remove(time: number, recipients: number): void {
    let place = this.times.length - 1;
    while (place >= this.first && this.at(place) > time) place -= 1;
    if (place < this.first || this.at(place) !== time) return;
    this.counts[place] = this.count(place) - recipients;
    if (place < this.next) this.inWindow -= recipients;
  }

  /** The oldest that still counts. */
  get oldest(): number | undefined {
    return this.first < this.next ? this.at(this.first) : undefined;
  }

  private at(place: number): number {
    return this.times[place] ?? Number.POSITIVE_INFINITY;
  }

  private count(place: number): number {
    return this.counts[place] ?? 0;
  }

  private forget(): void {
    this.times = this.times.slice(this.first);
    this.counts = this.counts.slice(this.first);
    this.next -= this.first;
    this.first = 0;
  }
}

/** When nothing tells how long to wait, the part of a second after which to look again. */
const LOOK_AGAIN = 1 / 100;

/**
 * Keeps late starts from becoming bursts: in no second does this process start more recipients of an account than had
 * their slots in that second. Slots are given out once in the whole fleet, so the sum over any number of processes
 * stays within the account's rate too, and a process that was held up catches up as fast as that allows: its lateness
 * costs no rate. (Moving every slot that was missed by 10 to 30 ms let a busy machine miss and move them again and
 * again: at a load of twice its cores nothing went out at all.)
 */
export class SlotWindow {
  private readonly slots = new Lately();
  private readonly starts = new Lately();

  /** `secondMs`: engine milliseconds of the second that is looked at. */
  constructor(private readonly secondMs: number) {}

  plan(dueMs: number, recipients: number): void {
    this.slots.add(dueMs, recipients);
  }

  /** The slot was given back. */
  leave(dueMs: number, recipients: number): void {
    this.slots.remove(dueMs, recipients);
  }

  /** True, and counted, when a message may start now. */
  start(nowMs: number, recipients: number): boolean {
    if (this.starts.sum(nowMs, this.secondMs) + recipients > this.slots.sum(nowMs, this.secondMs)) return false;
    this.starts.add(nowMs, recipients);
    return true;
  }

  /** When asking again may help, engine milliseconds. */
  nextMs(nowMs: number): number {
    return (this.starts.oldest ?? nowMs - this.secondMs * (1 - LOOK_AGAIN)) + this.secondMs;
  }
}
