/** What SES refused: something the route needs is gone there, or the send role may not use it. */
export type HoldReason = 'DRIFT' | 'DENIED';

/** How mail of a route is held, and was before. */
export interface RouteHold {
  /** Nothing goes before, engine time; in the past: when the last hold ended. Null = it never was held. */
  readonly heldUntil: Date | null;
  readonly heldFor: HoldReason | null;
  /** Holds that followed each other. */
  readonly refusals: number;
}

/** After a hold the route is tried for so long by a message at a time, before all of its mail follows; milliseconds. */
export const ROUTE_PROBE_MS = 10_000;
const FIRST_MS = 15_000;
const LONGEST_MS = 120_000;
/**
 * How much longer each hold is than the one it follows. What was made anew and is refused all the same needs a person. A role
 * that is denied is mended without a word to us: mail goes within a tenth of the time that it was denied.
 */
const GROWTH: Readonly<Record<HoldReason, number>> = { DRIFT: 2, DENIED: 1.1 };
/** More of them make no hold longer. */
const MOST_GROWTHS = 30;
/** What was under way when the route was repaired is answered within this time, milliseconds. */
const UNDER_WAY_MS = 2_000;
/** A refusal so soon after a hold continues it, milliseconds. */
const FOLLOWS_MS = 900_000;

/**
 * The hold that a refusal begins; each that follows another lasts longer, two minutes at most. Undefined when the refusal is
 * no news: it answers a message that was under way.
 */
export function holdAfterRefusal(known: RouteHold, why: HoldReason, nowMs: number): RouteHold | undefined {
  const endedMs = nowMs - (known.heldUntil?.getTime() ?? Number.NEGATIVE_INFINITY);
  if (endedMs < UNDER_WAY_MS) return undefined;
  const refusals = endedMs < FOLLOWS_MS ? known.refusals + 1 : 1;
  const ms = Math.min(LONGEST_MS, FIRST_MS * GROWTH[why] ** Math.min(refusals - 1, MOST_GROWTHS));
  return { heldUntil: new Date(nowMs + ms), heldFor: why, refusals: Math.min(refusals, 1_000) };
}

/**
 * What is left of a hold once the route was made anew. The first repair is believed and ends the hold at once; when SES
 * refuses mail all the same, waiting is all there is.
 */
export function holdAfterRepair(known: RouteHold, nowMs: number): RouteHold {
  const { heldUntil, heldFor, refusals } = known;
  const isHeld = heldUntil !== null && heldUntil.getTime() > nowMs;
  const isBelieved = isHeld && heldFor === 'DRIFT' && refusals <= 1;
  return { heldUntil: isBelieved ? new Date(nowMs) : heldUntil, heldFor, refusals };
}
