import type { SendingAccountId, TenantId } from '@libs/kernel';
import { formatUsd, parseUsd } from '@libs/kernel';
import competitorFile from '../../libs/billing/data/competitor-prices.json';
import rateCardFile from '../../libs/billing/data/rate-card.json';
import { planAdvice } from '../../libs/billing/src/advice/plan-advice.policy';
import { parsePeriod } from '../../libs/billing/src/billing-period.policy';
import { DEFAULT_POLICY } from '../../libs/billing/src/cost/cost-policy';
import { fleetCosts } from '../../libs/billing/src/cost/fleet-costs.policy';
import type { BilledAccount, FleetFacts } from '../../libs/billing/src/cost/fleet-facts';
import { competitorPrices, parseCompetitorFile } from '../../libs/billing/src/estimate/competitor-prices.policy';
import { estimateLines, type Demand } from '../../libs/billing/src/estimate/estimate.policy';
import { parseRateCardFile } from '../../libs/billing/src/rates/rate-card-file.policy';
import { PRICING_PLANS, RateCards, type PricingPlan } from '../../libs/billing/src/rates/rate-card.policy';
import { tieredPrice } from '../../libs/billing/src/rates/tiered-price.policy';
import { COUNTED, type UsageRow } from '../../libs/billing/src/usage/usage';

/*
 * Every figure of money that the cookbook and the facts give about SES, reckoned by our own code from our own rate card.
 * What they say of others is kept as theirs, with the day it was read; what nobody says stays unknown.
 */

const rates = parseRateCardFile(rateCardFile).map((rate, index) => ({ ...rate, id: BigInt(index + 1) }));
const cards = new RateCards(rates);
const today = new Date('2026-11-22T00:00:00Z');
const DAYS = 30n;

function usd(recipientsPerMonth: bigint, plan: PricingPlan, more: Partial<Demand> = {}): bigint {
  const demand = { recipientsPerMonth, dedicatedIps: 0n, pricingPlan: plan, ...more };
  return estimateLines(demand, plan, cards, today).reduce((sum, line) => sum + line.costMicro, 0n);
}

const month = parsePeriod('2026-10');
const tenant = 'tenant' as unknown as TenantId;
const MANAGED = { managedIps: true };
const MANAGED_AND_VDM = { managedIps: true, virtualDeliverabilityManager: true };

function accounts(count: bigint, pricingPlan: PricingPlan): BilledAccount[] {
  return Array.from({ length: Number(count) }, (_, index) => ({
    sendingAccountId: `account-${index}` as unknown as SendingAccountId,
    createdAt: new Date('2026-08-01T00:00:00Z'),
    plans: [{ pricingPlan, validFrom: new Date('2026-08-01T00:00:00Z') }],
    vdm: false,
    managedIps: false,
  }));
}

/** The ledger's own reckoning of a month, not the estimate's. */
function ledger(fleet: readonly BilledAccount[], usage: readonly UsageRow[], period = month): bigint {
  const facts: FleetFacts = { period, now: today, accounts: fleet, usage, pools: [], policy: DEFAULT_POLICY };
  return fleetCosts(facts, cards).fleetMicro;
}

function used(account: BilledAccount, sku: UsageRow['sku'], quantity: bigint, period = month): UsageRow {
  const { sendingAccountId } = account;
  const span = { from: period.start, to: new Date(period.start.getTime() + 86_400_000) };
  return { span, tenantId: tenant, sendingAccountId, laneId: null, sku, quantity };
}

describe('the cookbook’s cost math', () => {
  it('50,000 a day are 1.5 million a month are $150', () => {
    expect(50_000n * DAYS).toBe(1_500_000n);
    expect(formatUsd(usd(50_000n * DAYS, 'NONE'))).toBe('150');
    const [account] = accounts(1n, 'NONE');
    const daily = Array.from({ length: 30 }, () => used(account!, COUNTED.recipient, 50_000n));
    expect(formatUsd(ledger([account!], daily))).toBe('150');
  });

  it('three dedicated IPs are $74.85, which it rounds to 75, and $224.85 with the mail, which it rounds to 225', () => {
    expect(formatUsd(usd(0n, 'NONE', { dedicatedIps: 3n }))).toBe('74.85');
    expect(formatUsd(usd(1_500_000n, 'NONE', { dedicatedIps: 3n }))).toBe('224.85');
    const toDollars = (micro: bigint) => (micro + 500_000n) / 1_000_000n;
    expect([74_850_000n, 224_850_000n].map(toDollars)).toEqual([75n, 225n]);
  });

  it.each(['2026-08', '2026-09', '2026-10'])(
    'an IP for all of %s is exactly $24.95, however long the month is',
    (name) => {
      const period = parsePeriod(name);
      const [account] = accounts(1n, 'NONE');
      const ms = BigInt(period.end.getTime() - period.start.getTime());
      const leased = used(account!, COUNTED.dedicatedIp, ms, period);
      expect(formatUsd(ledger([account!], [leased], period))).toBe('24.95');
      const halves = [
        used(account!, COUNTED.dedicatedIp, ms / 2n, period),
        used(account!, COUNTED.dedicatedIp, ms / 2n, period),
      ];
      expect(formatUsd(ledger([account!], halves, period))).toBe('24.95');
    },
  );

  it.each<[string, bigint, string]>([
    ['sandbox, 200 a day', 200n, '0.6'],
    ['new production, 50,000 a day', 50_000n, '150'],
    ['raised, 200,000 a day', 200_000n, '600'],
    ['raised, 1,000,000 a day', 1_000_000n, '3000'],
    ['several accounts, 5,000,000 a day', 5_000_000n, '15000'],
  ])('the tier table’s quota used up for a month: %s', (_, perDay, dollars) => {
    expect(formatUsd(usd(perDay * DAYS, 'NONE'))).toBe(dollars);
  });

  it('the rates of the tier table carry their daily quotas', () => {
    const DAY_SECONDS = 86_400n;
    for (const [perSecond, perDay] of [
      [1n, 200n],
      [14n, 50_000n],
      [500n, 1_000_000n],
    ] as const) {
      expect(perSecond * DAY_SECONDS).toBeGreaterThanOrEqual(perDay);
    }
  });

  it('growing from 50,000 to 250,000 a month is from $5 to $25', () => {
    expect([50_000n, 250_000n].map((volume) => formatUsd(usd(volume, 'NONE')))).toEqual(['5', '25']);
  });

  it('ten cents a thousand in every region: three regions cost what one does, a la carte', () => {
    const regions = accounts(3n, 'NONE');
    const split = regions.map((account) => used(account, COUNTED.recipient, 500_000n));
    expect(formatUsd(ledger(regions, split))).toBe('150');
    const onPro = accounts(3n, 'PRO');
    const splitOnPro = onPro.map((account) => used(account, COUNTED.recipient, 500_000n));
    // Not so on a plan: its fee is for each account and region.
    expect(formatUsd(ledger(onPro, splitOnPro))).toBe('645');
  });

  it('accounts are paid alike: five of a million a day each', () => {
    const fleet = accounts(5n, 'NONE');
    const sent = fleet.map((account) => used(account, COUNTED.recipient, 1_000_000n * DAYS));
    expect(formatUsd(ledger(fleet, sent))).toBe('15000');
  });
});

describe('the facts’ price lists', () => {
  it.each<[card: string, sku: string, from: bigint, dollars: string, per: bigint]>([
    ['aws-a-la-carte', 'ses.recipient', 0n, '0.0001', 1n],
    ['aws-a-la-carte', 'ses.recipient', 0n, '0.10', 1_000n],
    ['aws-a-la-carte', 'ses.attachment_gb', 0n, '0.12', 1_073_741_824n],
    ['aws-a-la-carte', 'ses.dedicated_ip_month', 0n, '24.95', 1n],
    ['aws-a-la-carte', 'ses.managed_ip_base_month', 0n, '15', 1n],
    ['aws-a-la-carte', 'ses.managed_ip_recipient', 0n, '0.08', 1_000n],
    ['aws-a-la-carte', 'ses.managed_ip_recipient', 10_000_000n, '0.04', 1_000n],
    ['aws-a-la-carte', 'ses.managed_ip_recipient', 50_000_000n, '0.02', 1_000n],
    ['aws-a-la-carte', 'ses.tenant_month', 0n, '0.005', 1n],
    ['aws-a-la-carte', 'ses.validation', 0n, '0.01', 1n],
    ['aws-a-la-carte', 'ses.vdm_recipient', 0n, '0.07', 1_000n],
    ['aws-a-la-carte', 'ses.vdm_subscription_month', 0n, '1250', 1n],
    ['aws-a-la-carte', 'ses.global_endpoint_recipient', 0n, '0.03', 1_000n],
    ['aws-a-la-carte', 'ses.inbound_message', 0n, '0.0001', 1n],
    ['aws-a-la-carte', 'ses.inbound_chunk', 0n, '0.00009', 1n],
    ['aws-a-la-carte', 'ses.mail_manager_message', 0n, '0.00015', 1n],
    ['aws-a-la-carte', 'ses.mail_manager_archive_in_gb', 0n, '2', 1_073_741_824n],
    ['aws-a-la-carte', 'ses.mail_manager_archive_gb_month', 0n, '0.19', 1_073_741_824n],
    ['aws-a-la-carte', 'ses.mail_manager_ingress_month', 0n, '50', 1n],
    ['aws-essentials', 'ses.base_fee_month', 0n, '0', 1n],
    ['aws-essentials', 'ses.recipient', 0n, '0.16', 1_000n],
    ['aws-essentials', 'ses.recipient', 10_000_000n, '0.14', 1_000n],
    ['aws-essentials', 'ses.recipient', 100_000_000n, '0.11', 1_000n],
    ['aws-pro', 'ses.base_fee_month', 0n, '105', 1n],
    ['aws-pro', 'ses.recipient', 0n, '0.22', 1_000n],
    ['aws-pro', 'ses.recipient', 10_000_000n, '0.17', 1_000n],
    ['aws-pro', 'ses.recipient', 100_000_000n, '0.12', 1_000n],
    ['aws-pro', 'ses.validation', 0n, '0', 1n],
    ['aws-pro', 'ses.validation', 2_500n, '0.01', 1n],
    ['aws-enterprise', 'ses.base_fee_month', 0n, '500', 1n],
    ['aws-enterprise', 'ses.recipient', 0n, '0.23', 1_000n],
    ['aws-enterprise', 'ses.recipient', 10_000_000n, '0.18', 1_000n],
    ['aws-enterprise', 'ses.recipient', 100_000_000n, '0.13', 1_000n],
    ['aws-enterprise', 'ses.validation', 5_000n, '0.01', 1n],
    ['aws-enterprise', 'ses.tenant_month', 0n, '0', 1n],
    ['aws-enterprise', 'ses.tenant_month', 1_000n, '0.005', 1n],
    ['aws-a-la-carte', 'sns.publish', 0n, '0.50', 1_000_000n],
    ['aws-a-la-carte', 'sns.http_delivery', 0n, '0.60', 1_000_000n],
  ])('%s: %s from %s on is $%s for %s', (card, sku, from, dollars, per) => {
    const rate = rates.find((one) => one.card === card && one.sku === sku && one.tierFrom === from);
    // Equal as rationals: ten cents a thousand and a hundredth of a cent each are one price.
    expect((rate?.amountMicro ?? -1n) * per).toBe(parseUsd(dollars) * (rate?.perUnits ?? 0n));
  });

  it('the plans begin on 2026-07-21, and no price has a gap or an overlap', () => {
    for (const rate of rates) {
      const start = rate.card === 'aws-a-la-carte' ? '2020-01-01' : '2026-07-21';
      expect(rate.validFrom.toISOString().slice(0, 10)).toBe(start);
      expect(rate.validTo).toBeNull();
    }
  });
});

describe('the facts’ arithmetic', () => {
  it.each<[bigint, string, string, string, string]>([
    [50_000n, '5', '8', '116', '24'],
    [100_000n, '10', '16', '127', '33'],
    [250_000n, '25', '40', '160', '60'],
    [1_500_000n, '150', '240', '435', '285'],
  ])(
    '%s a month: a la carte $%s, Essentials $%s, Pro $%s, managed IPs $%s',
    (volume, none, essentials, pro, managed) => {
      const found = [usd(volume, 'NONE'), usd(volume, 'ESSENTIALS'), usd(volume, 'PRO'), usd(volume, 'NONE', MANAGED)];
      expect(found.map(formatUsd)).toEqual([none, essentials, pro, managed]);
    },
  );

  it('the ledger and the advice say the same as the estimate, on every plan', () => {
    for (const volume of [50_000n, 100_000n, 250_000n, 1_500_000n, 20_000_000n, 150_000_000n]) {
      const fleet = accounts(1n, 'NONE');
      const usage = [used(fleet[0]!, COUNTED.recipient, volume)];
      const facts: FleetFacts = {
        period: month,
        now: today,
        accounts: fleet,
        usage,
        pools: [],
        policy: DEFAULT_POLICY,
      };
      const [advice] = planAdvice(facts, rates, today);
      expect(advice?.options.map((option) => option.costMicro)).toEqual(PRICING_PLANS.map((plan) => usd(volume, plan)));
      for (const plan of PRICING_PLANS) expect(ledger(accounts(1n, plan), usage)).toBe(usd(volume, plan));
    }
  });

  it('a fleet of 20 accounts on Pro is $2,100 a month before a mail; on Essentials nothing', () => {
    expect(formatUsd(ledger(accounts(20n, 'PRO'), []))).toBe('2100');
    expect(formatUsd(ledger(accounts(20n, 'ESSENTIALS'), []))).toBe('0');
    expect(formatUsd(ledger(accounts(1n, 'ENTERPRISE'), []))).toBe('500');
  });

  it('a la carte with managed IPs and VDM crosses Pro at 3 million a month; without VDM it does not by 5 million', () => {
    const crosses = (volume: bigint, extras: Partial<Demand>) =>
      usd(volume, 'NONE', extras) >= usd(volume, 'PRO', extras);
    expect([2_999_999n, 3_000_000n].map((volume) => crosses(volume, MANAGED_AND_VDM))).toEqual([false, true]);
    for (let volume = 0n; volume <= 5_000_000n; volume += 100_000n) expect(crosses(volume, MANAGED)).toBe(false);
  });

  it('three events a mail over SNS are $0.0033 a thousand mails, 3 % of what SES takes for them', () => {
    const events = 3n * 1_000n;
    const sns = (['sns.publish', 'sns.http_delivery'] as const)
      .map((sku) => tieredPrice(0n, events, cards.tiers('NONE', sku, today)).costMicro)
      .reduce((sum, cost) => sum + cost, 0n);
    expect(formatUsd(sns)).toBe('0.0033');
    expect((sns * 100n) / usd(1_000n, 'NONE')).toBe(3n);
    const [account] = accounts(1n, 'NONE');
    expect(formatUsd(ledger([account!], [used(account!, COUNTED.delivery, events)]))).toBe('0.0033');
  });

  it('what the plans bundle is worth a la carte what the lists say', () => {
    const price = (sku: 'ses.tenant_month' | 'ses.validation', count: bigint) =>
      formatUsd(tieredPrice(0n, count, cards.tiers('NONE', sku, today)).costMicro);
    expect([
      price('ses.tenant_month', 1_000n),
      price('ses.validation', 2_500n),
      price('ses.validation', 5_000n),
    ]).toEqual(['5', '25', '50']);
  });
});

describe('what others ask, as they or the sources say', () => {
  const offers = parseCompetitorFile(competitorFile);
  const VOLUME = 1_500_000n;
  const at = competitorPrices(VOLUME, offers);
  const theirs = (vendor: string) => at.find((offer) => offer.vendor === vendor && offer.product === 'any');
  const known = (vendor: string) =>
    at.filter((offer) => offer.vendor === vendor && offer.product !== 'any' && offer.monthMicro !== null);

  it.each([
    ['Postmark', '1500'],
    ['SendGrid', '1500'],
    ['Mailgun', '1000'],
  ])('the cookbook’s figure of %s is kept as its own: at least $%s, undated', (vendor, dollars) => {
    expect(theirs(vendor)).toMatchObject({ monthMicro: parseUsd(dollars), meaning: 'AT_LEAST', readOn: null });
  });

  it('beside it stands what is known today: of Postmark a bound, of the others nothing', () => {
    expect(
      known('Postmark').map(({ product, monthMicro, meaning }) => [product, formatUsd(monthMicro ?? 0n), meaning]),
    ).toEqual([['Pro', '1953', 'AT_MOST']]);
    expect(known('SendGrid')).toEqual([]);
    expect(known('Mailgun')).toEqual([]);
  });

  it('SES is the cheapest by five to ten times, taking the cookbook’s figures against ours', () => {
    const ours = usd(VOLUME, 'NONE');
    const times = ['Postmark', 'SendGrid', 'Mailgun'].map((vendor) => (theirs(vendor)?.monthMicro ?? 0n) / ours);
    expect(times).toEqual([10n, 10n, 6n]);
  });

  it.each<[vendor: string, product: string, what: string, dollars: string, per: string]>([
    ['Postmark', 'Basic', 'dedicated IP', '50', '1'],
    ['SendGrid', 'Essentials', 'above 50,000', '0.0013', '1'],
    ['SendGrid', 'Essentials', 'above 100,000', '0.0009', '1'],
    ['SendGrid', 'Pro', 'at 100,000', '0.0011', '1'],
    ['SendGrid', 'Pro', 'at 2,500,000', '0.0005', '1'],
    ['Mailgun', 'Basic', 'Flex', '2', '1000'],
    ['Mailgun', 'Foundation', 'above the volume', '1.30', '1000'],
    ['Mailgun', 'Scale', 'at least', '0.60', '1000'],
    ['Mailgun', 'Scale', 'at most', '0.80', '1000'],
    ['Mailgun', 'Scale', 'above 2,500,000', '0.35', '1000'],
    ['Mailgun', 'Scale', 'dedicated IP', '59', '1'],
  ])('%s %s: %s $%s for %s is kept as theirs', (vendor, product, what, usdText, per) => {
    const offer = offers.find((one) => one.vendor === vendor && one.product === product);
    expect(offer?.also).toContainEqual({ what: expect.stringContaining(what) as string, usd: usdText, per });
    expect(offer?.readOn).toMatch(/^2026-/);
  });
});
