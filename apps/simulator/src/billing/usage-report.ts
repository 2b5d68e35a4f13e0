import { gzipSync } from 'node:zlib';
import type { RegionState, SimulatorState } from '../state/simulator.state';
import {
  ATTACHMENT_GIB,
  atTiers,
  DEDICATED_IP_MONTH,
  DOLLAR,
  PLAN_FEE,
  RECIPIENT,
  SNS_HTTP_DELIVERY,
  SNS_PUBLISH,
} from './list-prices';
import type { DayOfUse } from './day-of-use';
import type { UsageMeter } from './usage-meter';

/** The account that pays for all others. */
export const PAYER_ACCOUNT = '999900000000';

const HEADER = [
  'identity/LineItemId',
  'bill/PayerAccountId',
  'bill/BillingPeriodStartDate',
  'bill/BillingPeriodEndDate',
  'lineItem/UsageAccountId',
  'lineItem/LineItemType',
  'lineItem/UsageStartDate',
  'lineItem/UsageEndDate',
  'lineItem/ProductCode',
  'lineItem/UsageType',
  'lineItem/UsageAmount',
  'lineItem/CurrencyCode',
  'lineItem/UnblendedCost',
  'lineItem/LineItemDescription',
  'product/region',
] as const;

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000n;

interface Line {
  readonly account: string;
  readonly region: string;
  readonly from: number;
  readonly to: number;
  readonly product: 'AmazonSES' | 'AmazonSNS';
  readonly usageType: string;
  /** In ten-billionths of the unit, and of a dollar. */
  readonly amount: bigint;
  readonly cost: bigint;
  readonly about: string;
}

/**
 * The month's Cost and Usage Report as AWS would write it: CSV of the legacy layout, a line for each day, account and kind
 * of usage. Of a month that lasts, what was used until `until`.
 * @param month `YYYY-MM`
 */
export function usageReport(state: SimulatorState, meter: UsageMeter, month: string, until: number): string {
  const start = Date.parse(`${month}-01T00:00:00.000Z`);
  const next = new Date(start);
  next.setUTCMonth(next.getUTCMonth() + 1);
  const span = { start, end: next.getTime(), until: Math.min(until, next.getTime()) };
  const lines: Line[] = [];
  const used = meter.days(month);
  for (const account of [...state.accounts.values()].sort((a, b) => (a.id < b.id ? -1 : 1))) {
    for (const [name, region] of [...account.regions].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const place = { account: account.id, region: name };
      const own = used.filter((day) => day.account === account.id && day.region === name);
      lines.push(...mailLines(place, region, own), ...ipLines(place, region, span), ...feeLines(place, region, span));
    }
  }
  const dates = [new Date(span.start).toISOString(), new Date(span.end).toISOString()];
  const rows = lines.map((line, index) =>
    [
      `sim-${month}-${String(index + 1)}`,
      PAYER_ACCOUNT,
      ...dates,
      line.account,
      'Usage',
      new Date(line.from).toISOString(),
      new Date(line.to).toISOString(),
      line.product,
      line.usageType,
      decimal(line.amount),
      'USD',
      decimal(line.cost),
      `"${line.about}"`,
      line.region,
    ].join(','),
  );
  return [HEADER.join(','), ...rows, ''].join('\n');
}

/** As it lies in S3. */
export function zippedReport(...about: Parameters<typeof usageReport>): Buffer {
  return gzipSync(usageReport(...about));
}

type Place = Pick<Line, 'account' | 'region'>;
interface Month {
  readonly start: number;
  readonly end: number;
  readonly until: number;
}

function mailLines(place: Place, region: RegionState, days: readonly DayOfUse[]): Line[] {
  const plan = region.pricingPlan ?? 'NONE';
  let before = 0n;
  return days.flatMap((day) => {
    const from = Date.parse(`${day.day}T00:00:00.000Z`);
    const at = { ...place, from, to: from + DAY_MS };
    const counted = (
      product: Line['product'],
      usageType: string,
      count: number,
      cost: bigint,
      about: string,
    ): Line[] => (count === 0 ? [] : [{ ...at, product, usageType, amount: BigInt(count) * DOLLAR, cost, about }]);
    const recipients = BigInt(day.recipients);
    const mail = atTiers(RECIPIENT[plan], before, recipients);
    before += recipients;
    const gib = (BigInt(day.attachmentBytes) * DOLLAR) >> 30n;
    const attached = (BigInt(day.attachmentBytes) * ATTACHMENT_GIB) >> 30n;
    const [publishes, tries] = [BigInt(day.publishes), BigInt(day.deliveryAttempts)];
    return [
      ...counted('AmazonSES', 'USE1-Recipients', day.recipients, mail, 'Cost per recipient of SendEmail'),
      ...(gib === 0n && attached === 0n
        ? []
        : [
            {
              ...at,
              product: 'AmazonSES' as const,
              usageType: 'USE1-AttachmentsSize-Bytes',
              amount: gib,
              cost: attached,
              about: '$0.12 per GB of attachments',
            },
          ]),
      ...counted('AmazonSNS', 'USE1-Requests-Tier1', day.publishes, publishes * SNS_PUBLISH, '$0.50 per million'),
      ...counted(
        'AmazonSNS',
        'USE1-DeliveryAttempts-HTTP',
        day.deliveryAttempts,
        tries * SNS_HTTP_DELIVERY,
        '$0.60 per million notifications over HTTP',
      ),
    ];
  });
}

/** An hour costs the month's price over the hours of the month. All IPs of a region on one line. */
function ipLines(place: Place, region: RegionState, { start, end, until }: Month): Line[] {
  let ms = 0n;
  for (const ip of region.ips.values()) {
    const from = Math.max(start, ip.leasedAt ?? start);
    if (until > from) ms += BigInt(until - from);
  }
  if (ms === 0n) return [];
  const line = { ...place, from: start, to: until, product: 'AmazonSES' as const, usageType: 'USE1-DIP-Hours' };
  const cost = nearest(ms * DEDICATED_IP_MONTH, BigInt(end - start));
  return [{ ...line, amount: nearest(ms * DOLLAR, HOUR_MS), cost, about: 'Dedicated IP, by the hour' }];
}

function feeLines(place: Place, region: RegionState, { start, end }: Month): Line[] {
  const plan = region.pricingPlan ?? 'NONE';
  const fee = PLAN_FEE[plan];
  if (fee === 0n) return [];
  const line = { ...place, from: start, to: end, product: 'AmazonSES' as const, usageType: 'USE1-EmailPlan-Months' };
  return [{ ...line, amount: DOLLAR, cost: fee, about: `Monthly fee of the plan ${plan}` }];
}

function nearest(numerator: bigint, denominator: bigint): bigint {
  return (2n * numerator + denominator) / (2n * denominator);
}

/** With ten decimals. */
function decimal(value: bigint): string {
  return `${String(value / DOLLAR)}.${(value % DOLLAR).toString().padStart(10, '0')}`;
}
