import { divideHalfEven } from '@libs/kernel';

/** Why AWS's bill says another amount than our own reckoning. */
export const DELTA_REASONS = [
  /** Sends whose outcome nobody knew: AWS counted them. */
  'IN_DOUBT',
  /** More recipients than we sent to: somebody else sends through the account. */
  'FOREIGN_SENDER',
  /** Usage that AWS charged nothing for. */
  'FREE_TIER',
  /** Micro-dollars that are rounded at other places. */
  'ROUNDING',
  'CREDIT',
  'TAX',
  'ADJUSTMENT',
  /** The same usage at another price than our rate card has. */
  'PRICE',
  /** AWS measured another quantity of something other than recipients, or fewer recipients. */
  'METERING',
  /** The bill has no line for it at all. */
  'NOT_BILLED',
  /** A charge of a kind we know but never reckoned with. */
  'NOT_RECKONED',
  'UNKNOWN_USAGE',
  /** What AWS charged for a month that was final already. */
  'LATE_CHARGE',
] as const;
export type DeltaReason = (typeof DELTA_REASONS)[number];

/** One kind of usage of one account and region, as we have it and as AWS has it. Quantities in our own units. */
export interface Compared {
  readonly oursMicro: bigint;
  readonly oursQuantity: bigint;
  readonly ourLines: bigint;
  /** Null when the bill has no line for it. */
  readonly billed: {
    readonly costMicro: bigint;
    readonly quantity: bigint;
    readonly freeQuantity: bigint;
    readonly lines: bigint;
  } | null;
  readonly isRecipients: boolean;
  /** Recipients of messages of the period that are in doubt. */
  readonly inDoubt: bigint;
}

export interface DeltaPart {
  readonly reason: DeltaReason;
  readonly amountMicro: bigint;
  /** How much more AWS measured for this reason; 0 when it is about the price. */
  readonly quantity: bigint;
}

/** The difference in parts, one for each reason; they add up to it exactly. Empty when there is none. */
export function explainDelta(compared: Compared): DeltaPart[] {
  const { oursMicro, oursQuantity, billed } = compared;
  if (billed === null) return present([{ reason: 'NOT_BILLED', amountMicro: -oursMicro, quantity: -oursQuantity }]);
  const delta = billed.costMicro - oursMicro;
  if (delta === 0n) return [];
  if (compared.ourLines === 0n && !compared.isRecipients) {
    return [{ reason: 'NOT_RECKONED', amountMicro: delta, quantity: billed.quantity }];
  }
  const parts: DeltaPart[] = [];
  let rest = delta;
  const give = (reason: DeltaReason, quantity: bigint) => {
    const amountMicro = atAveragePrice(quantity, compared);
    parts.push({ reason, amountMicro, quantity });
    rest -= amountMicro;
  };
  const extra = billed.quantity - oursQuantity;
  if (extra > 0n && compared.isRecipients) {
    const doubtful = extra < compared.inDoubt ? extra : compared.inDoubt;
    give('IN_DOUBT', doubtful);
    give('FOREIGN_SENDER', extra - doubtful);
  } else if (extra !== 0n) {
    give('METERING', extra);
  }
  if (billed.freeQuantity > 0n) {
    // Nothing was paid for these, and nothing else explains more of the rest than they do.
    const free = -atAveragePrice(billed.freeQuantity, compared);
    const amountMicro = rest < free ? free : rest < 0n ? rest : 0n;
    parts.push({ reason: 'FREE_TIER', amountMicro, quantity: 0n });
    rest -= amountMicro;
  }
  // Each line of ours, and each amount of the bill, is rounded by less than one micro-dollar.
  const roundable = compared.ourLines + billed.lines;
  const magnitude = rest < 0n ? -rest : rest;
  parts.push({ reason: magnitude <= roundable ? 'ROUNDING' : 'PRICE', amountMicro: rest, quantity: 0n });
  return present(parts);
}

/** More than 0.1 % away from what we reckoned, for a reason that is not mere rounding. */
export function isAlarming(oursMicro: bigint, parts: readonly DeltaPart[]): boolean {
  let delta = 0n;
  for (const part of parts) if (part.reason !== 'ROUNDING') delta += part.amountMicro;
  const magnitude = delta < 0n ? -delta : delta;
  return magnitude * 1_000n > (oursMicro < 0n ? -oursMicro : oursMicro);
}

/** At our own price where we have one, at the bill's elsewhere. */
function atAveragePrice(quantity: bigint, { oursMicro, oursQuantity, billed }: Compared): bigint {
  if (oursQuantity > 0n) return divideHalfEven(quantity * oursMicro, oursQuantity);
  if (billed && billed.quantity > 0n) return divideHalfEven(quantity * billed.costMicro, billed.quantity);
  return 0n;
}

function present(parts: readonly DeltaPart[]): DeltaPart[] {
  return parts.filter((part) => part.amountMicro !== 0n);
}
