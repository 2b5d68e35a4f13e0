import type { InvoiceBody, InvoiceLine } from '../invoice/invoice-body.v1.policy';

/** How quantities, rates, amounts and dates of an invoice read. Exact: only shares of time are cut for show. */

const MONTHS = 'January February March April May June July August September October November December'.split(' ');
const DAY_MS = 86_400_000n;

/** Dollars with two to six decimals, as many as the amount needs. */
export function dollars(micro: bigint): string {
  const magnitude = micro < 0n ? -micro : micro;
  const fraction = (magnitude % 1_000_000n)
    .toString()
    .padStart(6, '0')
    .replace(/0{1,4}$/, '');
  return `${micro < 0n ? '-' : ''}${grouped(magnitude / 1_000_000n)}.${fraction}`;
}

/** A column of amounts: all with as many decimals as the longest needs, so that their points stand in one line. */
export function dollarColumn(amounts: readonly bigint[]): string[] {
  const texts = amounts.map(dollars);
  const decimals = texts.map((text) => text.slice(text.indexOf('.') + 1)).sort((a, b) => b.length - a.length)[0] ?? '';
  return texts.map((text) => {
    const [whole, fraction = ''] = text.split('.');
    return `${whole}.${fraction.padEnd(decimals.length, '0')}`;
  });
}

/** Whole cents as dollars. */
export function centsText(cents: bigint): string {
  return dollars(cents * 10_000n);
}

/** `1,001`, `1 month`, `15.5 days`, `2.25 IP-months`. */
export function quantityText(line: InvoiceLine, period: InvoiceBody['period']): string {
  const quantity = BigInt(line.quantity);
  const monthMs = msOf(period);
  switch (line.unit) {
    case 'recipient':
      return grouped(quantity);
    case 'millisecond':
      return quantity === monthMs ? '1 month' : `${decimal(quantity, DAY_MS)} of ${monthMs / DAY_MS} days`;
    case 'ip-millisecond':
      return quantity === monthMs ? '1 IP-month' : `${decimal(quantity, monthMs)} IP-months`;
    case 'month':
      return '1';
  }
}

/** `0.40 per 1,000`, `99.00 per month`. */
export function rateText(line: InvoiceLine): string {
  if (!line.rate) return '';
  const amount = dollars(BigInt(line.rate.amountMicro));
  if (line.unit === 'millisecond') return `${amount} per month`;
  if (line.unit === 'ip-millisecond') return `${amount} per IP-month`;
  if (line.rate.amountMicro === '0') return 'included';
  return line.rate.perUnits === '1' ? amount : `${amount} per ${grouped(BigInt(line.rate.perUnits))}`;
}

/** `3 November 2026`, in UTC. */
export function dateText(time: string): string {
  const [year, month, day] = time.slice(0, 10).split('-');
  return `${BigInt(day ?? '0')} ${monthName(month)} ${year}`;
}

/** `November 2026`. */
export function periodText(period: string): string {
  const [year, month] = period.split('-');
  return `${monthName(month)} ${year}`;
}

/** `1 to 15 November 2026`; nothing when it is the whole period. */
export function spanText(line: InvoiceLine, period: InvoiceBody['period']): string {
  if (line.from === period.from && line.to === period.to) return '';
  const minute = (time: string) => (time.slice(11, 16) === '00:00' ? '' : `, ${time.slice(11, 16)}`);
  if (minute(line.from) === '' && minute(line.to) === '') {
    const last = new Date(new Date(line.to).getTime() - 1).toISOString();
    return line.from.slice(0, 10) === last.slice(0, 10)
      ? dateText(last)
      : `${dateText(line.from).split(' ')[0]} to ${dateText(last)}`;
  }
  // The year is said once, so that the span stays on one line: a period never has two, but for the moment it ends.
  const year = line.from.slice(0, 4);
  const from = line.to.startsWith(year) ? dateText(line.from).replace(` ${year}`, '') : dateText(line.from);
  return `${from}${minute(line.from)} to ${dateText(line.to)}${minute(line.to)} UTC`;
}

function monthName(month: string | undefined): string {
  return MONTHS.find((_, index) => BigInt(index) + 1n === BigInt(month ?? '0')) ?? '';
}

/** At most four decimals, cut. */
function decimal(quantity: bigint, unit: bigint): string {
  const parts = (quantity * 10_000n) / unit;
  const fraction = (parts % 10_000n).toString().padStart(4, '0').replace(/0+$/, '');
  return fraction === '' ? grouped(parts / 10_000n) : `${grouped(parts / 10_000n)}.${fraction}`;
}

function msOf(period: InvoiceBody['period']): bigint {
  return BigInt(new Date(period.to).getTime()) - BigInt(new Date(period.from).getTime());
}

function grouped(count: bigint): string {
  return count.toString().replace(/\B(?=(\d{3})+$)/g, ',');
}
