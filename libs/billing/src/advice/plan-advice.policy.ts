import type { SendingAccountId } from '@libs/kernel';
import { fleetLines } from '../cost/fleet-costs.policy';
import type { FleetFacts } from '../cost/fleet-facts';
import { planAt } from '../cost/stretch.policy';
import { PRICING_PLANS, RateCards, SKUS, type PricingPlan, type Sku, type StoredRate } from '../rates/rate-card.policy';
import { tieredPrice } from '../rates/tiered-price.policy';
import { COUNTED, type UsageRow } from '../usage/usage';

/** What a plan contains that costs extra a la carte, at its price there for the account's volume. */
export interface Contained {
  readonly sku: Sku;
  readonly worthMicro: bigint;
}

/** What an account's month would cost on a plan, everything it uses kept as it is. */
export interface PlanOption {
  readonly plan: PricingPlan;
  readonly costMicro: bigint;
  readonly contains: readonly Contained[];
  /** The same without its own dedicated IPs, where the plan contains ones that SES manages; null elsewhere. */
  readonly onManagedIpsMicro: bigint | null;
}

export interface AccountAdvice {
  readonly sendingAccountId: SendingAccountId;
  readonly recipients: bigint;
  /** Milliseconds of leased standard IPs. */
  readonly ipMs: bigint;
  readonly current: PricingPlan;
  readonly best: PricingPlan;
  /** What the best plan saves against the current one; 0 when it is the best. */
  readonly savingMicro: bigint;
  readonly options: readonly PlanOption[];
}

/** What the comparison takes for granted; told with every answer. */
export const PLAN_ADVICE_ASSUMES = [
  'Prices in force now, for the usage of the period; of the running month, for what was used so far, with whole fees.',
  'Standard dedicated IPs cost extra on every plan: the IPs that Pro and Enterprise name are monitored, not leased.',
  'A la carte is reckoned without the Virtual Deliverability Manager; what a plan contains has a worth only where it is used.',
  'Nothing but cost is compared. A higher plan holds at once, a lower one from the next cycle on.',
] as const;

const BUNDLED: readonly Sku[] = [SKUS.vdmRecipient, SKUS.managedIpBase, SKUS.managedIpRecipient];
const EVER = new Date('2000-01-01T00:00:00.000Z');

/** Which pricing plan each account should be on. @param rates every rate; those in force `at` count */
export function planAdvice(facts: FleetFacts, rates: readonly StoredRate[], at: Date): AccountAdvice[] {
  const cards = new RateCards(heldForEver(rates, at));
  const usage = facts.usage.filter((row) => row.span.from >= facts.period.start).map(asNobodys);
  const costs = new Map(PRICING_PLANS.map((plan) => [plan, costsOn(plan, { ...facts, usage, pools: [] }, cards)]));
  return facts.accounts
    .filter((account) => account.createdAt < facts.period.end)
    .map((account) => {
      const { sendingAccountId } = account;
      const own = usage.filter((row) => row.sendingAccountId === sendingAccountId);
      const recipients = quantityOf(own, COUNTED.recipient);
      const options = PRICING_PLANS.map((plan) => {
        const { all = 0n, ips = 0n } = costs.get(plan)?.get(sendingAccountId) ?? {};
        const contains = containedIn(plan, recipients, cards, at);
        const managed = contains.some(({ sku }) => sku === SKUS.managedIpBase);
        return { plan, costMicro: all, contains, onManagedIpsMicro: managed ? all - ips : null };
      });
      const current = planAt(account.plans, new Date(facts.period.end.getTime() - 1));
      return {
        sendingAccountId,
        recipients,
        ipMs: quantityOf(own, COUNTED.dedicatedIp),
        current,
        ...bestOf(options, current),
        options,
      };
    });
}

/** The cheapest; the current one where none is cheaper. */
function bestOf(options: readonly PlanOption[], current: PricingPlan): { best: PricingPlan; savingMicro: bigint } {
  const now = options.find((option) => option.plan === current);
  if (!now) return { best: current, savingMicro: 0n };
  const best = options.reduce((found, option) => (option.costMicro < found.costMicro ? option : found), now);
  return { best: best.plan, savingMicro: now.costMicro - best.costMicro };
}

function containedIn(plan: PricingPlan, recipients: bigint, cards: RateCards, at: Date): Contained[] {
  return BUNDLED.flatMap((sku) => {
    const [own] = cards.find(plan, sku, at) ?? [];
    const [first, ...more] = cards.find('NONE', sku, at) ?? [];
    if (!own || !first || own.amountMicro !== 0n || first.amountMicro === 0n) return [];
    const quantity = sku === SKUS.managedIpBase ? 1n : recipients;
    return [{ sku, worthMicro: tieredPrice(0n, quantity, [first, ...more]).costMicro }];
  });
}

/** The same reckoning that the ledger makes, with every account on that plan. */
function costsOn(plan: PricingPlan, facts: FleetFacts, cards: RateCards) {
  const accounts = facts.accounts.map((account) => ({
    ...account,
    plans: [{ pricingPlan: plan, validFrom: account.createdAt }],
  }));
  const sums = new Map<SendingAccountId, { all: bigint; ips: bigint }>();
  for (const line of fleetLines({ ...facts, accounts }, cards)) {
    const { all, ips } = sums.get(line.sendingAccountId) ?? { all: 0n, ips: 0n };
    const ip = line.sku === SKUS.dedicatedIp ? line.costMicro : 0n;
    sums.set(line.sendingAccountId, { all: all + line.costMicro, ips: ips + ip });
  }
  return sums;
}

/** Those in force at a moment, as if they always were: their ids stay, so that they can be cited. */
function heldForEver(rates: readonly StoredRate[], at: Date): StoredRate[] {
  return rates
    .filter((rate) => rate.validFrom <= at && (rate.validTo === null || rate.validTo > at))
    .map((rate) => ({ ...rate, validFrom: EVER, validTo: null }));
}

/** Who used it makes no difference to what it costs; one name makes the reckoning short. */
function asNobodys(row: UsageRow): UsageRow {
  return row.sku === COUNTED.dedicatedIp ? row : { ...row, tenantId: null };
}

function quantityOf(rows: readonly UsageRow[], sku: UsageRow['sku']): bigint {
  return rows.filter((row) => row.sku === sku).reduce((sum, row) => sum + row.quantity, 0n);
}
