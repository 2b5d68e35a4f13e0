/** An exact sum over the last `lengthMs`: what happened exactly that long ago counts no more. */
export class RollingWindow {
  private times: number[] = [];
  private amounts: number[] = [];
  private head = 0;
  private total = 0;

  constructor(private readonly lengthMs: number) {}

  add(atMs: number, amount: number): void {
    this.times.push(atMs);
    this.amounts.push(amount);
    this.total += amount;
  }

  sum(nowMs: number): number {
    while (this.head < this.times.length && (this.times[this.head] ?? 0) <= nowMs - this.lengthMs) {
      this.total -= this.amounts[this.head] ?? 0;
      this.head += 1;
    }
    if (this.head > 4_096 && this.head * 2 > this.times.length) {
      this.times = this.times.slice(this.head);
      this.amounts = this.amounts.slice(this.head);
      this.head = 0;
    }
    return this.total;
  }
}
