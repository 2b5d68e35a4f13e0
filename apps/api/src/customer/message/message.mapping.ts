import type { TenantEvent } from '@libs/billing';
import { toPublicId } from '@libs/kernel';
import type { Message as MessageRow, TimelineEvent } from '@libs/sending';
import { EventType, Message } from './message.type';

/** The row stays with the object; GraphQL shows declared fields only. */
export function toMessage(row: MessageRow): Message {
  return Object.assign(new Message(), { row, id: toPublicId('message', row.id) });
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
