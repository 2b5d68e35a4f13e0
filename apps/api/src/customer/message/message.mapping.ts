import type { TenantEvent } from '@libs/billing';
import { toPublicId, type MailAddress } from '@libs/kernel';
import type { Message as MessageRow, TimelineEvent } from '@libs/sending';
import { Address, EventType, Message, Recipient } from './message.type';

/** The row stays with the object for its field resolvers; GraphQL shows declared fields only. */
export function toMessage(row: MessageRow): Message {
  return Object.assign(new Message(), {
    row,
    id: toPublicId('message', row.id),
    state: row.state,
    stream: row.stream,
    mode: row.mode,
    from: toAddress(row.from),
    to: row.to.map(toAddress),
    recipients: row.recipients.map(({ email, state, at, detail }): Recipient => ({
      address: email,
      state,
      at,
      detail,
    })),
    subject: row.subject,
    region: row.region,
    tags: row.tags,
    createdAt: row.createdAt,
    scheduledAt: row.scheduledAt,
    expiresAt: row.expiresAt,
  });
}

export function toEvent(row: TimelineEvent): EventType {
  return Object.assign(new EventType(), {
    id: toPublicId('event', row.id),
    messageId: row.messageId,
    type: row.type,
    at: row.at,
    recipient: row.recipient,
    summary: row.summary,
    data: row.data,
  });
}

export function toTenantEvent({ id, type, at, summary, data }: TenantEvent): EventType {
  const about = { messageId: null, recipient: null };
  return Object.assign(new EventType(), { id: toPublicId('event', id), type, at, summary, data, ...about });
}

function toAddress({ email, name }: MailAddress): Address {
  return { email, name: name ?? null };
}
