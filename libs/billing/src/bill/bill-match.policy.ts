import type { LaneId, SendingAccountId } from '@libs/kernel';
import { allocate, ascending, PLATFORM, type Bearer } from '../cost/allocation.policy';
import { SKUS } from '../rates/rate-card.policy';
import { categoryOf, isUsage } from './bill-totals.policy';
import { explainDelta, isAlarming, type DeltaPart, type DeltaReason } from './delta-reason.policy';
import { exactToUnits, type Exact } from './exact-decimal.policy';
import { knownUsage, usageTypeOf } from './usage-type.policy';

/** Who bears a stored line, by which weight, and what of it. */
export interface Share {
  readonly bearer: Bearer;
  readonly weight: bigint;
  readonly amountMicro: bigint;
}

/** A line of our own reckoning, as it is stored. */
export interface ReckonedLine {
  readonly id: bigint;
  /** Its number within the month: the same however often the month is computed. */
  readonly no: bigint;
  readonly awsAccount: string;
  readonly region: string;
  readonly sendingAccountId: SendingAccountId | null;
  readonly laneId: LaneId | null;
  readonly sku: string;
  readonly pricingPlan: string;
  readonly unit: string;
  readonly quantity: bigint;
  readonly costMicro: bigint;
  readonly method: string;
  /** The final month of which this usage came to light later; null = it is of the month itself. */
  readonly corrects: string | null;
  readonly shares: readonly Share[];
}

/** A group of lines of AWS's bill, as it is stored; of accounts of the fleet only. */
export interface BilledLine {
  readonly payer: string;
  readonly awsAccount: string;
  readonly region: string;
  readonly product: string;
  readonly usageType: string;
  readonly lineType: string;
  readonly chargeClass: 'Correction' | null;
  readonly quantity: Exact;
  readonly freeQuantity: Exact;
  readonly costMicro: bigint;
}

export interface DeltaLine {
  /** The line of ours that it corrects; null = there is none. */
  readonly of: ReckonedLine | null;
  readonly payer: string | null;
  readonly awsAccount: string;
  readonly region: string;
  readonly sku: string;
  readonly usageType: string;
  readonly unit: string;
  readonly quantity: bigint;
  readonly costMicro: bigint;
  readonly reason: DeltaReason;
  readonly category: ReturnType<typeof categoryOf>;
  readonly isCorrection: boolean;
  readonly method: string;
  readonly shares: readonly Share[];
}

export interface BillAlarm {
  readonly kind: 'DELTA' | 'UNKNOWN_USAGE';
  readonly awsAccount: string;
  readonly region: string;
  readonly usageType: string;
  readonly oursMicro: bigint;
  readonly billedMicro: bigint;
}

export interface Matched {
  /** Our lines and these add up to the bill, exactly. */
  readonly deltas: readonly DeltaLine[];
  readonly alarms: readonly BillAlarm[];
}

interface Kind {
  readonly awsAccount: string;
  readonly region: string;
  readonly sku: string;
  readonly ours: ReckonedLine[];
  readonly billed: BilledLine[];
}

/**
 * Holds AWS's bill against our own lines, by account, region and sku. Every difference becomes lines of its own, each
 * with its reason and borne as the line that it corrects; credits and taxes as the lines that they apply to.
 * @param inDoubt recipients in doubt, by `account|region`
 */
export function matchBill(
  ours: readonly ReckonedLine[],
  billed: readonly BilledLine[],
  inDoubt: ReadonlyMap<string, bigint>,
): Matched {
  const kinds = new Map<string, Kind>();
  const kindOf = (line: { awsAccount: string; region: string }, sku: string): Kind => {
    const { awsAccount, region } = line;
    const key = `${awsAccount}|${region}|${sku}`;
    const kind = kinds.get(key) ?? { awsAccount, region, sku, ours: [], billed: [] };
    kinds.set(key, kind);
    return kind;
  };
  const others: BilledLine[] = [];
  for (const line of ours) kindOf(line, line.sku).ours.push(line);
  for (const line of billed) {
    const known = knownUsage(line.product, line.usageType);
    if (known && isUsage(line.lineType) && line.chargeClass === null) kindOf(line, known.sku).billed.push(line);
    else others.push(line);
  }
  const compared = [...kinds].sort(([a], [b]) => ascending(a, b)).map(([, kind]) => compare(kind, ours, inDoubt));
  const added = others.sort((a, b) => ascending(nameOf(a), nameOf(b))).map((line) => addedLine(line, ours));
  return {
    deltas: [...compared.flatMap((one) => one.deltas), ...added.flatMap((one) => one.deltas)],
    alarms: [...compared.flatMap((one) => one.alarms), ...added.flatMap((one) => one.alarms)],
  };
}

/**
 * What a later report of a month that is final already says beyond everything known of it, as corrections.
 * @param known what is known of each charge of the month, its corrections included
 */
export function matchLateBill(
  ours: readonly ReckonedLine[],
  billed: readonly BilledLine[],
  known: readonly KnownCharge[],
): DeltaLine[] {
  const charges = new Map<string, { line: BilledLine; late: bigint }>();
  const add = (key: string, line: BilledLine, amount: bigint) => {
    const found = charges.get(key);
    charges.set(key, { line: found?.line ?? line, late: (found?.late ?? 0n) + amount });
  };
  for (const line of billed) {
    const sku = knownUsage(line.product, line.usageType)?.sku ?? 'unknown';
    add(keyOfCharge({ ...line, sku, category: categoryOf(line.lineType) }), line, line.costMicro);
  }
  const payers = new Map(billed.map((line) => [line.awsAccount, line.payer]));
  for (const charge of known) {
    const payer = payers.get(charge.awsAccount);
    // The report of another payer says nothing about it.
    if (payer === undefined) continue;
    const line = { payer, product: 'AmazonSES', quantity: 0n, freeQuantity: 0n, chargeClass: null, costMicro: 0n };
    add(keyOfCharge(charge), { ...line, ...charge, lineType: charge.category }, -charge.costMicro);
  }
  return [...charges]
    .sort(([a], [b]) => ascending(a, b))
    .flatMap(([, { line, late }]) => {
      const { deltas } = addedLine({ ...line, quantity: 0n, costMicro: late }, ours);
      return deltas.map((delta) => ({ ...delta, reason: 'LATE_CHARGE' as const, isCorrection: true }));
    });
}

/** What a month's lines say about one kind of charge. */
export interface KnownCharge {
  readonly awsAccount: string;
  readonly region: string;
  readonly sku: string;
  readonly usageType: string;
  readonly category: ReturnType<typeof categoryOf>;
  readonly costMicro: bigint;
}

/** A fee is Usage on one bill and Purchase on another. */
function keyOfCharge(charge: Omit<KnownCharge, 'costMicro'>): string {
  const category = charge.category === 'Purchase' ? 'Usage' : charge.category;
  return [charge.awsAccount, charge.region, charge.sku, category].join('|');
}

function compare(kind: Kind, all: readonly ReckonedLine[], inDoubt: ReadonlyMap<string, bigint>): Matched {
  const { awsAccount, region, sku, ours, billed } = kind;
  const oursMicro = total(ours.map((line) => line.costMicro));
  const billedMicro = total(billed.map((line) => line.costMicro));
  const parts = explainDelta({
    oursMicro,
    oursQuantity: total(ours.map((line) => line.quantity)),
    ourLines: BigInt(ours.length),
    billed: billed.length === 0 ? null : measured(billed, billedMicro),
    isRecipients: sku === SKUS.recipient,
    inDoubt: inDoubt.get(`${awsAccount}|${region}`) ?? 0n,
  });
  const usageType = usageTypeOf(sku);
  const alarm = { kind: 'DELTA' as const, awsAccount, region, usageType, oursMicro, billedMicro };
  return {
    deltas: parts.flatMap((part) => deltasOf(part, kind, all)),
    alarms: isAlarming(oursMicro, parts) ? [alarm] : [],
  };
}

function measured(billed: readonly BilledLine[], costMicro: bigint) {
  const units = (line: BilledLine, quantity: Exact) =>
    exactToUnits(quantity, knownUsage(line.product, line.usageType)?.unitsPer ?? 1n);
  return {
    costMicro,
    quantity: total(billed.map((line) => units(line, line.quantity))),
    freeQuantity: total(billed.map((line) => units(line, line.freeQuantity))),
    lines: BigInt(billed.length),
  };
}

/** One part of a difference, split over the lines of ours that it is about, each borne as its line is. */
function deltasOf(part: DeltaPart, { awsAccount, region, sku, ours, billed }: Kind, all: readonly ReckonedLine[]) {
  const facts = {
    payer: billed[0]?.payer ?? null,
    awsAccount,
    region,
    sku,
    usageType: billed[0]?.usageType ?? usageTypeOf(sku),
    reason: part.reason,
    category: 'Usage' as const,
    isCorrection: false,
  };
  if (ours.length === 0) {
    const weights = part.reason === 'FOREIGN_SENDER' ? new Map<Bearer, bigint>() : byCost(scopeOf(facts, all));
    const line = { ...facts, of: null, unit: 'unit', quantity: part.quantity, costMicro: part.amountMicro };
    return [
      { ...line, method: weights.size === 0 ? 'platform' : 'by-cost', shares: sharesOf(part.amountMicro, weights) },
    ];
  }
  const named = ours.map((line) => [line.no.toString().padStart(12, '0'), line] as const);
  const byName = new Map(named);
  const weights = new Map(named.map(([name, line]) => [name, line.costMicro > 0n ? line.costMicro : 0n]));
  const flat = [...weights.values()].every((weight) => weight === 0n);
  const spread = flat ? new Map([...weights.keys()].map((name) => [name, 1n])) : weights;
  const quantities = allocate(part.quantity, spread);
  const deltas: DeltaLine[] = [];
  for (const [name, costMicro] of allocate(part.amountMicro, spread)) {
    const line = byName.get(name);
    if (!line || costMicro === 0n) continue;
    const borne = new Map(line.shares.map((share) => [share.bearer, share.weight]));
    deltas.push({
      ...facts,
      of: line,
      unit: line.unit,
      quantity: quantities.get(name) ?? 0n,
      costMicro,
      method: line.method,
      shares: sharesOf(costMicro, borne),
    });
  }
  return deltas;
}

/** What the bill has beside usage we know: credits, taxes, corrections, and what nobody told us of. */
function addedLine(line: BilledLine, all: readonly ReckonedLine[]): Matched {
  const category = categoryOf(line.lineType);
  const known = knownUsage(line.product, line.usageType);
  const reason = isUsage(line.lineType) && !known ? 'UNKNOWN_USAGE' : REASON_OF[category];
  const { awsAccount, region, usageType, costMicro } = line;
  const weights =
    reason === 'UNKNOWN_USAGE'
      ? new Map<Bearer, bigint>()
      : byCost(scopeOf({ awsAccount, region, sku: known?.sku }, all));
  const delta: DeltaLine = {
    of: null,
    payer: line.payer,
    awsAccount,
    region,
    sku: known?.sku ?? 'unknown',
    usageType,
    unit: 'unit',
    quantity: exactToUnits(line.quantity, known?.unitsPer ?? 1n),
    costMicro,
    reason,
    category,
    isCorrection: line.chargeClass === 'Correction',
    method: weights.size === 0 ? 'platform' : 'by-cost',
    shares: sharesOf(costMicro, weights),
  };
  const alarm = {
    kind: 'UNKNOWN_USAGE' as const,
    awsAccount,
    region,
    usageType,
    oursMicro: 0n,
    billedMicro: costMicro,
  };
  return { deltas: costMicro === 0n ? [] : [delta], alarms: reason === 'UNKNOWN_USAGE' ? [alarm] : [] };
}

const REASON_OF = {
  Credit: 'CREDIT',
  Tax: 'TAX',
  Adjustment: 'ADJUSTMENT',
  Usage: 'ADJUSTMENT',
  Purchase: 'ADJUSTMENT',
} as const;

/** The lines that a charge applies to: as narrow as it names them, else those of its account, else all. */
function scopeOf(
  charge: { awsAccount: string; region: string; sku: string | undefined },
  all: readonly ReckonedLine[],
): readonly ReckonedLine[] {
  const paid = all.filter((line) => line.costMicro > 0n);
  const ofAccount = paid.filter((line) => line.awsAccount === charge.awsAccount);
  const ofRegion = ofAccount.filter((line) => line.region === charge.region);
  const ofSku = ofRegion.filter((line) => line.sku === charge.sku);
  return [ofSku, ofRegion, ofAccount].find((lines) => lines.length > 0) ?? paid;
}

function byCost(lines: readonly ReckonedLine[]): Map<Bearer, bigint> {
  const weights = new Map<Bearer, bigint>();
  for (const { shares } of lines) {
    for (const { bearer, amountMicro } of shares) {
      if (amountMicro > 0n) weights.set(bearer, (weights.get(bearer) ?? 0n) + amountMicro);
    }
  }
  return weights;
}

/** By the weights; what has none is the platform's: nobody's use caused it. */
function sharesOf(amount: bigint, weights: ReadonlyMap<Bearer, bigint>): Share[] {
  const nobody = [...weights.values()].every((weight) => weight === 0n);
  const used: ReadonlyMap<Bearer, bigint> = nobody ? new Map([[PLATFORM, 1n]]) : weights;
  return [...allocate(amount, used)]
    .filter(([, amountMicro]) => amountMicro !== 0n)
    .map(([bearer, amountMicro]) => ({ bearer, weight: used.get(bearer) ?? 0n, amountMicro }))
    .sort((a, b) => ascending(a.bearer, b.bearer));
}

function nameOf(line: BilledLine): string {
  return [line.payer, line.awsAccount, line.region, line.usageType, line.lineType, line.chargeClass ?? ''].join('|');
}

function total(amounts: readonly bigint[]): bigint {
  let sum = 0n;
  for (const amount of amounts) sum += amount;
  return sum;
}
