/** Recipients per second as an exact fraction. */
export interface Fraction {
  readonly num: number;
  readonly den: number;
}

/**
 * A decimal such as "14.000" or "0.5" as a fraction, exact to three decimals.
 * @throws RangeError on anything that is not a non-negative decimal.
 */
export function parseRate(text: string): Fraction {
  const match = /^(\d{1,9})(?:\.(\d{1,9}))?$/.exec(text);
  if (!match) throw new RangeError(`expected a rate such as "14" or "0.5"; found "${text}"`);
  return { num: Number(match[1]) * 1000 + Number((match[2] ?? '').padEnd(3, '0').slice(0, 3)), den: 1000 };
}

/**
 * The rate we send at, 0.9995 of what SES allows. SES holds a bucket of a second's recipients, R, that fills with R a second
 * (aws-facts 3): what starts no later than a second after its slot, less one recipient's time, never finds it empty, since
 * `t` seconds hold R' x (t + lateness) + 1 of them at most, and R' t <= R t. So lateness costs nothing, and the margin has
 * one purpose: our second and that of SES may differ in length, by 500 parts in a million while a clock is being corrected.
 * Below two a second the bucket holds a single token and forgives no jitter at all, so the gap between two sends is widened
 * by a ninth.
 */
export function pacedRate(observed: Fraction): Fraction {
  const single = observed.num < 2 * observed.den;
  return single
    ? { num: observed.num * 9, den: observed.den * 10 }
    : { num: observed.num * 1_999, den: observed.den * 2_000 };
}

/** A slice lasts this long at most: what is granted further ahead keeps its rate after the worker that holds it has died. */
const LONGEST_SLICE_MS = 4_000;

/**
 * Milliseconds of sending that one ticket holds: 200 messages, because a ticket costs about as much as 50 of them, or what
 * goes in a second, but 32 at least, within 4 s, on a slow account. While somebody notices, 50 messages in 100 ms to 1 s:
 * mail that comes in a trickle, or must not wait, cannot overtake what is granted.
 */
export function sliceMs(rate: Fraction, isNoticed: boolean): number {
  if (rate.num <= 0) return 1_000;
  const lastMs = (messages: number) => Math.floor((messages * 1_000 * rate.den) / rate.num);
  if (isNoticed) return Math.min(1_000, Math.max(100, lastMs(50)));
  return Math.min(LONGEST_SLICE_MS, Math.max(100, Math.min(1_000, lastMs(200)), lastMs(32)));
}
