import type { Partitioned } from './partition.repository';
import type { PlanRetention } from './retention.repository';

/**
 * Attempts are what bills are made of: a month is billed after its end, and an attempt may end eight days after it
 * began. They hold no address and no content.
 */
const BILLING_DAYS = 100;

/** How many whole days a table is kept: as long as the longest-keeping plan in use asks. */
export function daysKept(table: Partitioned, plans: readonly PlanRetention[]): number {
  const body = Math.max(...plans.map((plan) => plan.bodyDays));
  const metadata = Math.max(...plans.map((plan) => plan.metadataDays));
  switch (table) {
    case 'message_body':
      return body;
    case 'attempt':
      return Math.max(metadata, BILLING_DAYS);
    case 'message':
    case 'recipient':
    case 'message_tag':
    case 'batch':
    case 'message_event':
      return metadata;
  }
}
