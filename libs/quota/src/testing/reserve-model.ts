const DAY_US = 86_400_000_000;

/** What of a day's quota marketing leaves to transactional mail. Times are microseconds. */
export class ReserveModel {
  private constructor(
    /** Recipients that marketing may not have yet: neither released by time nor used by transactional mail. */
    readonly closed: number,
    private readonly day: number,
    private readonly used: number,
    private readonly seen: number,
  ) {}

  static readonly none = new ReserveModel(0, 0, 0, 0);

  /** @param wanted whether transactional mail waits */
  at(now: number, quota: number, wanted: boolean): ReserveModel {
    const day = Math.floor(now / DAY_US);
    const used = day > this.day ? 0 : this.used;
    const seen = wanted ? now : this.seen;
    const whole = Math.floor((quota * 5) / 1000);
    const released = Math.max((whole * (now - day * DAY_US)) / DAY_US, used);
    const closed = seen > 0 && now - seen < DAY_US ? Math.max(0, Math.floor(whole - released)) : 0;
    return new ReserveModel(closed, Math.max(day, this.day), used, seen);
  }

  afterwards(transactional: number): ReserveModel {
    return new ReserveModel(this.closed, this.day, this.used + transactional, this.seen);
  }
}
