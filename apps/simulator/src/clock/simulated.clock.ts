import { REAL_TIME, scaleTime, type Clock, type ClockScale } from '@libs/kernel';

/**
 * The simulator's own time: real time through the engine's one scale (ENGINE.md, section 2). Quota windows, rate buckets
 * and event timestamps run on it; signatures, sessions and SNS envelopes keep real time, as they do at AWS.
 */
export class SimulatedClock implements Clock {
  constructor(
    readonly real: Clock,
    private current: ClockScale = REAL_TIME,
  ) {}

  get scale(): ClockScale {
    return this.current;
  }

  set scale(scale: ClockScale) {
    this.current = scale;
  }

  now(): Date {
    return new Date(this.nowMs());
  }

  nowMs(): number {
    return scaleTime(this.real.nowMs(), this.current);
  }

  advance(ms: number): void {
    this.current = { ...this.current, offsetMs: this.current.offsetMs + ms };
  }

  /** Changes the speed from this moment on, without a jump: what has passed keeps its own speed. */
  run(speed: number): void {
    const now = this.nowMs();
    const baseMs = this.real.nowMs();
    this.current = { baseMs, speed, offsetMs: now - baseMs };
  }

  /** How long a simulated span takes in real milliseconds; what timers must wait. */
  realSpan(simulatedMs: number): number {
    return simulatedMs / Math.max(this.current.speed, 0.001);
  }
}
