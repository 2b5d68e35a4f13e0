import type { SendingAccountId, TenantId } from '@libs/kernel';
import { allocate, ascending, IDLE, PLATFORM } from '../cost/allocation.policy';
import { SKUS } from '../rates/rate-card.policy';
import type { CostShare } from './cost-share';
import { topicOfCost, topicOfPrice, TOPICS, type Topic } from './topic.policy';

export const MARGIN_VIEWS = ['TENANT', 'TIER', 'ACCOUNT'] as const;
export type MarginView = (typeof MARGIN_VIEWS)[number];

/** A charge to a tenant. */
export interface PriceShare {
  readonly tenantId: TenantId;
  readonly sku: string;
  readonly amountMicro: bigint;
  readonly method: string;
  readonly planPriceIds: readonly string[];
}

/** A part of a row: what is charged and what is paid for one thing, and by which prices. */
export interface MarginLine {
  readonly topic: Topic;
  readonly priceMicro: bigint;
  readonly costMicro: bigint;
  readonly skus: readonly string[];
  /** Rates that its cost was reckoned with; none where AWS's bill alone says it. */
  readonly rateIds: readonly string[];
  readonly planPriceIds: readonly string[];
  readonly methods: readonly string[];
}

export interface MarginRow {
  /** IDLE: what nobody used. PLATFORM: what we caused. NONE: what belongs to no account, or to no tier. */
  readonly kind: MarginView | 'IDLE' | 'PLATFORM' | 'NONE';
  /** A tenant, a tier or a sending account; null for the other kinds. */
  readonly key: string | null;
  readonly priceMicro: bigint;
  readonly costMicro: bigint;
  readonly lines: readonly MarginLine[];
}

/** Price less cost, by row and line. Lines add up to their row and rows to the whole, exactly. */
export interface Margin {
  readonly priceMicro: bigint;
  readonly costMicro: bigint;
  readonly rows: readonly MarginRow[];
}

type RowName = Pick<MarginRow, 'kind' | 'key'>;

/**
 * By tenant, by the tenants' tier, or by sending account. A tenant's charges are split among the accounts by what it sent
 * through each, those for its dedicated IPs by the time of its IPs in each.
 * @param tiers the tier of each tenant's plan
 */
export function margin(
  view: MarginView,
  costs: readonly CostShare[],
  prices: readonly PriceShare[],
  tiers: ReadonlyMap<TenantId, string>,
): Margin {
  const table = new Table();
  for (const share of costs) {
    table.line(rowOfCost(view, share, tiers), topicOfCost(share.sku, share.category)).pay(share);
  }
  const spread = view === 'ACCOUNT' ? spreadOf(costs) : undefined;
  for (const price of prices) {
    const topic = topicOfPrice(price.sku);
    if (!spread) {
      table.line(rowOfTenant(view, price.tenantId, tiers), topic).charge(price, price.amountMicro);
      continue;
    }
    for (const [account, part] of allocate<string>(price.amountMicro, spread.weights(price.tenantId, topic))) {
      table.line(nameOf('ACCOUNT', account === IDLE ? null : account), topic).charge(price, part);
    }
  }
  return table.finish();
}

function rowOfCost(view: MarginView, share: CostShare, tiers: ReadonlyMap<TenantId, string>): RowName {
  if (view === 'ACCOUNT') return nameOf(view, share.sendingAccountId);
  if (share.bearer === IDLE) return { kind: 'IDLE', key: null };
  if (share.bearer === PLATFORM) return { kind: 'PLATFORM', key: null };
  return rowOfTenant(view, share.bearer, tiers);
}

function rowOfTenant(view: MarginView, tenant: TenantId, tiers: ReadonlyMap<TenantId, string>): RowName {
  return view === 'TIER' ? nameOf(view, tiers.get(tenant) ?? null) : nameOf(view, tenant);
}

function nameOf(view: MarginView, key: string | null): RowName {
  return { kind: key === null ? 'NONE' : view, key };
}

/** How much of each tenant is on each account. */
function spreadOf(costs: readonly CostShare[]) {
  const sent = new Map<string, Map<SendingAccountId, bigint>>();
  const leased = new Map<string, Map<SendingAccountId, bigint>>();
  for (const { bearer, sendingAccountId, sku, source, quantity } of costs) {
    if (source !== 'PROVISIONAL' || sendingAccountId === null) continue;
    const sums = sku === SKUS.recipient ? sent : sku === SKUS.dedicatedIp ? leased : undefined;
    if (!sums) continue;
    const own = sums.get(bearer) ?? new Map<SendingAccountId, bigint>();
    sums.set(bearer, own.set(sendingAccountId, (own.get(sendingAccountId) ?? 0n) + quantity));
  }
  const none: ReadonlyMap<SendingAccountId, bigint> = new Map();
  return {
    weights: (tenant: TenantId, topic: Topic): ReadonlyMap<SendingAccountId, bigint> => {
      const own = topic === 'DEDICATED_IPS' ? (leased.get(tenant) ?? sent.get(tenant)) : sent.get(tenant);
      return new Map([...(own ?? none)].filter(([, quantity]) => quantity > 0n));
    },
  };
}

class Line {
  priceMicro = 0n;
  costMicro = 0n;
  private readonly skus = new Set<string>();
  private readonly rateIds = new Set<string>();
  private readonly planPriceIds = new Set<string>();
  private readonly methods = new Set<string>();

  pay(share: CostShare): void {
    this.costMicro += share.costMicro;
    this.skus.add(share.sku);
    this.methods.add(share.method);
    for (const id of share.rateIds) this.rateIds.add(id);
  }

  charge(price: PriceShare, amountMicro: bigint): void {
    this.priceMicro += amountMicro;
    this.skus.add(price.sku);
    this.methods.add(price.method);
    for (const id of price.planPriceIds) this.planPriceIds.add(id);
  }

  finish(topic: Topic): MarginLine {
    const { priceMicro, costMicro } = this;
    return {
      topic,
      priceMicro,
      costMicro,
      skus: [...this.skus].sort(ascending),
      rateIds: [...this.rateIds].sort(byNumber),
      planPriceIds: [...this.planPriceIds].sort(byNumber),
      methods: [...this.methods].sort(ascending),
    };
  }
}

class Table {
  private readonly rows = new Map<string, { readonly name: RowName; readonly lines: Map<Topic, Line> }>();

  line(name: RowName, topic: Topic): Line {
    const place = `${name.kind}|${name.key ?? ''}`;
    const row = this.rows.get(place) ?? { name, lines: new Map<Topic, Line>() };
    this.rows.set(place, row);
    const line = row.lines.get(topic) ?? new Line();
    row.lines.set(topic, line);
    return line;
  }

  finish(): Margin {
    const rows = [...this.rows]
      .sort(([a], [b]) => ascending(a, b))
      .map(([, { name, lines }]) => {
        const found = TOPICS.flatMap((topic) => lines.get(topic)?.finish(topic) ?? []);
        return { ...name, ...sumOf(found), lines: found };
      });
    return { ...sumOf(rows), rows };
  }
}

function sumOf(parts: readonly { readonly priceMicro: bigint; readonly costMicro: bigint }[]) {
  let [priceMicro, costMicro] = [0n, 0n];
  for (const part of parts) {
    priceMicro += part.priceMicro;
    costMicro += part.costMicro;
  }
  return { priceMicro, costMicro };
}

function byNumber(a: string, b: string) {
  return BigInt(a) < BigInt(b) ? -1 : 1;
}
