import type { InDoubtPolicy } from '@libs/kernel';

/** What the events of an account's other sends say about the attempts in doubt among them. */
export interface Watermark {
  /** Attempts recorded SENT around it through the same configuration set. */
  readonly setSent: number;
  readonly setConfirmed: number;
  /** The same through the whole account: all its sets publish to one topic. */
  readonly accountSent: number;
  readonly accountConfirmed: number;
}

export interface Doubt {
  readonly policy: InDoubtPolicy;
  /** Milliseconds since the attempt ended. */
  readonly ageMs: number;
  /** Until the message's time is over, milliseconds; negative after it. */
  readonly leftMs: number;
  /** How long it must be before silence counts. */
  readonly waitMs: number;
  /** Undefined while it was not asked for. */
  readonly watermark: Watermark | undefined;
}

/**
 * `not-sent`: SES never had it. `last-chance`: nobody knows, its time is almost over, and a second copy is the smaller
 * harm. `over`: nobody knows, and nothing more is tried.
 */
export type Resolution = 'hold' | 'not-sent' | 'last-chance' | 'over';

/** The code of an attempt that ended without anybody knowing whether SES took it. */
export const STILL_IN_DOUBT = 'StillInDoubt';

/** What is said of a message whose time is over while nobody knows. */
export const NOBODY_KNOWS = 'Nobody knows whether Amazon SES took the message. Its time is over: it is not sent again.';

/** Neighbours that must all have their Send event before a missing one means something. */
const WITNESSES = 10;
/** After this many waiting times a quiet account is judged by the few neighbours it has, and by what it sent later. */
const PATIENCE = 10;
/** So long before its end a message in doubt goes again without evidence, at most: enough for a slot and a request. */
const LAST_CHANCE_MS = 60_000;

/**
 * Settles one doubt that no Send event has settled. The event transport is unordered and may lose events, so a missing
 * event counts only when every neighbour's event has come, and enough of them; a silent or patchy pipeline proves nothing,
 * and then the policy decides when the message's time ends.
 */
export function resolveDoubt({ policy, ageMs, leftMs, waitMs, watermark }: Doubt): Resolution {
  if (leftMs <= 0) return 'over';
  if (policy === 'AT_MOST_ONCE' || ageMs < waitMs) return 'hold';
  if (watermark && speaksAgainst(watermark, isOld(ageMs, waitMs))) return 'not-sent';
  // A quarter of its time for those that live shorter.
  return leftMs <= Math.min(LAST_CHANCE_MS, (ageMs + leftMs) / 4) ? 'last-chance' : 'hold';
}

/** Whether a doubt is so old that its account may be judged by less, and by more time. */
export function isOld(ageMs: number, waitMs: number): boolean {
  return ageMs >= waitMs * PATIENCE;
}

/** Whether the events of an account are on their way at all: nothing of what was sent has been confirmed. */
export function isSilent({ accountSent, accountConfirmed }: Watermark): boolean {
  return accountSent >= WITNESSES && accountConfirmed === 0;
}

function speaksAgainst({ setSent, setConfirmed, accountSent, accountConfirmed }: Watermark, patient: boolean): boolean {
  if (setSent >= WITNESSES) return setConfirmed === setSent;
  if (accountSent >= WITNESSES || (patient && accountSent > 0)) return accountConfirmed === accountSent;
  return false;
}
