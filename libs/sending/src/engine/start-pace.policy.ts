import type { Fraction } from '@libs/quota';

/**
 * Starts may differ in lateness by this much: what the grid of starts (5 ms), timers and a collection of garbage do to them.
 * With less than the grid a process that was late once would hold itself at the end of its patience, where every other tick
 * misses a slot. Where patience has grown it is a part of that instead: a loop that comes round every 50 ms must start 50 ms
 * of slots at once. Real milliseconds, as all here.
 */
const JITTER_MS = 12;
const JITTER_PART = 8;
/** Lateness beyond that is made good in this part of the time that passes: so much faster than its slots does a process catch up. */
const CATCH_UP = 0.002;
/** What started longer ago than a second, and what clocks at its two ends can differ by, says nothing about this one. */
const SECOND_MS = 1_010;
/** A slot missed by more than this is over, on a machine that keeps up. */
const PATIENCE_MS = 20;
/**
 * But not before this part of the time between two slots: with less lateness than that a sliding second holds one message
 * more at most, and on a slow account each missed slot would cost as much rate as dozens of them on a fast one.
 */
const GAP_PART = 0.75;
/** A process that misses more than a twentieth of its slots of late is given twice as long, at most this often, */
const MISSED_PART = 20;
const FEW_MISSED = 2;
const LATELY_MS = 2_000;
const RAISE_MS = 750;
/**
 * and half as long once it came with less delay than that for so long. What it is late by then, it moves: processes that
 * differ much in lateness exceed the rate together, and to catch up would take minutes.
 */
const LOWER_MS = 2_000;
/** Nothing is later than this: with all of a second a strict bucket could run dry. */
const MOST_PATIENCE_MS = 800;

/**
 * How late this process starts the messages of one account, and how late it may.
 *
 * A slot is a moment at the account's rate that was given out once in the whole fleet. As long as everybody is late by the
 * same, nobody exceeds the rate; catching up does. So a process that was held up goes on as late as it is, and makes that
 * good in two thousandths of the time: what it starts in a second had its slots in 1.01 s, however long it stood still.
 * Several processes differ in lateness by no more than their patience, 20 ms where the machine keeps up: together they
 * start what had its slots in 1.02 s. What missed its slot by more gets another from the ledger, which is nobody
 * else's. On a machine that is too busy the new slots would be missed as well, and nothing would ever go out: there
 * patience grows, so that lateness costs no rate, up to the second that the bucket of SES holds.
 */
export class StartPace {
  private latenessMs = 0;
  private latenessAt = 0;
  private startedAt = Number.NEGATIVE_INFINITY;
  private raisedAt = Number.NEGATIVE_INFINITY;
  /** Slots of late, and how many of them were missed: each counts for half after two seconds. */
  private slots = 0;
  private missedSlots = 0;
  private halvedAt = 0;
  private neededMs = 0;
  private neededSince = 0;

  /** `speed`: engine milliseconds in a real one; all times are engine milliseconds. `patience` is real. */
  constructor(
    private readonly speed: number,
    private patience = PATIENCE_MS,
  ) {}

  /** How much later than its slot a message may start at that rate of recipients per second. */
  patienceMs(rate: Fraction): number {
    const perSecond = rate.num / rate.den;
    const patience = Math.max(this.patience, (GAP_PART * 1_000) / perSecond);
    return Math.min(patience, mostPatienceMs(perSecond)) * this.speed;
  }

  /** When a message whose slot begins at `dueMs` may start. */
  earliestMs(dueMs: number): number {
    if (dueMs - this.startedAt > SECOND_MS * this.speed) return dueMs;
    // Lateness shrinks while it is waited for.
    const held =
      Math.min(this.latenessMs, this.patience * this.speed) -
      Math.max(JITTER_MS, this.patience / JITTER_PART) * this.speed;
    return Math.max(dueMs, (dueMs + held + CATCH_UP * this.latenessAt) / (1 + CATCH_UP));
  }

  /** A message starts. */
  start(dueMs: number, nowMs: number): void {
    const lateness = Math.max(0, nowMs - dueMs);
    this.lower((nowMs - this.earliestMs(dueMs)) / this.speed, nowMs);
    const left = this.latenessMs - CATCH_UP * (nowMs - this.latenessAt);
    if (lateness >= left || nowMs - this.startedAt > SECOND_MS * this.speed) {
      this.latenessMs = lateness;
      this.latenessAt = nowMs;
    }
    this.startedAt = nowMs;
    this.count(1, nowMs);
  }

  /** So many slots were missed by more than patience allows. */
  missed(slots: number, nowMs: number): void {
    if (nowMs - this.raisedAt < RAISE_MS * this.speed) return;
    this.count(slots, nowMs);
    this.missedSlots += slots;
    if (this.missedSlots < Math.max(FEW_MISSED, this.slots / MISSED_PART)) return;
    this.raisedAt = nowMs;
    this.neededSince = nowMs;
    this.missedSlots = 0;
    this.patience = Math.min(MOST_PATIENCE_MS, this.patience * 2);
  }

  private count(slots: number, nowMs: number): void {
    if (nowMs - this.halvedAt >= LATELY_MS * this.speed) {
      this.halvedAt = nowMs;
      this.slots /= 2;
      this.missedSlots /= 2;
    }
    this.slots += slots;
  }

  private lower(delay: number, nowMs: number): void {
    this.neededMs = Math.max(this.neededMs, delay);
    if (nowMs - this.neededSince < LOWER_MS * this.speed) return;
    if (this.neededMs < this.patience / 2 && this.patience > PATIENCE_MS) {
      this.patience = Math.max(PATIENCE_MS, this.patience / 2);
      // What is moved by that is no reason to be patient again.
      this.raisedAt = nowMs;
    }
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
