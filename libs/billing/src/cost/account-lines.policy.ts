import { divideHalfEven, type LaneId, type TenantId } from '@libs/kernel';
import { parsePeriod, type Period, type Span } from '../billing-period.policy';
import { SKUS, type PricingPlan, type RateCards, type Sku, type StoredRate } from '../rates/rate-card.policy';
import { tieredPrice } from '../rates/tiered-price.policy';
import { COUNTED, type CountedSku, type UsageRow } from '../usage/usage';
import { PARTS, type PoolUse } from '../usage/pool-use.policy';
import { ascending, IDLE, PLATFORM, type Bearer } from './allocation.policy';
import type { BilledAccount, FleetFacts } from './fleet-facts';
import { citing, dividedBy, total, type FleetLine, type Method } from './fleet-line';
import { planAt, stretchesOf, type Stretch } from './stretch.policy';

/** What is metered: priced by what was counted, month by month, each tier once. */
interface Meter {
  readonly counted: CountedSku;
  readonly sku: Sku;
  readonly unit: FleetLine['unit'];
  readonly method: Method;
}

const RECIPIENTS: Meter = {
  counted: COUNTED.recipient,
  sku: SKUS.recipient,
  unit: 'recipient',
  method: 'by-recipients',
};
const METERS: readonly Meter[] = [
  RECIPIENTS,
  { counted: COUNTED.attachment, sku: SKUS.attachmentGb, unit: 'byte', method: 'by-bytes' },
  // SES publishes each event to our topic, and SNS delivers it to us: both are charged (aws-facts 6.3).
  { counted: COUNTED.delivery, sku: SKUS.snsPublish, unit: 'publish', method: 'by-deliveries' },
  { counted: COUNTED.delivery, sku: SKUS.snsDelivery, unit: 'delivery', method: 'by-deliveries' },
];
const VDM: Meter = { ...RECIPIENTS, sku: SKUS.vdmRecipient };
const MANAGED_IPS: Meter = { ...RECIPIENTS, sku: SKUS.managedIpRecipient };

export function meteredLines(
  account: BilledAccount,
  own: readonly UsageRow[],
  facts: FleetFacts,
  rates: RateCards,
): FleetLine[] {
  const meters = [...METERS, ...(account.vdm ? [VDM] : []), ...(account.managedIps ? [MANAGED_IPS] : [])];
  return meters.flatMap((meter) => {
    const rows = own.filter((row) => row.sku === meter.counted);
    const current = rows.filter((row) => row.span.from >= facts.period.start);
    const late = rows.filter((row) => row.span.from < facts.period.start);
    return [...lateLines(account, meter, late, rates), ...monthLines(account, meter, current, facts.period, rates)];
  });
}

function monthLines(
  account: BilledAccount,
  meter: Meter,
  rows: readonly UsageRow[],
  period: Period,
  rates: RateCards,
): FleetLine[] {
  const lines: FleetLine[] = [];
  let before = 0n;
  for (const stretch of stretchesOf(account, meter.sku, rows, period, rates)) {
    const weights = weightsOf(stretch.rows);
    const quantity = total(weights.values());
    if (quantity === 0n) continue;
    const price = tieredPrice(before, quantity, stretch.tiers);
    before += quantity;
    lines.push(lineOf(account, meter, stretch, quantity, price.costMicro, price.cited, weights));
  }
  return lines;
}

/**
 * What came to light of a month that is final. It is priced by its own day, at the first tier, and moves nobody's tiers;
 * more and less are lines of their own, each divided among those it is about.
 */
function lateLines(account: BilledAccount, meter: Meter, rows: readonly UsageRow[], rates: RateCards): FleetLine[] {
  const days = [...new Set(rows.map((row) => row.span.from.toISOString()))].sort(ascending);
  return days.flatMap((day) =>
    [1n, -1n].flatMap((sign) => {
      const some = rows.filter((row) => row.span.from.toISOString() === day && row.quantity * sign > 0n);
      const [first] = some;
      if (!first) return [];
      const plan = planAt(account.plans, first.span.from);
      const [rate] = rates.tiers(plan, meter.sku, first.span.from);
      const weights = weightsOf(some.map((row) => ({ ...row, quantity: row.quantity * sign })));
      const quantity = sign * total(weights.values());
      const costMicro = divideHalfEven(quantity * rate.amountMicro, rate.perUnits);
      return [lineOf(account, meter, { plan, span: first.span }, quantity, costMicro, [rate], weights)];
    }),
  );
}

function lineOf(
  account: BilledAccount,
  { sku, unit, method }: Meter,
  { plan, span }: { readonly plan: PricingPlan; readonly span: Span },
  quantity: bigint,
  costMicro: bigint,
  cited: readonly StoredRate[],
  weights: ReadonlyMap<Bearer, bigint>,
): FleetLine {
  const { sendingAccountId } = account;
  const line = { sendingAccountId, laneId: null, pricingPlan: plan, sku, span, quantity, unit, costMicro };
  return dividedBy(method, weights, { ...line, ...citing(cited) });
}

/** $24.95 is a month's price; an hour costs that over the hours of its month, so a whole month is exactly $24.95. */
export function ipLines(
  account: BilledAccount,
  own: readonly UsageRow[],
  facts: FleetFacts,
  rates: RateCards,
): FleetLine[] {
  const rows = own.filter((row) => row.sku === COUNTED.dedicatedIp);
  const late = rows.filter((row) => row.span.from < facts.period.start);
  const current = rows.filter((row) => row.span.from >= facts.period.start);
  const lines = groupedBy(current, (row) => `${row.laneId ?? ''}|${row.tenantId ?? ''}`)
    .flatMap((pool) => stretchesOf(account, SKUS.dedicatedIp, pool, facts.period, rates))
    .map((stretch) => ipLine(account, stretch, facts.period, facts.pools));
  return [...lateIpLines(account, late, rates), ...lines].filter((line) => line.quantity !== 0n);
}

/** Time of a final month that came to light: the pool's owner bears it, or it is idle. */
function lateIpLines(account: BilledAccount, rows: readonly UsageRow[], rates: RateCards): FleetLine[] {
  const days = groupedBy(rows, (row) => `${row.span.from.toISOString()}|${row.laneId ?? ''}|${row.tenantId ?? ''}`);
  return days.flatMap((some) => {
    const [first] = some;
    if (!first) return [];
    const plan = planAt(account.plans, first.span.from);
    const tiers = rates.tiers(plan, SKUS.dedicatedIp, first.span.from);
    const month = parsePeriod(first.span.from.toISOString().slice(0, 7));
    return [ipLine(account, { rows: some, span: first.span, plan, tiers }, month, [])];
  });
}

/** The rows that go by the same name, in the order of names. */
function groupedBy(rows: readonly UsageRow[], name: (row: UsageRow) => string): UsageRow[][] {
  const groups = new Map<string, UsageRow[]>();
  for (const row of rows) {
    const group = groups.get(name(row));
    if (group) group.push(row);
    else groups.set(name(row), [row]);
  }
  return [...groups].sort(([a], [b]) => ascending(a, b)).map(([, group]) => group);
}

function ipLine(
  account: BilledAccount,
  { rows, span, plan, tiers }: Stretch,
  month: Period,
  pools: readonly PoolUse[],
): FleetLine {
  const laneId = rows[0]?.laneId ?? null;
  const owner = rows[0]?.tenantId ?? null;
  const quantity = total(rows.map((row) => row.quantity));
  const monthMs = BigInt(month.end.getTime()) - BigInt(month.start.getTime());
  const [rate] = tiers;
  const there = pools.filter((pool) => pool.laneId === laneId && pool.span.from < span.to && pool.span.to > span.from);
  return dividedBy(...bearersOfPool(laneId, owner, quantity, there), {
    sendingAccountId: account.sendingAccountId,
    laneId,
    pricingPlan: plan,
    sku: SKUS.dedicatedIp,
    span,
    quantity,
    unit: 'ip-millisecond',
    costMicro: divideHalfEven(quantity * rate.amountMicro, rate.perUnits * monthMs),
    ...citing([rate]),
  });
}

function bearersOfPool(
  laneId: LaneId | null,
  owner: TenantId | null,
  leasedMs: bigint,
  pools: readonly PoolUse[],
): [Method, Map<Bearer, bigint>] {
  if (owner !== null) return ['pool-owner', new Map([[owner, 1n]])];
  if (laneId === null || leasedMs < 0n) return ['idle', new Map([[IDLE, 1n]])];
  const weights = new Map<Bearer, bigint>();
  for (const { used } of pools) {
    for (const [bearer, time] of used) weights.set(bearer, (weights.get(bearer) ?? 0n) + time);
  }
  const idle = leasedMs * PARTS - total(weights.values());
  if (idle > 0n) weights.set(IDLE, idle);
  return ['by-pool-hours', weights];
}

/** What is paid whole for every month in which the account exists: the plan's fee, and that of managed IPs. */
export function feeLines(
  account: BilledAccount,
  own: readonly UsageRow[],
  facts: FleetFacts,
  rates: RateCards,
): FleetLine[] {
  const { start, end } = facts.period;
  if (account.createdAt >= end || facts.now <= start) return [];
  const last = new Date((facts.now < end ? facts.now : end).getTime() - 1);
  const plan = planAt(account.plans, last);
  const [method, weights] = bearersOfFees(own, facts);
  const skus = [SKUS.baseFee, ...(account.managedIps ? [SKUS.managedIpBase] : [])];
  return skus.flatMap((sku) => {
    const rate = rates.find(plan, sku, last)?.[0];
    if (!rate || rate.amountMicro === 0n) return [];
    const costMicro = divideHalfEven(rate.amountMicro, rate.perUnits);
    const span = { from: start, to: end };
    const fee = { counted: COUNTED.recipient, sku, unit: 'month', method } as const;
    return [lineOf(account, fee, { plan, span }, 1n, costMicro, [rate], weights)];
  });
}

function bearersOfFees(own: readonly UsageRow[], facts: FleetFacts): [Method, Map<Bearer, bigint>] {
  const volume = volumeOf(own, facts.period);
  if (facts.policy.fees === 'PLATFORM') return ['platform', new Map([[PLATFORM, 1n]])];
  if (facts.policy.fees === 'BY_VOLUME') return ['by-recipients', volume];
  const tenants = [...volume].filter(([bearer, recipients]) => bearer !== PLATFORM && recipients > 0n);
  return ['even', new Map(tenants.map(([bearer]) => [bearer, 1n]))];
}

/** Recipients of an account in the month, by who bears them. */
export function volumeOf(own: readonly UsageRow[], period: Period): Map<Bearer, bigint> {
  return weightsOf(own.filter((row) => row.sku === COUNTED.recipient && row.span.from >= period.start));
}

function weightsOf(rows: readonly UsageRow[]): Map<Bearer, bigint> {
  const weights = new Map<Bearer, bigint>();
  for (const { tenantId, quantity } of rows) {
    const bearer = tenantId ?? PLATFORM;
    weights.set(bearer, (weights.get(bearer) ?? 0n) + quantity);
  }
  return weights;
}
