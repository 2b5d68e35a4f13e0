import { goTogether, mayGoTogether, MOST_DESTINATIONS, type FleetRole, type OutgoingMail } from '@libs/aws';
import type { Stream } from '@libs/kernel';

/** A message that is about to start. */
export interface Starting {
  readonly role: FleetRole;
  readonly mail: OutgoingMail;
  readonly stream: Stream;
  readonly recipients: number;
  /** Recipients a second of its account. */
  readonly rate: number;
}

interface Request<Item> {
  readonly items: Item[];
  recipients: number;
  /** Recipients that it may have. */
  most: number;
}

/**
 * Which of those that start in the same moment go in one request: marketing mail of one configuration set and sender. It would
 * have started together anyhow, so that no pace changes; more recipients than the account may have in a second are never in
 * one request (aws-facts 1.3). Transactional mail goes by itself: what becomes of it depends on no other's request.
 * `mayShare`: whether the role may.
 */
export function shareRequests<Item extends Starting>(
  items: readonly Item[],
  mayShare: (role: FleetRole) => boolean,
): (readonly Item[])[] {
  const requests: Request<Item>[] = [];
  const open = new Map<string, Request<Item>>();
  for (const item of items) {
    const { configurationSet } = item.mail;
    const mayJoin = item.stream === 'MARKETING' && mayGoTogether(item.mail) && mayShare(item.role);
    const last = open.get(configurationSet);
    if (mayJoin && last !== undefined && goesWith(last, item)) {
      last.items.push(item);
      last.recipients += item.recipients;
      last.most = Math.min(last.most, item.rate);
      continue;
    }
    const request = { items: [item], recipients: item.recipients, most: Math.min(MOST_DESTINATIONS, item.rate) };
    requests.push(request);
    if (mayJoin) open.set(configurationSet, request);
    else open.delete(configurationSet);
  }
  return requests.map((request) => request.items);
}

function goesWith<Item extends Starting>({ items: [first], recipients, most }: Request<Item>, item: Item): boolean {
  const fits = recipients + item.recipients <= Math.min(most, item.rate);
  return fits && first?.role === item.role && goTogether(first.mail, item.mail);
}
