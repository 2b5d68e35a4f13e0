/** Where every decision gets its time from, so that a day or a month runs in a test in milliseconds. */
export interface Clock {
  now(): Date;
  /** Milliseconds since the epoch. */
  nowMs(): number;
}

export class SystemClock implements Clock {
  now(): Date {
    return new Date();
  }

  nowMs(): number {
    return Date.now();
  }
}

/**
 * How engine time is derived from real time: `base + (real - base) * speed + offset`, all in milliseconds. The same
 * three numbers go into every Redis script and statement, so the whole engine has one clock (ENGINE.md, section 2).
 */
export interface ClockScale {
  readonly baseMs: number;
  readonly speed: number;
  readonly offsetMs: number;
}

export const REAL_TIME: ClockScale = { baseMs: 0, speed: 1, offsetMs: 0 };

export function scaleTime(realMs: number, scale: ClockScale): number {
  return Math.floor(scale.baseMs + (realMs - scale.baseMs) * scale.speed + scale.offsetMs);
}

/** Whether what was read or began then still counts now, for so long: no longer either by a clock that was set back since. */
export function isFresh(sinceMs: number, nowMs: number, forMs: number): boolean {
  return Math.abs(nowMs - sinceMs) < forMs;
}

/** Engine time: real time through a scale. `scale` may be moved by a test; production is bound to REAL_TIME. */
export class EngineClock implements Clock {
  constructor(
    private readonly real: Clock = new SystemClock(),
    private current: ClockScale = REAL_TIME,
  ) {}

  get scale(): ClockScale {
    return this.current;
  }

  now(): Date {
    return new Date(this.nowMs());
  }

  nowMs(): number {
    return scaleTime(this.real.nowMs(), this.current);
  }

  /** What this host's clock says, whatever the scale. */
  hostMs(): number {
    return this.real.nowMs();
  }

  /** Moves engine time forward by `ms` from now on. */
  advance(ms: number): void {
    this.current = { ...this.current, offsetMs: this.current.offsetMs + ms };
  }
}

/** A clock that stands still until it is told to move. */
export class ManualClock implements Clock {
  constructor(private ms: number) {}

  now(): Date {
    return new Date(this.ms);
  }

  nowMs(): number {
    return this.ms;
  }

  advance(ms: number): void {
    this.ms += ms;
  }
}
