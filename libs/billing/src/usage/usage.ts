import type { LaneId, SendingAccountId, TenantId } from '@libs/kernel';
import type { Span } from '../billing-period.policy';
import { SKUS } from '../rates/rate-card.policy';

/** What is counted, by the names under which it is booked. */
export const COUNTED = {
  /** Recipients that SES accepted: a tenant's first attempt of each message, nobody's for further ones. */
  recipient: SKUS.recipient,
  /** Bytes of attachments times recipients. */
  attachment: SKUS.attachmentGb,
  /** The same recipients by dedicated pool and hour: who used an IP when. */
  poolRecipient: 'ses.pool_recipient',
  /** Milliseconds of leased IPs: the pool owner's, nobody's by the hour in shared pools, nobody's in no pool. */
  dedicatedIp: SKUS.dedicatedIp,
  /** Events that SNS delivered to us over HTTP. */
  delivery: 'sns.delivery',
} as const;
export type CountedSku = (typeof COUNTED)[keyof typeof COUNTED];

/** How much of one thing was used in a day, or in an hour where the hour matters. */
export interface UsageRow {
  readonly span: Span;
  /** Null = the platform's, or nobody's yet. */
  readonly tenantId: TenantId | null;
  readonly sendingAccountId: SendingAccountId;
  readonly laneId: LaneId | null;
  readonly sku: CountedSku;
  readonly quantity: bigint;
}
