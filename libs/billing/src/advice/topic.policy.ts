import { SKUS } from '../rates/rate-card.policy';

/** What money is paid for, on either side: the words in which cost and price are compared. */
export const TOPICS = [
  'RECIPIENTS',
  'DEDICATED_IPS',
  'FEES',
  'ATTACHMENTS',
  'EVENTS',
  'OTHER',
  /** AWS's credits, and credit notes of ours. */
  'CREDITS',
  'TAX',
] as const;
export type Topic = (typeof TOPICS)[number];

const COST_TOPICS: ReadonlyMap<string, Topic> = new Map<string, Topic>([
  [SKUS.recipient, 'RECIPIENTS'],
  [SKUS.vdmRecipient, 'RECIPIENTS'],
  [SKUS.dedicatedIp, 'DEDICATED_IPS'],
  [SKUS.managedIpBase, 'DEDICATED_IPS'],
  [SKUS.managedIpRecipient, 'DEDICATED_IPS'],
  [SKUS.baseFee, 'FEES'],
  [SKUS.attachmentGb, 'ATTACHMENTS'],
  [SKUS.snsPublish, 'EVENTS'],
  [SKUS.snsDelivery, 'EVENTS'],
]);

const PRICE_TOPICS: ReadonlyMap<string, Topic> = new Map<string, Topic>([
  ['plan.included_recipients', 'RECIPIENTS'],
  ['plan.recipients', 'RECIPIENTS'],
  ['plan.dedicated_ip', 'DEDICATED_IPS'],
  ['plan.base_fee', 'FEES'],
  ['plan.minimum', 'FEES'],
  ['invoice.credit', 'CREDITS'],
]);

/** @param category the charge category of the line */
export function topicOfCost(sku: string, category: string): Topic {
  if (category === 'Credit') return 'CREDITS';
  if (category === 'Tax') return 'TAX';
  return COST_TOPICS.get(sku) ?? 'OTHER';
}

export function topicOfPrice(sku: string): Topic {
  return PRICE_TOPICS.get(sku) ?? 'OTHER';
}
