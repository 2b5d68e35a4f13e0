import { priceOf } from '@libs/kernel';
import rateCardFile from '../../data/rate-card.json';
import { RateMissing } from '../billing.errors';
import { parseRateCardFile } from './rate-card-file.policy';
import { PRICING_PLANS, RateCards, SKUS, type StoredRate } from './rate-card.policy';

const rates: StoredRate[] = parseRateCardFile(rateCardFile).map((rate, index) => ({ ...rate, id: BigInt(index + 1) }));
const cards = new RateCards(rates);
const today = new Date('2026-11-22T00:00:00Z');

describe('the rate card', () => {
  it('asks 100 micro-dollars for a recipient and 24.95 dollars for an IP, a la carte', () => {
    const [recipient] = cards.tiers('NONE', SKUS.recipient, today);
    expect(priceOf(1n, { micro: recipient.amountMicro, per: recipient.perUnits })).toBe(100n);
    const [ip] = cards.tiers('NONE', SKUS.dedicatedIp, today);
    expect(priceOf(1n, { micro: ip.amountMicro, per: ip.perUnits })).toBe(24_950_000n);
  });

  it.each<[(typeof PRICING_PLANS)[number], bigint[]]>([
    ['ESSENTIALS', [160_000n, 140_000n, 110_000n]],
    ['PRO', [220_000n, 170_000n, 120_000n]],
    ['ENTERPRISE', [230_000n, 180_000n, 130_000n]],
  ])('has three tiers of recipients on %s', (plan, prices) => {
    const tiers = cards.tiers(plan, SKUS.recipient, today);
    expect(tiers.map((tier) => tier.tierFrom)).toEqual([0n, 10_000_000n, 100_000_000n]);
    expect(tiers.map((tier) => tier.amountMicro)).toEqual(prices);
  });

  it('charges every plan for what its own card does not name as a la carte', () => {
    for (const plan of PRICING_PLANS) {
      expect(cards.tiers(plan, SKUS.dedicatedIp, today)).toEqual(cards.tiers('NONE', SKUS.dedicatedIp, today));
    }
  });

  it('prices mail from before the plans came as a la carte', () => {
    const before = new Date('2026-07-20T23:59:59.999Z');
    expect(cards.tiers('PRO', SKUS.recipient, before)).toEqual(cards.tiers('NONE', SKUS.recipient, before));
    expect(cards.changes(new Date('2026-07-01T00:00:00Z'), new Date('2026-08-01T00:00:00Z'))).toEqual([
      new Date('2026-07-21T00:00:00Z'),
    ]);
  });

  it('has a price for a recipient and an IP in every hour since it begins, on every plan', () => {
    for (const plan of PRICING_PLANS) {
      for (
        let hour = Date.parse('2026-07-15T00:00:00Z');
        hour < Date.parse('2026-07-28T00:00:00Z');
        hour += 3_600_000
      ) {
        expect(cards.find(plan, SKUS.recipient, new Date(hour))).toBeDefined();
        expect(cards.find(plan, SKUS.dedicatedIp, new Date(hour))).toBeDefined();
      }
    }
  });

  it('leaves a price in force until before its end, when the next one begins', () => {
    const end = new Date('2026-12-01T00:00:00Z');
    const [old] = cards.tiers('NONE', SKUS.recipient, today);
    const changed = new RateCards([
      { ...old, validTo: end },
      { ...old, id: 99n, validFrom: end },
    ]);
    const idAt = (ms: number) => changed.tiers('NONE', SKUS.recipient, new Date(ms)).map((rate) => rate.id);
    expect(idAt(end.getTime() - 1)).toEqual([old.id]);
    expect(idAt(end.getTime())).toEqual([99n]);
  });

  it('says so when no price is in force, instead of asking nothing', () => {
    expect(() => cards.tiers('NONE', SKUS.recipient, new Date('2019-12-31T23:59:59Z'))).toThrow(RateMissing);
    expect(() => new RateCards([]).tiers('PRO', SKUS.recipient, today)).toThrow(/ses\.recipient on card aws-pro/);
  });

  it('does not take a card without its first tier for complete', () => {
    const headless = new RateCards(rates.filter((rate) => rate.tierFrom > 0n));
    expect(headless.find('ESSENTIALS', SKUS.recipient, today)).toBeUndefined();
  });

  it('names a source for every price, and no two prices for the same day', () => {
    const names = rates.map((rate) => `${rate.card} ${rate.sku} ${rate.tierFrom} ${rate.validFrom.toISOString()}`);
    expect(new Set(names).size).toBe(names.length);
    for (const rate of rates) expect(rate.source).not.toBe('');
  });

  it.each([
    { usd: 24.95, per: '1' },
    { usd: '24.9500001', per: '1' },
    { usd: '-1', per: '1' },
    { usd: '1e3', per: '1' },
    { usd: '1', per: '1.5' },
  ])('is not read with %j for a price', (price) => {
    const line = { card: 'c', sku: 's', validFrom: '2026-01-01T00:00:00Z', source: 'x', ...price };
    expect(() => parseRateCardFile({ about: '', rates: [line] })).toThrow();
  });
});
