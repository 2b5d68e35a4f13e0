import type { SendingAccountId } from '@libs/kernel';
import type { Grant, Refusal } from '@libs/quota';

/** What the pump of an account knows when it plans its next question. Milliseconds of engine time. */
export interface PumpPace {
  readonly sliceMs: number;
  /** Time between a grant and its first slot. */
  readonly leadMs: number;
  /** How long an account may go unasked while nobody waits: an offer wakes it, this is for the offer that was lost. */
  readonly idleMs: number;
}

/** The next grant is made this long before the rate clock would idle, */
const MARGIN_MS = 60;
/** or this part of a long slice: many accounts of long slices come in crowds, whose tickets wait for each other. */
const MARGIN_PART = 10;
/** Small grants cost as much as large ones: none is asked for before this part of a slice is free. */
const LEAST_PART = 4;

/** How long the pump of an account rests after a reply, milliseconds of engine time. */
export function restAfter(reply: Grant | Refusal, pace: PumpPace): number {
  switch (reply.kind) {
    case 'grant':
      return untilNextGrant(reply, pace);
    case 'empty':
      if (reply.why === 'idle') return pace.idleMs;
      if (reply.why === 'rate') return clamp(reply.retryAtMs - reply.nowMs, 5, Math.max(5, pace.sliceMs));
      if (reply.why === 'day') return clamp(reply.retryAtMs - reply.nowMs, 50, 1_000);
      return 50;
    case 'frozen':
      return clamp(reply.untilMs - reply.nowMs, 5, 500);
    case 'stale':
      return 100;
    case 'clock':
      return 1_000;
  }
}

/** The clock idles from `lead` before the end of what was granted; by then the next grant must be out. */
function untilNextGrant(grant: Grant, { sliceMs, leadMs }: PumpPace): number {
  const lastsMs = (grant.recipients * 1000 * grant.rate.den) / grant.rate.num;
  const idlesAt = grant.slotStartMs + lastsMs - leadMs;
  const margin = Math.max(Math.min(MARGIN_MS, sliceMs / 2), sliceMs / MARGIN_PART);
  return clamp(idlesAt - margin - grant.nowMs, sliceMs / LEAST_PART, sliceMs);
}

/**
 * The part of a slice, between a quarter and all of it, that an account is granted first when it begins anew: hundreds that
 * begin together, after a start or a loss of Redis, would come back together with every slice.
 */
export function firstPart(id: SendingAccountId): number {
  return 1 - (0.75 * parseInt(id.slice(-2), 16)) / 256;
}

/** True after a reply that leaves the rate clock idle: what is granted next begins anew. */
export function beginsAnew(reply: Grant | Refusal): boolean {
  return reply.kind !== 'grant' && !(reply.kind === 'empty' && reply.why === 'rate');
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value));
}

/**
 * How often an account is asked that has no reason to have work, milliseconds: with many of them less often, so that a
 * thousand idle accounts together cost a few per cent of a core. An offer wakes it; this finds the offer that was lost.
 */
export function idlePollMs(accounts: number, canBeWoken: boolean): number {
  return canBeWoken ? Math.max(1_000, accounts) : Math.max(40, accounts / 2);
}

/** How soon to look again whether the process that pumps an account is still there, real milliseconds. */
export function elsewhereMs(accounts: number): number {
  return Math.min(1_000, Math.max(250, accounts * 5));
}

/** How soon to ask again for an account while the workers have more tickets than they take, real milliseconds. */
export function crowdedMs(accounts: number): number {
  return Math.min(250, Math.max(20, accounts / 2));
}
