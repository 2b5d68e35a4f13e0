/**
 * Recipients over a rolling span, exactly: every entry leaves the sum the moment it is `spanMs` old. Entries of the same
 * millisecond share a slot. Amortised O(1); times must not go backwards (an earlier time counts as the latest seen).
 */
export class RollingWindow {
  private times: number[] = [];
  private counts: number[] = [];
  private head = 0;
  private total = 0;

  constructor(private readonly spanMs: number) {}

  add(now: number, count: number): void {
    if (count === 0) return;
    const last = this.times.length - 1;
    const time = Math.max(now, this.times[last] ?? now);
    if (last >= this.head && this.times[last] === time) this.counts[last] = (this.counts[last] ?? 0) + count;
    else {
      this.times.push(time);
      this.counts.push(count);
    }
    this.total += count;
    this.expire(time);
  }

  sum(now: number): number {
    this.expire(now);
    return this.total;
  }

  /** When the sum will next become smaller, or undefined when it is empty. */
  nextReleaseAt(): number | undefined {
    const oldest = this.times[this.head];
    return oldest === undefined ? undefined : oldest + this.spanMs;
  }

  private expire(now: number): void {
    for (;;) {
      const oldest = this.times[this.head];
      if (oldest === undefined || oldest > now - this.spanMs) break;
      this.total -= this.counts[this.head] ?? 0;
      this.head += 1;
    }
    if (this.head > 4096 && this.head * 2 > this.times.length) {
      this.times = this.times.slice(this.head);
      this.counts = this.counts.slice(this.head);
      this.head = 0;
    }
  }
}
