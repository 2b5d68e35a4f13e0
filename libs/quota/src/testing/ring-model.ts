/** Recipients per bucket over the rolling 24 hours and the guard. */
export class RingModel {
  private readonly counts = new Map<number, number>();
  private tail: number;
  sum = 0;

  /**
   * @param buckets of the account's width that count
   * @param width account's buckets per bucket of this ring: tenants are counted ten times as coarse
   */
  constructor(
    private readonly bucketMs: number,
    private readonly buckets: number,
    nowUs: number,
    private readonly width = 1,
  ) {
    this.tail = this.firstAt(nowUs);
  }

  expire(nowUs: number): void {
    const first = this.firstAt(nowUs);
    if (this.tail >= first) return;
    // Insertion order is not time's (late refunds, rebuilds), so the few that are left are all looked at.
    for (const [bucket, used] of this.counts) {
      if (bucket >= first) continue;
      this.sum -= used;
      this.counts.delete(bucket);
    }
    this.tail = first;
  }

  charge(minute: number, n: number): void {
    const bucket = Math.floor(minute / this.width);
    if (bucket < this.tail || n <= 0) return;
    this.counts.set(bucket, (this.counts.get(bucket) ?? 0) + n);
    this.sum += n;
  }

  uncharge(minute: number, n: number): void {
    const bucket = Math.floor(minute / this.width);
    if (bucket < this.tail) return;
    const used = this.counts.get(bucket) ?? 0;
    const back = Math.max(0, Math.min(used, n));
    this.counts.set(bucket, used - back);
    this.sum -= back;
  }

  /** What will be left of the sum by then. */
  sumAt(nowUs: number): number {
    const first = this.firstAt(nowUs);
    return [...this.counts].reduce((sum, [bucket, used]) => sum + (bucket >= first ? used : 0), 0);
  }

  /** What SES counts of it for certain: neither on its way, nor charged for the guard alone. */
  certainAt(nowUs: number): number {
    const spare = this.buckets - Math.floor(86_400_000 / this.bucketMs);
    const edge = Math.min(Math.floor(this.buckets / 2), Math.max(2, spare));
    const [from, to] = [this.firstAt(nowUs) + edge, this.bucketAt(nowUs) - edge];
    return [...this.counts].reduce((sum, [bucket, used]) => sum + (bucket >= from && bucket <= to ? used : 0), 0);
  }

  /** When so many have been dropped, the oldest first, microseconds. */
  nextReleaseUs(nowUs: number, leaving = 1): number {
    const last = this.bucketAt(nowUs);
    let bucket = Math.max(this.tail, this.firstAt(nowUs));
    let gone = this.counts.get(bucket) ?? 0;
    while (bucket < last && gone < leaving) {
      bucket += 1;
      gone += this.counts.get(bucket) ?? 0;
    }
    return (bucket + this.buckets) * this.bucketMs * 1000;
  }

  private firstAt(us: number): number {
    return Math.floor((this.bucketAt(us) - this.buckets + 1) / this.width);
  }

  private bucketAt(us: number): number {
    return Math.floor(us / 1000 / this.bucketMs);
  }
}
