import {
  canonicalAddress,
  DomainError,
  firstIdAt,
  isUuid,
  type ClockScale,
  type Issue,
  type Mode,
  type PageRequest,
  type Stream,
} from '@libs/kernel';
import { idempotencyKeyIssue, tagIssue } from './accept.policy';
import type { NameValueInput } from './accept-input';
import type { MessageState } from './recipient-state.policy';

/** Which messages; everything that is given must hold. */
export interface MessageFilter {
  readonly mode?: Mode | null;
  readonly state?: readonly MessageState[] | null;
  readonly stream?: Stream | null;
  readonly to?: string | null;
  readonly tag?: NameValueInput | null;
  readonly createdAt?: { readonly gte?: Date | null; readonly lt?: Date | null } | null;
  readonly idempotencyKey?: string | null;
}

/** A page of messages. `fromEnd` reads the last ones of the list when neither cursor is given. */
export type MessagePageRequest = PageRequest & { readonly fromEnd?: boolean };

/** A filter and a place in the list, ready to be asked. */
export interface MessageQuery {
  readonly mode: Mode | null;
  readonly states: readonly MessageState[] | null;
  readonly stream: Stream | null;
  readonly to: string | null;
  readonly tag: { readonly name: string; readonly value: string } | null;
  readonly createdFrom: Date | null;
  readonly createdBefore: Date | null;
  readonly idempotencyKey: string | null;
  readonly olderThan: string | null;
  readonly newerThan: string | null;
  readonly backward: boolean;
  /** Only what waits can match. */
  readonly waiting: boolean;
}

const WAITING: readonly MessageState[] = ['SCHEDULED', 'QUEUED'];

/** What a filter asks for beside the mode, which goes with the key. */
export function conditionsOf(filter: MessageFilter): string[] {
  const { state, stream, to, tag, createdAt, idempotencyKey } = filter;
  const given = { state: state?.length, stream, to, tag, createdAt: createdAt?.gte ?? createdAt?.lt, idempotencyKey };
  return Object.entries(given).flatMap(([name, value]) => (value ? name : []));
}

/**
 * A condition that can match nothing, or is empty, is a mistake: left out, it would list or cancel more than was meant.
 * @throws DomainError INVALID_INPUT naming each such condition, or a cursor that is none
 */
export function messageQuery(filter: MessageFilter, page?: MessagePageRequest): MessageQuery {
  for (const side of ['after', 'before'] as const) {
    const cursor = page?.[side];
    if (cursor !== undefined && !isUuid(cursor)) {
      throw new DomainError({ code: 'INVALID_INPUT', message: 'Not a cursor of this list.', path: [side] });
    }
  }
  DomainError.throwIfAny(conditionIssues(filter));
  return {
    mode: filter.mode ?? null,
    states: filter.state ?? null,
    stream: filter.stream ?? null,
    to: canonicalAddress(filter.to ?? '') ?? null,
    tag: filter.tag ? { name: filter.tag.name, value: filter.tag.value } : null,
    createdFrom: filter.createdAt?.gte ?? null,
    createdBefore: filter.createdAt?.lt ?? null,
    idempotencyKey: filter.idempotencyKey ?? null,
    olderThan: page?.after ?? null,
    newerThan: page?.before ?? null,
    waiting: filter.state?.every((state) => WAITING.includes(state)) ?? false,
    backward: page !== undefined && page.after === undefined && (page.before !== undefined || page.fromEnd === true),
  };
}

/** An id is made when its message is accepted, by the same clock; a clock that is set in that moment is not far off. */
const AROUND_MS = 600_000;

/**
 * Lists go by ids, and an id tells when it was made: a span of time begins and ends about at an id, and what lies beyond is
 * not read. The times themselves stay conditions. On real time only: which id a time had is not known through a scale.
 */
export function withinTime(query: MessageQuery, { speed, offsetMs }: ClockScale): MessageQuery {
  if (speed !== 1 || offsetMs !== 0) return query;
  const { createdFrom, createdBefore, newerThan, olderThan } = query;
  const from = createdFrom && firstIdAt(createdFrom.getTime() - AROUND_MS);
  const before = createdBefore && firstIdAt(createdBefore.getTime() + AROUND_MS);
  return {
    ...query,
    newerThan: from !== null && (newerThan === null || from > newerThan) ? from : newerThan,
    olderThan: before !== null && (olderThan === null || before < olderThan) ? before : olderThan,
  };
}

function conditionIssues({ state, to, tag, idempotencyKey }: MessageFilter): Issue[] {
  const issues: Issue[] = [];
  const refuse = (message: string, ...path: string[]) =>
    issues.push({ code: 'INVALID_INPUT', message, path: ['filter', ...path] });
  if (state?.length === 0) refuse('Name one state at least, or leave the condition out.', 'state');
  if (typeof to === 'string' && canonicalAddress(to) === undefined) {
    refuse('Not an address such as ann@example.com.', 'to');
  }
  for (const field of tag ? (['name', 'value'] as const) : []) {
    const message = tagIssue(field, tag?.[field] ?? '');
    if (message !== undefined) refuse(message, 'tag', field);
  }
  const keyIssue = typeof idempotencyKey === 'string' ? idempotencyKeyIssue(idempotencyKey) : undefined;
  if (keyIssue) refuse(keyIssue.message, 'idempotencyKey');
  return issues;
}
