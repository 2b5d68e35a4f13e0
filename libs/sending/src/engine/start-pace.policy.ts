import type { Fraction } from '@libs/quota';

/**
 * Starts may differ in lateness by this much: what timers and a busy loop do to them. Where patience has grown it is a part
 * of that instead: a loop that comes round every 50 ms must start 50 ms of slots at once. Real milliseconds, as all here.
 */
const JITTER_MS = 8;
const JITTER_PART = 4;
/** Lateness beyond that is made good in this part of the time that passes: so much faster than its slots does a process catch up. */
const CATCH_UP = 0.012;
/** What started longer ago than a second, and what clocks at its two ends can differ by, says nothing about this one. */
const SECOND_MS = 1_010;
/** A slot missed by more than this is over, on a machine that keeps up. */
const PATIENCE_MS = 20;
/** A process that misses its slots all the same is given twice as long, at most this often, */
const RAISE_MS = 500;
/** and half as long once it needed less than that for so long. */
const LOWER_MS = 5_000;
/** Nothing is later than this: with all of a second a strict bucket could run dry. */
const MOST_PATIENCE_MS = 800;

/**
 * How late this process starts the messages of one account, and how late it may.
 *
 * A slot is a moment at the account's rate that was given out once in the whole fleet. As long as everybody is late by the
 * same, nobody exceeds the rate; catching up does. So a process that was held up goes on as late as it is, and makes that
 * good by about one per cent of the time: what it starts in a second had its slots in 1.02 s, however long it stood still.
 * Several processes differ in lateness by no more than their patience, 20 ms where the machine keeps up: together they
 * start what had its slots in 1.02 s, too. What missed its slot by more gets another from the ledger, which is nobody
 * else's. On a machine that is too busy the new slots would be missed as well, and nothing would ever go out: there
 * patience grows, so that lateness costs no rate, up to the second that the bucket of SES holds.
 */
export class StartPace {
  private latenessMs = 0;
  private latenessAt = 0;
  private startedAt = Number.NEGATIVE_INFINITY;
  private raisedAt = Number.NEGATIVE_INFINITY;
  private neededMs = 0;
  private neededSince = 0;

  /** `speed`: engine milliseconds in a real one; all times are engine milliseconds. `patience` is real. */
  constructor(
    private readonly speed: number,
    private patience = PATIENCE_MS,
  ) {}

  /** How much later than its slot a message may start at that rate of recipients per second. */
  patienceMs(rate: Fraction): number {
    return Math.min(this.patience, mostPatienceMs(rate.num / rate.den)) * this.speed;
  }

  /** When a message whose slot begins at `dueMs` may start. */
  earliestMs(dueMs: number): number {
    if (dueMs - this.startedAt > SECOND_MS * this.speed) return dueMs;
    // Lateness shrinks while it is waited for.
    const held = this.latenessMs - Math.max(JITTER_MS, this.patience / JITTER_PART) * this.speed;
    return Math.max(dueMs, (dueMs + held + CATCH_UP * this.latenessAt) / (1 + CATCH_UP));
  }

  /** A message starts. */
  start(dueMs: number, nowMs: number): void {
    const lateness = Math.max(0, nowMs - dueMs);
    const left = this.latenessMs - CATCH_UP * (nowMs - this.latenessAt);
    if (lateness >= left || nowMs - this.startedAt > SECOND_MS * this.speed) {
      this.latenessMs = lateness;
      this.latenessAt = nowMs;
    }
    this.startedAt = nowMs;
    this.lower(lateness / this.speed, nowMs);
  }

  /** Slots were missed by more than patience allows. */
  missed(nowMs: number): void {
    this.neededSince = nowMs;
    if (nowMs - this.raisedAt < RAISE_MS * this.speed) return;
    this.raisedAt = nowMs;
    this.patience = Math.min(MOST_PATIENCE_MS, this.patience * 2);
  }

  private lower(lateness: number, nowMs: number): void {
    this.neededMs = Math.max(this.neededMs, lateness);
    if (nowMs - this.neededSince < LOWER_MS * this.speed) return;
    if (this.neededMs < this.patience / 2) this.patience = Math.max(PATIENCE_MS, this.patience / 2);
    this.neededSince = nowMs;
    this.neededMs = 0;
  }
}

/**
 * With a bucket of a second's recipients, R, everything may be late by what R less one of them take; a fifth is left for
 * what was lent to urgent mail. Below two a second the bucket holds one, and the paced rate leaves a tenth of the gap
 * between two.
 */
function mostPatienceMs(rate: number): number {
  return rate < 2 ? 80 / rate : (800 * (rate - 1)) / rate;
}
