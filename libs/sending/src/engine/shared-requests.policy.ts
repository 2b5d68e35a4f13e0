import {
  contentBytes,
  goTogether,
  mayGoTogether,
  MOST_CONTENT_BYTES,
  MOST_DESTINATIONS,
  type FleetRole,
  type OutgoingMail,
} from '@libs/aws';
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
  readonly first: Item;
  readonly items: Item[];
  recipients: number;
  /** Recipients that it may have. */
  most: number;
  /** Of contents and headers; of one message alone nobody asks. */
  bytes?: number;
}

/**
 * Which of those that start in the same moment go in one request: marketing mail of one configuration set and sender. It would
 * have started together anyhow, so that no pace changes; more recipients than the account may have in a second are never in
 * one request (aws-facts 1.3), nor more bytes than SES takes. Transactional mail goes by itself: what becomes of it depends on no other's request.
 * `mayShare`: whether its role and its account may.
 */
export function shareRequests<Item extends Starting>(
  items: readonly Item[],
  mayShare: (item: Item) => boolean,
): (readonly Item[])[] {
  const requests: Request<Item>[] = [];
  const open = new Map<string, Request<Item>>();
  for (const item of items) {
    const { configurationSet } = item.mail;
    const mayJoin = item.stream === 'MARKETING' && mayGoTogether(item.mail) && mayShare(item);
    const last = open.get(configurationSet);
    if (mayJoin && last !== undefined && join(last, item)) continue;
    const { recipients, rate } = item;
    const request = { first: item, items: [item], recipients, most: Math.min(MOST_DESTINATIONS, rate) };
    requests.push(request);
    if (mayJoin) open.set(configurationSet, request);
    else open.delete(configurationSet);
  }
  return requests.map((request) => request.items);
}

/** Answers whether it does. */
function join<Item extends Starting>(request: Request<Item>, item: Item): boolean {
  const { first } = request;
  const recipients = request.recipients + item.recipients;
  const most = Math.min(request.most, item.rate);
  if (recipients > most || first.role !== item.role || !goTogether(first.mail, item.mail)) return false;
  const bytes = (request.bytes ?? contentBytes(first.mail)) + contentBytes(item.mail, first.mail);
  if (bytes > MOST_CONTENT_BYTES) return false;
  request.items.push(item);
  Object.assign(request, { recipients, most, bytes });
  return true;
}
