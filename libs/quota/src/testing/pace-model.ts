const LEAST = 50;

/** What 429s have left of the rate, in thousandths. Times are microseconds. */
export class PaceModel {
  private factor = 1_000;
  private since = 0;
  private cut: number | undefined;

  at(now: number): number {
    if (now <= this.since) return this.factor;
    return Math.min(1_000, this.factor + Math.floor((now - this.since) / 10_000));
  }

  throttle(now: number): number {
    const left = this.at(now);
    if (this.cut !== undefined && now - this.cut < 1_000_000) return left;
    this.factor = Math.max(LEAST, Math.floor(left / 2));
    this.since = now + 2_000_000;
    this.cut = now;
    return this.factor;
  }
}
