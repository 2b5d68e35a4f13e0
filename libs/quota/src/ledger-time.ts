import type { EngineClock, Timers } from '@libs/kernel';

/**
 * The ledger's engine time as this process estimates it: what Redis answered, carried on by a clock that never jumps. With
 * the host's own clock, which may be set at any moment, the slots of two hosts would overlap, and each send at the full rate.
 */
export class LedgerTime {
  /** From this process's own time to the ledger's, engine milliseconds. */
  private offsetMs: number | undefined;

  constructor(
    private readonly clock: EngineClock,
    private readonly timers: Timers,
  ) {}

  nowMs(): number {
    return this.offsetMs === undefined ? this.clock.nowMs() : Math.floor(this.ownMs() + this.offsetMs);
  }

  /** This process's own time: for the moment at which something was asked. Only differences mean something. */
  ownMs(): number {
    const { speed, offsetMs } = this.clock.scale;
    return this.timers.monotonicMs() * speed + offsetMs;
  }

  /**
   * Redis answered with its time, some moment between the question and now: what is believed changes only as far as that
   * proves it wrong.
   * @param askedMs own time of the question
   */
  learn(askedMs: number, ledgerNowMs: number): void {
    const [latest, earliest] = [ledgerNowMs - askedMs, ledgerNowMs - this.ownMs()];
    this.offsetMs = Math.max(earliest, Math.min(this.offsetMs ?? latest, latest));
  }
}
