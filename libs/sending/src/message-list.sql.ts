import type { TenantId } from '@libs/kernel';
import type { MessageQuery } from './message-filter.policy';
import { ADVANCE_ORDER, type MessageState } from './recipient-state.policy';

interface Statement {
  readonly text: string;
  readonly values: readonly unknown[];
}

/** What a customer sees of a message m in that state; of a recipient too, unless something is known of it alone. */
export const SHOWN = `CASE m.state WHEN 'READY' THEN 'QUEUED' WHEN 'INTENT' THEN 'SENDING' ELSE m.state END`;

const ORDER = `ARRAY[${ADVANCE_ORDER.map((state) => `'${state}'`).join(', ')}]`;
const LEAST_ADVANCED = `(${ORDER})[(SELECT min(array_position(${ORDER}, coalesce(r.state, ${SHOWN}))) FROM recipient r
  WHERE r.tenant_id = m.tenant_id AND r.message_id = m.id)]`;

/** States of a message as a whole, which no recipient comes into alone. */
const OF_MESSAGES: readonly MessageState[] = ['SCHEDULED', 'QUEUED', 'SENDING', 'IN_DOUBT', 'EXPIRED', 'CANCELED'];
/** States that recipients come into one by one, and a message only through one of them. */
const OF_RECIPIENTS: readonly MessageState[] = ['DELIVERED', 'BOUNCED', 'COMPLAINED'];

/** Whatever the planner believes, from the backlog to its messages (`= ANY (ARRAY[x])`: see claim.sql.ts). */
const WAITING =
  'backlog b JOIN message m ON m.tenant_id = ANY (ARRAY[b.tenant_id]) AND m.id = ANY (ARRAY[b.message_id]) AND b.tenant_id = $1';

/**
 * A page of messages: newest first, or oldest first when read backwards. What waits is looked for in the backlog alone.
 * Only conditions that are given stand in it: behind "is not asked for, or" none of them is a way to its rows, and all that
 * a tenant ever sent was read instead.
 */
export function listMessages(columns: string, tenant: TenantId, query: MessageQuery, limit: number): Statement {
  const id = query.waiting ? 'b.message_id' : 'm.id';
  const values: unknown[] = [tenant];
  const conditions = ['m.tenant_id = $1'];
  const where = (value: unknown, condition: (parameter: string) => string): void => {
    if (value === null) return;
    values.push(value);
    conditions.push(condition(`$${String(values.length)}`));
  };
  where(query.mode, (mode) => `m.mode = ${mode}`);
  where(query.stream, (stream) => `m.stream = ${stream}`);
  where(query.createdFrom, (from) => `m.created_at >= ${from}`);
  where(query.createdBefore, (before) => `m.created_at < ${before}`);
  where(query.idempotencyKey, (key) => `m.idempotency_key = ${key}`);
  where(query.tag && JSON.stringify([query.tag]), (tag) => `m.tags @> ${tag}::jsonb`);
  where(query.to, (address) => hasRecipient(`r.address = ${address}`));
  where(query.states, (states) => isShownAs(states, query.states ?? []));
  where(query.olderThan, (other) => `${id} < ${other}`);
  where(query.newerThan, (other) => `${id} > ${other}`);
  values.push(limit);
  const text = `SELECT ${columns} FROM ${query.waiting ? WAITING : 'message m'}
    WHERE ${conditions.join(' AND ')} ORDER BY ${id} ${query.backward ? '' : 'DESC'} LIMIT $${String(values.length)}`;
  return { text, values };
}

/** The state of each message is worked out from its recipients; most of those in question are told by less. */
function isShownAs(parameter: string, states: readonly MessageState[]): string {
  const exactly = `${LEAST_ADVANCED} = ANY (${parameter}::text[])`;
  if (states.every((state) => OF_MESSAGES.includes(state)))
    return `${SHOWN} = ANY (${parameter}::text[]) AND ${exactly}`;
  if (states.every((state) => OF_RECIPIENTS.includes(state))) {
    return `${hasRecipient(`r.state = ANY (${parameter}::text[])`)} AND ${exactly}`;
  }
  return exactly;
}

function hasRecipient(condition: string): string {
  return `EXISTS (SELECT FROM recipient r WHERE r.tenant_id = $1 AND r.message_id = m.id AND ${condition})`;
}
