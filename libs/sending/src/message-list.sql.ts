import type { TenantId } from '@libs/kernel';
import type { NameValueInput } from './accept-input';
import type { MessageQuery } from './message-filter.policy';
import { ADVANCE_ORDER, type MessageState } from './recipient-state.policy';

export interface Statement {
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

const FIRST_ID = '00000000-0000-0000-0000-000000000000';
const LAST_ID = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

/**
 * A page of messages: newest first, or oldest first when read backwards. Only conditions that are given stand in it: behind
 * "is not asked for, or" none of them is a way to its rows, and all that a tenant ever sent was read instead.
 */
export function listMessages(columns: string, tenant: TenantId, query: MessageQuery, limit: number): Statement {
  const { conditions, parameter, values } = conditionsOf(tenant, query);
  const span = [
    'm.tenant_id = $1',
    ...ofTests(query),
    ...beyond(query).map(([sign, other]) => `m.id ${sign} ${parameter(other)}`),
  ];
  // What leads to no rows and costs next to nothing is asked above the days, as in listAlong.
  const isPlain = query.to === null && query.states === null && query.idempotencyKey === null;
  const meant = isPlain ? `CROSS JOIN LATERAL (SELECT WHERE ${conditions.join(' AND ')} OFFSET 0) AS meant` : '';
  if (!isPlain) span.push(...conditions);
  const text = `SELECT ${columns} FROM message m ${meant} WHERE ${span.join(' AND ')}
    ORDER BY m.id ${query.backward ? '' : 'DESC'} LIMIT ${parameter(limit)}`;
  return { text, values };
}

/**
 * Whether the states are those of messages and of recipients, mixed, as in "what failed?". Where SENT is among them most match as
 * a rule, and are found soonest one after the other.
 */
export function areOfBoth(states: readonly MessageState[]): boolean {
  const pure = [OF_MESSAGES, OF_RECIPIENTS].some((kind) => states.every((state) => kind.includes(state)));
  return !pure && !states.includes('SENT');
}

/**
 * The ids of those in such states: the least advanced recipient of each is in one of them by itself, or with its message. Those by
 * recipients first; what would come after a whole page of them is not looked for among messages, most of which may match none.
 */
export function listOfBoth(tenant: TenantId, query: MessageQuery, limit: number): Statement {
  const { conditions, parameter, values } = conditionsOf(tenant, { ...query, states: null });
  for (const [sign, other] of beyond(query)) conditions.push(`m.id ${sign} ${parameter(other)}`);
  const states = `${parameter(query.states)}::text[]`;
  const most = `${parameter(limit)}::bigint`;
  const order = `ORDER BY id ${query.backward ? '' : 'DESC'}`;
  const list = (...ways: readonly string[]): string => `SELECT m.id FROM message m
    WHERE ${[...conditions, ...ways, `${LEAST_ADVANCED} = ANY (${states})`].join(' AND ')} ${order} LIMIT ${most}`;
  const [sign, end] = query.backward ? ['<=', LAST_ID] : ['>=', FIRST_ID];
  const within = `m.id ${sign} coalesce((SELECT id FROM alone ${order} LIMIT 1 OFFSET ${most} - 1), '${end}')`;
  const text = `
    WITH alone AS MATERIALIZED (${list(hasRecipient(`r.state = ANY (${states})`))}),
         whole AS MATERIALIZED (${list(`${SHOWN} = ANY (${states})`, within)})
    SELECT id FROM alone UNION SELECT id FROM whole ${order} LIMIT ${most}`;
  return { text, values };
}

/**
 * What has a row for each message that may be meant: a table in the order in which messages are listed, or an idempotency key or an
 * address, under which there are few. With each the condition that is met by being led by it.
 */
const LED_BY = { backlog: null, message_tag: 'tag', 'idempotency key': 'idempotencyKey', address: 'to' } as const;
export type Lead = keyof typeof LED_BY;

/** A tag or an address that so few messages have is the shortest way to them, whatever else is asked for. */
const FEW = 10_000;

/** Whether few have the tag that is asked for: so many rows of its key are read at most. */
export function countTagged(tenant: TenantId, { name, value }: NameValueInput): Statement {
  const text = `SELECT count(*) <= $4 AS few FROM (
    SELECT FROM message_tag WHERE tenant_id = $1 AND name = $2 AND value = $3 LIMIT $4 + 1) AS t`;
  return { text, values: [tenant, name, value, FEW] };
}

/** The same of an address. */
export function countAddressed(tenant: TenantId, address: string): Statement {
  const text = `SELECT count(*) <= $3 AS few FROM (
    SELECT FROM recipient WHERE tenant_id = $1 AND address = $2 LIMIT $3 + 1) AS r`;
  return { text, values: [tenant, address, FEW] };
}

/**
 * The ids of those that such a table leads to, in the same order. Each message is looked up by its key when its turn comes,
 * whatever the planner believes: right after a campaign was accepted it takes a join of its rows for next to nothing.
 */
export function listAlong(lead: Lead, tenant: TenantId, query: MessageQuery, limit: number): Statement {
  const met = LED_BY[lead];
  const { conditions, parameter, values } = conditionsOf(tenant, met ? { ...query, [met]: null } : query);
  const own = ['l.tenant_id = $1'];
  if (lead === 'message_tag' && query.tag)
    own.push(`l.name = ${parameter(query.tag.name)}`, `l.value = ${parameter(query.tag.value)}`);
  if (lead !== 'backlog' && query.waiting) conditions.push(`m.state IN ('SCHEDULED', 'READY')`);
  // Its rows say so themselves: not one message of a campaign need be looked up for those of the other stream.
  for (const column of lead === 'backlog' ? (['mode', 'stream'] as const) : []) {
    if (query[column] !== null) own.push(`l.${column} = ${parameter(query[column])}`);
  }
  const rows = rowsOf(lead, () => parameter(lead === 'address' ? query.to : query.idempotencyKey));
  for (const [sign, other] of beyond(query)) own.push(`l.message_id ${sign} ${parameter(other)}`);
  // Apart by OFFSET: it can be neither hashed nor merged, and is asked above the days of the tags. Within each of them, every day
  // would have to find its first match before the page could begin.
  const text = `SELECT l.message_id AS id FROM ${rows} l
    CROSS JOIN LATERAL (SELECT FROM message m WHERE m.id = l.message_id AND ${conditions.join(' AND ')} OFFSET 0) AS meant
    WHERE ${own.join(' AND ')}
    ORDER BY l.message_id ${query.backward ? '' : 'DESC'} LIMIT ${parameter(limit)}`;
  return { text, values };
}

/** Where they are found by a value, apart by OFFSET: nothing else that is asked for may offer another way to them. */
function rowsOf(lead: Lead, value: () => string): string {
  if (lead === 'idempotency key')
    return `(SELECT k.tenant_id, k.id AS message_id FROM message k
      WHERE k.tenant_id = $1 AND k.idempotency_key = ${value()} OFFSET 0)`;
  if (lead === 'address')
    return `(SELECT DISTINCT a.tenant_id, a.message_id FROM recipient a
      WHERE a.tenant_id = $1 AND a.address = ${value()} OFFSET 0)`;
  return lead;
}

/**
 * Whether SENT is asked for and DELIVERED is not: as a rule nearly all that went was delivered, and few match.
 */
export function areUndelivered(states: readonly MessageState[]): boolean {
  return states.includes('SENT') && !states.includes('DELIVERED');
}

/**
 * The ids of those in such states, along the recipients: who has a state of its own that is not asked for is passed over in its
 * place, at a tenth of what it costs to look a message's recipients up.
 */
export function listUndelivered(tenant: TenantId, query: MessageQuery, limit: number): Statement {
  const { conditions, parameter, values } = conditionsOf(tenant, query);
  const states = `${parameter(query.states)}::text[]`;
  const own = ['l.tenant_id = $1', `(l.state IS NULL OR l.state = ANY (${states}))`];
  for (const [sign, other] of beyond(query)) own.push(`l.message_id ${sign} ${parameter(other)}`);
  const text = `SELECT DISTINCT l.message_id AS id FROM recipient l
    CROSS JOIN LATERAL (SELECT FROM message m
      WHERE m.id = l.message_id AND coalesce(l.state, ${SHOWN}) = ANY (${states}) AND ${conditions.join(' AND ')} OFFSET 0) AS meant
    WHERE ${own.join(' AND ')}
    ORDER BY l.message_id ${query.backward ? '' : 'DESC'} LIMIT ${parameter(limit)}`;
  return { text, values };
}

function beyond({ olderThan, newerThan }: MessageQuery): (readonly [sign: string, id: string])[] {
  return [
    ...(olderThan === null ? [] : [['<', olderThan] as const]),
    ...(newerThan === null ? [] : [['>', newerThan] as const]),
  ];
}

/** Written out, as the index of test messages is: all that a tenant ever sent in live mode would be read to find the few. */
function ofTests({ mode }: MessageQuery): string[] {
  return mode === 'TEST' ? [`m.mode = 'TEST'`] : [];
}

/** What must hold of a message m. Of the values, the first is the tenant. */
function conditionsOf(tenant: TenantId, query: MessageQuery) {
  const values: unknown[] = [tenant];
  const conditions = ['m.tenant_id = $1'];
  const parameter = (value: unknown): string => `$${String(values.push(value))}`;
  const where = (value: unknown, condition: (parameter: string) => string): void => {
    if (value !== null) conditions.push(condition(parameter(value)));
  };
  where(query.mode, (mode) => `m.mode = ${mode}`);
  where(query.stream, (stream) => `m.stream = ${stream}`);
  where(query.createdFrom, (from) => `m.created_at >= ${from}`);
  where(query.createdBefore, (before) => `m.created_at < ${before}`);
  where(query.idempotencyKey, (key) => `m.idempotency_key = ${key}`);
  where(query.tag && JSON.stringify([query.tag]), (tag) => `m.tags @> ${tag}::jsonb`);
  where(query.to, (address) => hasRecipient(`r.address = ${address}`));
  where(query.states, (states) => isShownAs(states, query.states ?? []));
  return { conditions, parameter, values };
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
