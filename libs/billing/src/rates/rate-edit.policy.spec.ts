import { endIssues, newRateIssues } from './rate-edit.policy';
import { RateCards, type StoredRate } from './rate-card.policy';

const at = (day: string) => new Date(`${day}T00:00:00.000Z`);
const price = (more: Partial<StoredRate> = {}): StoredRate => ({
  id: 1n,
  card: 'aws-a-la-carte',
  sku: 'ses.recipient',
  tierFrom: 0n,
  amountMicro: 100n,
  perUnits: 1n,
  validFrom: at('2026-01-01'),
  validTo: null,
  source: 'test',
  ...more,
});
const fields = (issues: ReturnType<typeof newRateIssues>) =>
  issues.map(({ code, path }) => `${code} ${(path ?? []).join('.')}`);

describe('a price that an operator adds', () => {
  it('is taken when nothing is wrong with it', () => {
    expect(newRateIssues(price(), [], undefined)).toEqual([]);
    const old = price({ validTo: at('2026-06-01') });
    expect(newRateIssues(price({ validFrom: at('2026-06-01') }), [old], at('2026-06-01'))).toEqual([]);
    expect(newRateIssues(price({ tierFrom: 10n }), [price()], undefined)).toEqual([]);
  });

  it.each<[string, Partial<StoredRate>]>([
    ['INVALID_INPUT card', { card: '' }],
    ['INVALID_INPUT sku', { sku: 'SES recipient' }],
    ['INVALID_INPUT source', { source: ' ' }],
    ['INVALID_INPUT amountMicro', { amountMicro: -1n }],
    ['INVALID_INPUT perUnits', { perUnits: 0n }],
    ['INVALID_INPUT tierFrom', { tierFrom: -1n }],
    ['INVALID_INPUT validFrom', { validFrom: new Date('2026-01-01T00:00:01Z') }],
    ['INVALID_INPUT validFrom', { validFrom: at('2025-12-31') }],
    ['INVALID_INPUT validTo', { validTo: new Date('2026-02-01T12:00:00Z') }],
    ['INVALID_INPUT validTo', { validTo: at('2026-01-01') }],
  ])('is refused with %s', (issue, more) => {
    expect(fields(newRateIssues(price(more), [], at('2026-01-01')))).toEqual([issue]);
  });

  it.each<[string, Partial<StoredRate>, Partial<StoredRate>]>([
    ['the same time', {}, {}],
    ['its end', { validTo: at('2026-03-02') }, { validFrom: at('2026-03-01') }],
    ['its beginning', { validFrom: at('2026-05-01') }, { validTo: at('2026-05-02') }],
    ['the middle', { validTo: at('2026-12-01') }, { validFrom: at('2026-02-01'), validTo: at('2026-03-01') }],
  ])('is refused where it overlaps another one: %s', (_, stored, wanted) => {
    expect(fields(newRateIssues(price(wanted), [price(stored)], undefined))).toEqual(['CONFLICT validFrom']);
  });
});

describe('a price that an operator ends', () => {
  it('keeps its end once it has one, ends after it began, and not in a final month', () => {
    expect(endIssues(price(), at('2026-02-01'), at('2026-02-01'))).toEqual([]);
    expect(fields(endIssues(price({ validTo: at('2026-05-01') }), at('2026-06-01'), undefined))).toEqual([
      'CONFLICT validTo',
    ]);
    expect(fields(endIssues(price(), at('2026-01-01'), undefined))).toEqual(['INVALID_INPUT validTo']);
    expect(fields(endIssues(price(), at('2026-01-31'), at('2026-02-01')))).toEqual(['INVALID_INPUT validTo']);
  });
});

describe('gaps in a card', () => {
  it('are times at which something that had a price has none', () => {
    const cards = new RateCards([
      price({ validTo: at('2026-03-01') }),
      price({ id: 2n, validFrom: at('2026-03-05'), validTo: at('2026-04-01') }),
      price({ id: 3n, sku: 'ses.tenant_month' }),
      price({ id: 4n, card: 'aws-pro', validFrom: at('2026-03-20') }),
      price({ id: 5n, tierFrom: 1_000n }),
    ]);
    expect(cards.gaps(at('2026-02-01'), at('2026-05-01'))).toEqual([
      { card: 'aws-a-la-carte', sku: 'ses.recipient', from: at('2026-03-01'), to: at('2026-03-05') },
      { card: 'aws-a-la-carte', sku: 'ses.recipient', from: at('2026-04-01'), to: at('2026-05-01') },
    ]);
    expect(cards.gaps(at('2026-03-06'), at('2026-03-31'))).toEqual([]);
  });
});
