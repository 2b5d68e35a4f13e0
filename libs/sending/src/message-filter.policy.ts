import { canonicalAddress, DomainError, type Mode, type PageRequest, type Stream, isUuid } from '@libs/kernel';
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
}

/** What a filter asks for beside the mode, which goes with the key. */
export function conditionsOf(filter: MessageFilter): string[] {
  const { state, stream, to, tag, createdAt, idempotencyKey } = filter;
  const given = { state: state?.length, stream, to, tag, createdAt: createdAt?.gte ?? createdAt?.lt, idempotencyKey };
  return Object.entries(given).flatMap(([name, value]) => (value ? name : []));
}

/** @throws DomainError INVALID_INPUT for a cursor that is none, or an address that is none. */
export function messageQuery(filter: MessageFilter, page?: MessagePageRequest): MessageQuery {
  for (const side of ['after', 'before'] as const) {
    const cursor = page?.[side];
    if (cursor !== undefined && !isUuid(cursor)) {
      throw new DomainError({ code: 'INVALID_INPUT', message: 'Not a cursor of this list.', path: [side] });
    }
  }
  const to = filter.to ? canonicalAddress(filter.to) : null;
  if (to === undefined) {
    throw new DomainError({
      code: 'INVALID_INPUT',
      message: 'Not an address such as ann@example.com.',
      path: ['filter', 'to'],
    });
  }
  const states = filter.state ?? [];
  return {
    mode: filter.mode ?? null,
    states: states.length === 0 ? null : states,
    stream: filter.stream ?? null,
    to,
    tag: filter.tag ? { name: filter.tag.name, value: filter.tag.value } : null,
    createdFrom: filter.createdAt?.gte ?? null,
    createdBefore: filter.createdAt?.lt ?? null,
    idempotencyKey: filter.idempotencyKey ?? null,
    olderThan: page?.after ?? null,
    newerThan: page?.before ?? null,
    backward: page !== undefined && page.after === undefined && (page.before !== undefined || page.fromEnd === true),
  };
}
