import { divideHalfEven, type LaneId, type SendingAccountId, type TenantId } from '@libs/kernel';
import { allocate, ascending, IDLE, PLATFORM, type Bearer } from './allocation.policy';
import { cutAt, sharedMs, type Period, type Span } from '../billing-period.policy';
import { sharedPoolWeights, type HourOfUse } from './pool-weights.policy';
import { SKUS, type PricingPlan, type RateCards, type Sku, type StoredRate } from '../rates/rate-card.policy';
import { tieredPrice } from '../rates/tiered-price.policy';

export interface BilledAccount {
  readonly sendingAccountId: SendingAccountId;
  readonly pricingPlan: PricingPlan;
  readonly createdAt: Date;
}

/** Recipients that SES accepted from one tenant through one sending account, in a part of the period. */
export interface Usage {
  readonly sendingAccountId: SendingAccountId;
  readonly tenantId: TenantId;
  readonly span: Span;
  /** By the first accepted attempt of each message: what the tenant bears. */
  readonly recipients: bigint;
  /** By further accepted attempts of the same messages: what the platform bears. */
  readonly extraRecipients: bigint;
}

/** One dedicated IP while it was leased, within the period. */
export interface IpLease extends Span {
  readonly sendingAccountId: SendingAccountId;
  /** The pool it is in; null = in none. */
  readonly laneId: LaneId | null;
  /** The tenant whose own pool it is; null = a shared pool. */
  readonly ownerTenantId: TenantId | null;
}

export interface FleetFacts {
  readonly period: Period;
  /** Nothing later than this has happened yet. */
  readonly now: Date;
  readonly accounts: readonly BilledAccount[];
  readonly usage: readonly Usage[];
  readonly leases: readonly IpLease[];
  readonly poolUse: readonly (HourOfUse & { readonly laneId: LaneId })[];
}

interface Allocation {
  readonly bearer: Bearer;
  readonly weight: bigint;
  readonly quantity: bigint;
  readonly costMicro: bigint;
}

/** One line of what AWS charges, and who bears it. */
interface FleetLine {
  readonly sendingAccountId: SendingAccountId;
  /** The pool, for dedicated IPs in one. */
  readonly laneId: LaneId | null;
  readonly sku: Sku;
  readonly span: Span;
  readonly quantity: bigint;
  readonly unit: 'recipient' | 'ip-millisecond' | 'month';
  readonly costMicro: bigint;
  /** The stored rates it was priced with, and where their figures come from. */
  readonly rateIds: readonly bigint[];
  readonly source: string;
  readonly method: 'by-recipients' | 'by-pool-hours' | 'pool-owner' | 'idle';
  readonly allocations: readonly Allocation[];
}

export interface TenantCostLine extends Omit<FleetLine, 'allocations'> {
  readonly allocatedOf: { readonly quantity: bigint; readonly costMicro: bigint };
}

interface TenantCost {
  readonly tenantId: TenantId;
  readonly costMicro: bigint;
  readonly recipients: bigint;
  /** Its part of each fleet line; `allocatedOf` is the whole. */
  readonly lines: readonly TenantCostLine[];
}

/** A period's cost. Tenants, idle and platform add up to the fleet, exactly. */
export interface FleetCosts {
  readonly period: string;
  readonly fleetMicro: bigint;
  readonly idleMicro: bigint;
  readonly platformMicro: bigint;
  readonly tenants: readonly TenantCost[];
  readonly lines: readonly FleetLine[];
}

type Priced = Omit<FleetLine, 'allocations'>;

/** What the fleet cost in a period and who bears it: a function of facts and prices, whatever order they come in. */
export function fleetCosts(facts: FleetFacts, rates: RateCards): FleetCosts {
  const accounts = [...facts.accounts].sort((a, b) => ascending(a.sendingAccountId, b.sendingAccountId));
  const lines = accounts.flatMap((account) => [
    ...recipientLines(account, facts, rates),
    ...ipLines(account, facts, rates),
    ...baseFeeLines(account, facts, rates),
  ]);
  const borne = (bearer: Bearer) =>
    total(lines.flatMap((line) => line.allocations.filter((one) => one.bearer === bearer)).map((one) => one.costMicro));
  return {
    period: facts.period.name,
    fleetMicro: total(lines.map((line) => line.costMicro)),
    idleMicro: borne(IDLE),
    platformMicro: borne(PLATFORM),
    tenants: tenantCosts(lines),
    lines,
  };
}

function recipientLines(account: BilledAccount, facts: FleetFacts, rates: RateCards): FleetLine[] {
  const own = facts.usage.filter((usage) => usage.sendingAccountId === account.sendingAccountId);
  const spans = new Map(own.map((usage) => [usage.span.from.toISOString(), usage.span]));
  const lines: FleetLine[] = [];
  let before = 0n;
  for (const [name, span] of [...spans].sort(([a], [b]) => ascending(a, b))) {
    const weights = weightsOf(own.filter((usage) => usage.span.from.toISOString() === name));
    const quantity = total(weights.values());
    if (quantity === 0n) continue;
    const price = tieredPrice(before, quantity, rates.tiers(account.pricingPlan, SKUS.recipient, span.from));
    before += quantity;
    lines.push(
      shared(
        {
          sendingAccountId: account.sendingAccountId,
          laneId: null,
          sku: SKUS.recipient,
          span,
          quantity,
          unit: 'recipient',
          costMicro: price.costMicro,
          ...citing(price.cited),
          method: 'by-recipients',
        },
        weights,
      ),
    );
  }
  return lines;
}

/** $24.95 is a month's price; an hour costs that over the hours of its month, so a whole month is exactly $24.95. */
function ipLines(account: BilledAccount, facts: FleetFacts, rates: RateCards): FleetLine[] {
  const month = { from: facts.period.start, to: facts.period.end };
  const monthMs = sharedMs(month, month);
  const own = facts.leases.filter((lease) => lease.sendingAccountId === account.sendingAccountId);
  const pools = [...new Set(own.map((lease) => lease.laneId))].sort((a, b) => ascending(a ?? '', b ?? ''));
  const lines: FleetLine[] = [];
  for (const laneId of pools) {
    const pool = own.filter((lease) => lease.laneId === laneId);
    for (const span of cutAt(month, rates.changes(month.from, month.to))) {
      const leases = pool.map((lease) => clip(lease, span)).filter((lease) => lease.to > lease.from);
      const quantity = total(leases.map((lease) => sharedMs(lease, lease)));
      if (quantity === 0n) continue;
      const [rate] = rates.tiers(account.pricingPlan, SKUS.dedicatedIp, span.from);
      const use = facts.poolUse.filter((one) => one.laneId === laneId);
      const { method, weights } = bearersOfPool(laneId, pool[0]?.ownerTenantId ?? null, leases, quantity, use);
      lines.push(
        shared(
          {
            sendingAccountId: account.sendingAccountId,
            laneId,
            sku: SKUS.dedicatedIp,
            span,
            quantity,
            unit: 'ip-millisecond',
            costMicro: divideHalfEven(quantity * rate.amountMicro, rate.perUnits * monthMs),
            ...citing([rate]),
            method,
          },
          weights,
        ),
      );
    }
  }
  return lines;
}

function bearersOfPool(
  laneId: LaneId | null,
  owner: TenantId | null,
  leases: readonly Span[],
  leasedMs: bigint,
  use: readonly HourOfUse[],
): { method: FleetLine['method']; weights: Map<Bearer, bigint> } {
  if (laneId === null) return { method: 'idle', weights: new Map([[IDLE, leasedMs]]) };
  if (owner !== null) return { method: 'pool-owner', weights: new Map([[owner, leasedMs]]) };
  return { method: 'by-pool-hours', weights: sharedPoolWeights(leases, use) };
}

/** The fee of a pricing plan, whole for every month in which the account exists; borne by volume, idle without any. */
function baseFeeLines(account: BilledAccount, facts: FleetFacts, rates: RateCards): FleetLine[] {
  const { start, end } = facts.period;
  if (account.createdAt >= end || facts.now <= start) return [];
  const last = new Date((facts.now < end ? facts.now : end).getTime() - 1);
  const rate = rates.find(account.pricingPlan, SKUS.baseFee, last)?.[0];
  if (!rate || rate.amountMicro === 0n) return [];
  const weights = weightsOf(facts.usage.filter((usage) => usage.sendingAccountId === account.sendingAccountId));
  return [
    shared(
      {
        sendingAccountId: account.sendingAccountId,
        laneId: null,
        sku: SKUS.baseFee,
        span: { from: start, to: end },
        quantity: 1n,
        unit: 'month',
        costMicro: divideHalfEven(rate.amountMicro, rate.perUnits),
        ...citing([rate]),
        method: 'by-recipients',
      },
      weights,
    ),
  ];
}

function weightsOf(usage: readonly Usage[]): Map<Bearer, bigint> {
  const weights = new Map<Bearer, bigint>();
  for (const { tenantId, recipients, extraRecipients } of usage) {
    weights.set(tenantId, (weights.get(tenantId) ?? 0n) + recipients);
    weights.set(PLATFORM, (weights.get(PLATFORM) ?? 0n) + extraRecipients);
  }
  return weights;
}

/** Quantity and cost are split by the same weights, so that what is allocated of either is what there was. */
function shared(line: Priced, weights: ReadonlyMap<Bearer, bigint>): FleetLine {
  const quantities = allocate(line.quantity, weights);
  const costs = allocate(line.costMicro, weights);
  const allocations = [...costs]
    .map(([bearer, costMicro]) => ({
      bearer,
      weight: weights.get(bearer) ?? 0n,
      quantity: quantities.get(bearer) ?? 0n,
      costMicro,
    }))
    .sort((a, b) => ascending(a.bearer, b.bearer));
  return { ...line, allocations };
}

function tenantCosts(lines: readonly FleetLine[]): TenantCost[] {
  const byTenant = new Map<TenantId, TenantCostLine[]>();
  for (const { allocations, ...line } of lines) {
    for (const { bearer, quantity, costMicro } of allocations) {
      if (bearer === IDLE || bearer === PLATFORM) continue;
      const own = byTenant.get(bearer) ?? [];
      own.push({ ...line, quantity, costMicro, allocatedOf: { quantity: line.quantity, costMicro: line.costMicro } });
      byTenant.set(bearer, own);
    }
  }
  return [...byTenant]
    .sort(([a], [b]) => ascending(a, b))
    .map(([tenantId, own]) => ({
      tenantId,
      costMicro: total(own.map((line) => line.costMicro)),
      recipients: total(own.filter((line) => line.unit === 'recipient').map((line) => line.quantity)),
      lines: own,
    }));
}

function citing(rates: readonly StoredRate[]): Pick<FleetLine, 'rateIds' | 'source'> {
  return { rateIds: rates.map((rate) => rate.id), source: rates.map((rate) => rate.source).join('; ') };
}

function clip(span: Span, to: Span): Span {
  return { from: span.from > to.from ? span.from : to.from, to: span.to < to.to ? span.to : to.to };
}

function total(amounts: Iterable<bigint>): bigint {
  let sum = 0n;
  for (const amount of amounts) sum += amount;
  return sum;
}
