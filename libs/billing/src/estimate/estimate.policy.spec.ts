import { formatUsd } from '@libs/kernel';
import fc from 'fast-check';
import competitorFile from '../../data/competitor-prices.json';
import rateCardFile from '../../data/rate-card.json';
import { competitorPrices, parseCompetitorFile } from './competitor-prices.policy';
import { demandIssues, estimateLines, type Demand } from './estimate.policy';
import { parseRateCardFile } from '../rates/rate-card-file.policy';
import { PRICING_PLANS, RateCards, type PricingPlan } from '../rates/rate-card.policy';

const cards = new RateCards(parseRateCardFile(rateCardFile).map((rate, index) => ({ ...rate, id: BigInt(index + 1) })));
const today = new Date('2026-11-22T00:00:00Z');

function usd(recipientsPerMonth: bigint, pricingPlan: PricingPlan, more: Partial<Demand> = {}): string {
  const demand = { recipientsPerMonth, dedicatedIps: 0n, pricingPlan, ...more };
  return formatUsd(estimateLines(demand, pricingPlan, cards, today).reduce((sum, line) => sum + line.costMicro, 0n));
}

describe('an estimate', () => {
  it('reproduces the cookbook: 50,000 a day is 1.5 million a month is 150 dollars', () => {
    expect(usd(50_000n * 30n, 'NONE')).toBe('150');
  });

  it('reproduces the cookbook: with three dedicated IPs 224.85, which it rounds to 225', () => {
    expect(usd(1_500_000n, 'NONE', { dedicatedIps: 3n })).toBe('224.85');
    expect(usd(0n, 'NONE', { dedicatedIps: 3n })).toBe('74.85');
  });

  it.each<[bigint, string, string, string, string]>([
    [50_000n, '5', '8', '116', '24'],
    [100_000n, '10', '16', '127', '33'],
    [250_000n, '25', '40', '160', '60'],
    [1_500_000n, '150', '240', '435', '285'],
  ])(
    'for %s a month is, a la carte, on Essentials, on Pro and with managed IPs: %s, %s, %s, %s',
    (n, none, ess, pro, managed) => {
      expect([usd(n, 'NONE'), usd(n, 'ESSENTIALS'), usd(n, 'PRO'), usd(n, 'NONE', { managedIps: true })]).toEqual([
        none,
        ess,
        pro,
        managed,
      ]);
    },
  );

  it('finds a la carte with managed IPs and VDM level with Pro at 3 million a month', () => {
    const extras = { managedIps: true, virtualDeliverabilityManager: true };
    expect(usd(3_000_000n, 'NONE', extras)).toBe('765');
    expect(usd(3_000_000n, 'PRO', extras)).toBe('765');
  });

  it.each<[bigint, PricingPlan, string]>([
    [10_000_000n, 'ESSENTIALS', '1600'],
    [100_000_000n, 'ESSENTIALS', '14200'],
    [200_000_000n, 'ESSENTIALS', '25200'],
    [20_000_000n, 'PRO', '4005'],
    [200_000_000n, 'ENTERPRISE', '32000'],
    [0n, 'ENTERPRISE', '500'],
    [0n, 'ESSENTIALS', '0'],
    [20_000_000n, 'NONE', '2000'],
  ])('for %s a month on %s is %s dollars', (recipients, plan, dollars) => {
    expect(usd(recipients, plan)).toBe(dollars);
  });

  it('counts managed IPs by their own tiers', () => {
    expect(usd(60_000_000n, 'NONE', { managedIps: true })).toBe(
      formatUsd(6_000_000_000n + 15_000_000n + 2_600_000_000n),
    );
  });

  it('charges attachments by bytes and recipients, 0.12 dollars a gigabyte', () => {
    expect(usd(1_024n, 'NONE', { attachmentBytes: 1_048_576n })).toBe('0.2224'); // 0.1024 of recipients, 0.12 of data
  });

  it('never falls when more is sent, leased or attached', () => {
    const amount = fc.bigInt({ min: 0n, max: 10n ** 9n });
    fc.assert(
      fc.property(
        fc.constantFrom(...PRICING_PLANS),
        amount,
        amount,
        fc.bigInt({ min: 0n, max: 50n }),
        (plan, n, more, ips) => {
          const total = (demand: Partial<Demand>) =>
            estimateLines(
              { recipientsPerMonth: n, dedicatedIps: 0n, pricingPlan: plan, managedIps: true, ...demand },
              plan,
              cards,
              today,
            ).reduce((sum, line) => sum + line.costMicro, 0n);
          expect(total({ recipientsPerMonth: n + more })).toBeGreaterThanOrEqual(total({}));
          expect(total({ dedicatedIps: ips })).toBe(total({}) + ips * 24_950_000n);
          expect(total({ attachmentBytes: ips })).toBeGreaterThanOrEqual(total({}));
        },
      ),
    );
  });

  it('cites a rate and a source on every line', () => {
    const demand = { recipientsPerMonth: 60_000_000n, dedicatedIps: 2n, pricingPlan: 'PRO', attachmentBytes: 1n };
    const lines = estimateLines(demand, 'PRO', cards, today);
    expect(lines).toHaveLength(4);
    for (const line of lines) {
      expect(line.rateIds.length).toBeGreaterThan(0);
      expect(line.source).toContain('aws-facts');
    }
  });

  it('is refused with every wrong field at once', () => {
    const wrong = { recipientsPerMonth: -1n, dedicatedIps: 10_001n, pricingPlan: 'GOLD', attachmentBytes: 10n ** 9n };
    expect(demandIssues(wrong).map((issue) => issue.path)).toEqual([
      ['recipientsPerMonth'],
      ['dedicatedIps'],
      ['attachmentBytes'],
      ['pricingPlan'],
    ]);
    expect(demandIssues({ recipientsPerMonth: 0n, dedicatedIps: 0n, pricingPlan: 'NONE' })).toEqual([]);
  });
});

describe('what others ask', () => {
  const offers = parseCompetitorFile(competitorFile);
  const price = (vendor: string, product: string, recipients: bigint) => {
    const found = competitorPrices(recipients, offers).find((one) => one.vendor === vendor && one.product === product);
    return found && [found.monthMicro === null ? null : formatUsd(found.monthMicro), found.meaning];
  };

  it.each<[string, string, bigint, string | null, string | null]>([
    ['Postmark', 'Basic', 10_000n, '15', 'LIST'],
    ['Postmark', 'Basic', 50_000n, '87', 'AT_MOST'],
    ['Postmark', 'Basic', 100_000n, '177', 'AT_MOST'],
    ['Postmark', 'Basic', 250_000n, '447', 'AT_MOST'],
    ['Postmark', 'Basic', 1_500_000n, null, null],
    ['Postmark', 'Pro', 10_000n, '16.5', 'LIST'],
    ['Postmark', 'Pro', 50_000n, '68.5', 'AT_MOST'],
    ['Postmark', 'Pro', 100_000n, '133.5', 'AT_MOST'],
    ['Postmark', 'Pro', 250_000n, '328.5', 'AT_MOST'],
    ['Postmark', 'Pro', 1_500_000n, '1953', 'AT_MOST'],
    ['Postmark', 'Platform', 10_000n, '18', 'LIST'],
    ['SendGrid', 'Essentials', 50_000n, '19.95', 'LIST'],
    ['SendGrid', 'Essentials', 100_000n, null, null],
    ['SendGrid', 'Pro', 100_000n, '89.95', 'LIST'],
    ['SendGrid', 'Pro', 250_000n, null, null],
    ['Mailgun', 'Basic', 10_000n, '15', 'LIST'],
    ['Mailgun', 'Foundation', 50_000n, '35', 'LIST'],
    ['Mailgun', 'Scale', 100_000n, '90', 'LIST'],
    ['Mailgun', 'Scale', 250_000n, null, null],
    ['Postmark', 'any', 1_500_000n, '1500', 'AT_LEAST'],
    ['SendGrid', 'any', 1_500_000n, '1500', 'AT_LEAST'],
    ['Mailgun', 'any', 1_500_000n, '1000', 'AT_LEAST'],
    ['Mailgun', 'any', 1_500_001n, null, null],
  ])('%s %s for %s a month is %s (%s)', (vendor, product, recipients, amount, meaning) => {
    expect(price(vendor, product, recipients)).toEqual([amount, meaning]);
  });

  it('is theirs: each figure has a source, and a day it was read unless the source has none', () => {
    for (const offer of competitorPrices(1_500_000n, offers)) {
      expect(offer.source).not.toBe('');
      if (offer.readOn === null) expect(offer.source).toContain('cookbook');
      else expect(offer.readOn).toMatch(/^2026-\d\d-\d\d$/);
    }
  });

  it('is five to ten times what SES asks for 1.5 million, as far as the cookbook says', () => {
    for (const vendor of ['Postmark', 'SendGrid', 'Mailgun']) {
      const [amount] = price(vendor, 'any', 1_500_000n) ?? [];
      expect(BigInt(amount ?? '0')).toBeGreaterThanOrEqual(5n * 150n);
    }
  });
});
