/** Recipients per bucket over the rolling 24 hours and the guard. */
export class RingModel {
  private readonly counts = new Map<number, number>();
  private tail: number;
  sum = 0;

  constructor(
    private readonly bucketMs: number,
    private readonly buckets: number,
    nowUs: number,
  ) {
    this.tail = this.bucketAt(nowUs) - buckets + 1;
  }

  expire(nowUs: number): void {
    const first = this.bucketAt(nowUs) - this.buckets + 1;
    if (this.tail >= first) return;
    for (const [bucket, used] of this.counts) {
      if (bucket >= first) continue;
      this.sum -= used;
      this.counts.delete(bucket);
    }
    this.tail = Math.max(this.tail, first);
  }

  charge(bucket: number, n: number): void {
    if (bucket < this.tail || n <= 0) return;
    this.counts.set(bucket, (this.counts.get(bucket) ?? 0) + n);
    this.sum += n;
  }

  uncharge(bucket: number, n: number): void {
    if (bucket < this.tail) return;
    const back = Math.min(this.counts.get(bucket) ?? 0, n);
    this.counts.set(bucket, (this.counts.get(bucket) ?? 0) - back);
    this.sum -= back;
  }

  /** When the oldest bucket that holds something is dropped, microseconds. */
  nextReleaseUs(nowUs: number): number {
    const last = this.bucketAt(nowUs);
    let oldest = this.tail;
    while (oldest < last && !this.counts.has(oldest)) oldest += 1;
    return (oldest + this.buckets) * this.bucketMs * 1000;
  }

  private bucketAt(us: number): number {
    return Math.floor(us / 1000 / this.bucketMs);
  }
}
