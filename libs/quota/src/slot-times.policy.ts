/** After the end of its slots a grant may still be used for this long, milliseconds. */
export const SLOT_LIFE_MS = 5_000;

/** A late batch may be given a new slot until this long after its grant; the ring's guard counts on it. */
export const OLDEST_RESLOT_MS = 60_000;

/**
 * The slots of a batch begin no later than this after they were given, real milliseconds: the first ones lie within lead and slice, a
 * late batch gets none further ahead. A rebuilt ledger knows no slots, and waits for as long as anybody may use one of an older epoch.
 */
export const FARTHEST_SLOT_MS = 5_000;

/** What was granted in the usual way starts within this, real milliseconds: a slice and the time before it. */
export const SLICE_AND_LEAD_MS = 2_000;

/** Recipients that a message may have (SES's own limit), so that no more are owed for one that has gone. */
export const MOST_OWED = 50;
