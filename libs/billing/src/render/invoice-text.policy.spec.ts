import type { InvoiceLine } from '../invoice/invoice-body.v1.policy';
import {
  centsText,
  dateText,
  dollarColumn,
  dollars,
  periodText,
  quantityText,
  rateText,
  spanText,
} from './invoice-text.policy';

const period = { name: '2026-11', from: '2026-11-01T00:00:00.000Z', to: '2026-12-01T00:00:00.000Z' };
const line = (change: Partial<InvoiceLine>): InvoiceLine => ({
  no: '1',
  sku: 's',
  description: 'd',
  quantity: '1',
  unit: 'recipient',
  rate: null,
  amountMicro: '0',
  from: period.from,
  to: period.to,
  cites: { method: 'm', planPrices: [], line: null },
  ...change,
});

describe('what an invoice shows', () => {
  it.each([
    [0n, '0.00'],
    [1n, '0.000001'],
    [-1_235n, '-0.001235'],
    [99_000_000n, '99.00'],
    [1_234_567_890_000n, '1,234,567.89'],
    [108_004_250n, '108.00425'],
  ])('are %s micro-dollars as %s', (micro, text) => {
    expect(dollars(micro)).toBe(text);
  });

  it('are amounts of one column with their points in one line', () => {
    expect(dollarColumn([99_000_000n, -1_250n, 0n])).toEqual(['99.00000', '-0.00125', '0.00000']);
    expect(dollarColumn([])).toEqual([]);
    expect(centsText(-1_235n)).toBe('-12.35');
  });

  it.each<[Partial<InvoiceLine>, string]>([
    [{ quantity: '1532017' }, '1,532,017'],
    [{ unit: 'millisecond', quantity: '2592000000' }, '1 month'],
    [{ unit: 'millisecond', quantity: '1339200000' }, '15.5 of 30 days'],
    [{ unit: 'ip-millisecond', quantity: '2592000000' }, '1 IP-month'],
    [{ unit: 'ip-millisecond', quantity: '6480000000' }, '2.5 IP-months'],
    [{ unit: 'ip-millisecond', quantity: '86400000' }, '0.0333 IP-months'],
    [{ unit: 'month' }, '1'],
  ])('are quantities: %j as %s', (change, text) => {
    expect(quantityText(line(change), period)).toBe(text);
  });

  it.each<[Partial<InvoiceLine>, string]>([
    [{ rate: { amountMicro: '400000', perUnits: '1000' } }, '0.40 per 1,000'],
    [{ rate: { amountMicro: '100', perUnits: '1' } }, '0.0001'],
    [{ rate: { amountMicro: '0', perUnits: '1' } }, 'included'],
    [{ unit: 'millisecond', rate: { amountMicro: '99000000', perUnits: '2592000000' } }, '99.00 per month'],
    [{ unit: 'ip-millisecond', rate: { amountMicro: '39000000', perUnits: '2592000000' } }, '39.00 per IP-month'],
    [{ unit: 'month' }, ''],
  ])('are prices: %j as %s', (change, text) => {
    expect(rateText(line(change))).toBe(text);
  });

  it.each<[Partial<InvoiceLine>, string]>([
    [{}, ''],
    [{ to: '2026-11-16T00:00:00.000Z' }, '1 to 15 November 2026'],
    [{ from: '2026-11-16T00:00:00.000Z', to: '2026-11-17T00:00:00.000Z' }, '16 November 2026'],
    [{ to: '2026-11-10T12:30:00.000Z' }, '1 November to 10 November 2026, 12:30 UTC'],
  ])('are times within the month: %j as %j', (change, text) => {
    expect(spanText(line(change), period)).toBe(text);
  });

  it('are dates that nobody reads the other way round', () => {
    expect(dateText('2026-12-02T23:59:59.999Z')).toBe('2 December 2026');
    expect(periodText('2026-01')).toBe('January 2026');
  });
});
