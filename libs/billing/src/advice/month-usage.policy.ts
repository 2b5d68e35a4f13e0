import type { TenantId } from '@libs/kernel';
import type { SegmentUsage } from '../invoice/invoice-draft.policy';
import { daysOfSegments, type PriceSegment } from '../price/price-segments.policy';
import { COUNTED, type UsageRow } from '../usage/usage';

type UsedOnDay = SegmentUsage & { readonly day: string };

/** What each tenant used, ready to be laid on the prices of its month. */
export class MonthUsage {
  private readonly days = new Map<TenantId, UsedOnDay[]>();

  constructor(rows: readonly UsageRow[]) {
    for (const { tenantId, sku, span, quantity } of rows) {
      const isRecipients = sku === COUNTED.recipient;
      if (tenantId === null || (!isRecipients && sku !== COUNTED.dedicatedIp)) continue;
      const own = this.days.get(tenantId) ?? [];
      this.days.set(tenantId, own);
      own.push({
        day: span.from.toISOString().slice(0, 10),
        recipients: isRecipients ? quantity : 0n,
        ipMs: isRecipients ? 0n : quantity,
      });
    }
  }

  /** The same segments with what was used in each, by the rule by which invoices count days. */
  within<Segment extends PriceSegment>(tenant: TenantId, segments: readonly Segment[]): (Segment & SegmentUsage)[] {
    const used = this.days.get(tenant) ?? [];
    const ranges = daysOfSegments(segments).values();
    return segments.map((segment) => {
      const range = ranges.next().value;
      const own = used.filter(({ day }) => range !== undefined && day >= range.from && day < range.to);
      return { ...segment, ...sumOf(own) };
    });
  }

  of(tenant: TenantId): SegmentUsage {
    return sumOf(this.days.get(tenant) ?? []);
  }
}

function sumOf(used: readonly SegmentUsage[]): SegmentUsage {
  let [recipients, ipMs] = [0n, 0n];
  for (const one of used) {
    recipients += one.recipients;
    ipMs += one.ipMs;
  }
  return { recipients, ipMs };
}
