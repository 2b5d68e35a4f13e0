/**
 * Amounts of money in micro-dollars (1 USD = 1,000,000). The only type money has in this project: never `number`,
 * because 0.1 + 0.2 is not 0.3 and an invoice must add up to the last micro-dollar.
 */
export type MicroUsd = bigint;

/** A price as a rational: `micro` micro-dollars for `per` units. Multiply first, divide once. */
export interface Rate {
  readonly micro: bigint;
  readonly per: bigint;
}

/**
 * `numerator / denominator` rounded half to even: the one place where money is rounded.
 * @throws RangeError when the denominator is not positive.
 */
export function divideHalfEven(numerator: bigint, denominator: bigint): bigint {
  if (denominator <= 0n) throw new RangeError('the denominator must be positive');
  const negative = numerator < 0n;
  const magnitude = negative ? -numerator : numerator;
  const quotient = magnitude / denominator;
  const twiceRest = (magnitude % denominator) * 2n;
  const up = twiceRest > denominator || (twiceRest === denominator && quotient % 2n === 1n);
  const rounded = up ? quotient + 1n : quotient;
  return negative ? -rounded : rounded;
}

/** The price of `quantity` units at `rate`, in micro-dollars, rounded once, half to even. */
export function priceOf(quantity: bigint, rate: Rate): MicroUsd {
  return divideHalfEven(quantity * rate.micro, rate.per);
}

/** Micro-dollars as a plain decimal string of dollars: `24950000n` is `"24.95"`. Exact; no trailing zeros. */
export function formatUsd(amount: MicroUsd): string {
  const negative = amount < 0n;
  const magnitude = negative ? -amount : amount;
  const fraction = (magnitude % 1_000_000n).toString().padStart(6, '0').replace(/0+$/, '');
  const text = fraction === '' ? `${magnitude / 1_000_000n}` : `${magnitude / 1_000_000n}.${fraction}`;
  return negative ? `-${text}` : text;
}

/**
 * Dollars written as a decimal string into micro-dollars: `"24.95"` is `24950000n`.
 * @throws RangeError on anything but digits with at most six decimals, so that nothing is rounded silently.
 */
export function parseUsd(text: string): MicroUsd {
  const match = /^(-?)(\d{1,18})(?:\.(\d{1,6}))?$/.exec(text);
  if (!match) throw new RangeError(`expected dollars with at most six decimals, for example "24.95"; found "${text}"`);
  const magnitude = BigInt(match[2] ?? '0') * 1_000_000n + BigInt((match[3] ?? '').padEnd(6, '0'));
  return match[1] === '-' ? -magnitude : magnitude;
}
