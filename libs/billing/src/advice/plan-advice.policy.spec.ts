import type { LaneId, SendingAccountId, TenantId } from '@libs/kernel';
import fc from 'fast-check';
import rateCardFile from '../../data/rate-card.json';
import { parsePeriod } from '../billing-period.policy';
import { DEFAULT_POLICY } from '../cost/cost-policy';
import { fleetCosts } from '../cost/fleet-costs.policy';
import type { FleetFacts } from '../cost/fleet-facts';
import { parseRateCardFile } from '../rates/rate-card-file.policy';
import { PRICING_PLANS, RateCards, type PricingPlan } from '../rates/rate-card.policy';
import { COUNTED, type UsageRow } from '../usage/usage';
import { planAdvice } from './plan-advice.policy';

const rates = parseRateCardFile(rateCardFile).map((rate, index) => ({ ...rate, id: BigInt(index + 1) }));
const period = parsePeriod('2026-10');
const now = new Date('2026-11-22T00:00:00Z');
const account = 'account' as unknown as SendingAccountId;
const tenant = 'tenant' as unknown as TenantId;
const day = { from: period.start, to: new Date('2026-10-02T00:00:00Z') };
const MONTH_MS = BigInt(period.end.getTime()) - BigInt(period.start.getTime());

const used = (sku: UsageRow['sku'], quantity: bigint): UsageRow => ({
  span: day,
  tenantId: tenant,
  sendingAccountId: account,
  laneId: sku === COUNTED.dedicatedIp ? ('lane' as unknown as LaneId) : null,
  sku,
  quantity,
});
const facts = (plan: PricingPlan, usage: readonly UsageRow[]): FleetFacts => ({
  period,
  now,
  accounts: [
    {
      sendingAccountId: account,
      createdAt: new Date('2026-01-01T00:00:00Z'),
      plans: [{ pricingPlan: plan, validFrom: new Date('2026-01-01T00:00:00Z') }],
      vdm: false,
      managedIps: false,
    },
  ],
  usage,
  pools: [],
  policy: DEFAULT_POLICY,
});
const advised = (plan: PricingPlan, usage: readonly UsageRow[]) => planAdvice(facts(plan, usage), rates, now)[0]!;
const costs = (plan: PricingPlan, usage: readonly UsageRow[]) =>
  advised(plan, usage).options.map((option) => option.costMicro);

describe('plan advice', () => {
  it('reckons 1.5 million a month on every plan as the price lists do', () => {
    const usage = [used(COUNTED.recipient, 1_500_000n)];
    expect(costs('NONE', usage)).toEqual([150_000_000n, 240_000_000n, 435_000_000n, 845_000_000n]);
    const advice = advised('PRO', usage);
    expect(advice).toMatchObject({ current: 'PRO', best: 'NONE', savingMicro: 285_000_000n, recipients: 1_500_000n });
  });

  it('keeps the plan an account is on when no other is cheaper', () => {
    expect(advised('ESSENTIALS', [])).toMatchObject({ best: 'ESSENTIALS', savingMicro: 0n });
    expect(advised('NONE', [])).toMatchObject({ best: 'NONE', savingMicro: 0n });
  });

  it('says what a plan contains and what that is worth, and what own IPs cost beside managed ones', () => {
    const usage = [used(COUNTED.recipient, 1_000_000n), used(COUNTED.dedicatedIp, 2n * MONTH_MS)];
    const [none, essentials, pro] = advised('NONE', usage).options;
    expect(none).toEqual({ plan: 'NONE', costMicro: 149_900_000n, contains: [], onManagedIpsMicro: null });
    expect(essentials?.contains).toEqual([{ sku: 'ses.vdm_recipient', worthMicro: 70_000_000n }]);
    expect(essentials?.onManagedIpsMicro).toBeNull();
    expect(pro?.contains.map(({ worthMicro }) => worthMicro)).toEqual([70_000_000n, 15_000_000n, 80_000_000n]);
    expect(pro?.costMicro).toBe(105_000_000n + 220_000_000n + 49_900_000n);
    expect(pro?.onManagedIpsMicro).toBe(325_000_000n);
  });

  it('never advises what costs more, and reckons the plan in force as the ledger does', () => {
    const amount = fc.bigInt({ min: 0n, max: 300_000_000n });
    fc.assert(
      fc.property(fc.constantFrom(...PRICING_PLANS), amount, amount, amount, (plan, recipients, bytes, events) => {
        const usage = [
          used(COUNTED.recipient, recipients),
          used(COUNTED.attachment, bytes),
          used(COUNTED.delivery, events),
          used(COUNTED.dedicatedIp, recipients),
        ];
        const { options, current, best, savingMicro } = advised(plan, usage);
        const costOf = (name: PricingPlan) => options.find((option) => option.plan === name)!.costMicro;
        expect(current).toBe(plan);
        expect(options.every((option) => costOf(best) <= option.costMicro)).toBe(true);
        expect(savingMicro).toBe(costOf(plan) - costOf(best));
        expect(costOf(plan)).toBe(fleetCosts(facts(plan, usage), new RateCards(rates)).fleetMicro);
      }),
    );
  });

  it('leaves out what came to light of earlier months, and accounts that came later', () => {
    const late = { ...used(COUNTED.recipient, 5n), span: { from: new Date('2026-09-01T00:00:00Z'), to: period.start } };
    expect(costs('NONE', [late])[0]).toBe(0n);
    const young = facts('NONE', []);
    const born = { ...young, accounts: young.accounts.map((one) => ({ ...one, createdAt: period.end })) };
    expect(planAdvice(born, rates, now)).toEqual([]);
  });
});
