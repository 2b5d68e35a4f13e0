import { divideHalfEven } from '@libs/kernel';

/** Decimal places that are kept. AWS writes at most 30; what has more is refused, never rounded. */
const PLACES = 40;
const ONE = 10n ** BigInt(PLACES);
const MICRO = 10n ** BigInt(PLACES - 6);

/** A decimal number as a bigint of 10^-40: sums of millions of them are exact. */
export type Exact = bigint;

const NUMBER = /^([+-]?)(\d{1,30})?(?:\.(\d{0,60}))?(?:[eE]([+-]?\d{1,3}))?$/;

/** Decimal text, with or without an exponent; undefined when it is none, or cannot be kept exactly. */
export function parseExact(text: string): Exact | undefined {
  const match = NUMBER.exec(text);
  if (!match) return undefined;
  const [, sign, whole = '', fraction = '', exponent] = match;
  if (whole === '' && fraction === '') return undefined;
  const magnitude =
    exponent === undefined && fraction.length <= PLACES
      ? BigInt(whole + fraction.padEnd(PLACES, '0'))
      : shifted(BigInt(whole + fraction), BigInt(PLACES - fraction.length) + BigInt(exponent ?? '0'));
  return sign === '-' && magnitude !== undefined ? -magnitude : magnitude;
}

function shifted(digits: bigint, power: bigint): bigint | undefined {
  if (power >= 0n) return digits * 10n ** power;
  const divisor = 10n ** -power;
  return digits % divisor === 0n ? digits / divisor : undefined;
}

/** Plain decimal text, as PostgreSQL's numeric reads it. */
export function formatExact(value: Exact): string {
  const magnitude = value < 0n ? -value : value;
  const fraction = (magnitude % ONE).toString().padStart(PLACES, '0').replace(/0+$/, '');
  const text = fraction === '' ? `${magnitude / ONE}` : `${magnitude / ONE}.${fraction}`;
  return value < 0n ? `-${text}` : text;
}

/** Dollars to micro-dollars, rounded half to even. */
export function exactToMicro(dollars: Exact): bigint {
  return divideHalfEven(dollars, MICRO);
}

/** A quantity of the bill in our own, smaller units, rounded half to even. */
export function exactToUnits(quantity: Exact, unitsPer: bigint): bigint {
  return divideHalfEven(quantity * unitsPer, ONE);
}

/**
 * Amounts in micro-dollars that add up to the exact sum rounded once, although each part is rounded: everybody gets the
 * floor, and the units left over go to the largest remainders, then to the first.
 */
export function roundTogether(dollars: readonly Exact[]): { parts: bigint[]; total: bigint } {
  const total = exactToMicro(dollars.reduce((sum, one) => sum + one, 0n));
  const parts = dollars.map((one) => floor(one));
  let left = total - parts.reduce((sum, part) => sum + part, 0n);
  const order = dollars
    .map((one, index) => ({ index, remainder: one - floor(one) * MICRO }))
    .sort((a, b) => (a.remainder === b.remainder ? a.index - b.index : a.remainder > b.remainder ? -1 : 1));
  for (const { index } of order) {
    if (left <= 0n) break;
    parts[index] = (parts[index] ?? 0n) + 1n;
    left -= 1n;
  }
  return { parts, total };
}

function floor(dollars: Exact): bigint {
  const quotient = dollars / MICRO;
  return dollars % MICRO < 0n ? quotient - 1n : quotient;
}
