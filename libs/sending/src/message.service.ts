import { AuditService, type Author } from '@libs/audit';
import { UnitOfWork } from '@libs/database';
import {
  DomainError,
  EngineClock,
  newId,
  notFound,
  scaleTime,
  timeOfId,
  toPublicId,
  type EventId,
  type Issue,
  type MessageId,
  type Page,
  type PageRequest,
  type TenantId,
  isUuid,
} from '@libs/kernel';
import { Injectable } from '@nestjs/common';
import { ReadyOffers } from './backlog-offer.service';
import type { Message, Recipient } from './message';
import {
  conditionsOf,
  messageQuery,
  withinTime,
  type MessageFilter,
  type MessagePageRequest,
} from './message-filter.policy';
import { isStatementTimeout, MessageRepository, type SentAttempt, type TimelineEvent } from './message.repository';
import { TooManyToLookThrough } from './sending.errors';
import type { Wait } from './wait.policy';
import { WaitService } from './wait.service';

export interface Canceled {
  readonly canceled: readonly MessageId[];
  /** One per id that could not be canceled, at its place in `ids`. */
  readonly issues: readonly Issue[];
}

/** Messages canceled by one call with a filter at most; another call goes on where it stopped. */
const MAX_CANCEL = 10_000;

/**
 * What few messages match can be a look at all that a tenant ever sent. Who waits for a page is told so, and what to do, before
 * whatever is between gives up, and before others wait for what the look takes.
 */
const LOOK_SECONDS = 5;

/** An attempt was begun about when its id was made: clocks of two hosts differ, and a batch takes its time. */
const AROUND_MS = 600_000;

/** A tenant's messages: reading, explaining and canceling them. */
@Injectable()
export class MessageService {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly clock: EngineClock,
    private readonly rows: MessageRepository,
    private readonly waiting: WaitService,
    private readonly audit: AuditService,
    private readonly offers: ReadyOffers,
  ) {}

  /** @throws DomainError NOT_FOUND, for another tenant's message too. */
  async get(tenant: TenantId, id: string): Promise<Message> {
    const [message] = await this.findByIds(tenant, [id]);
    if (!message) throw notFound('The message');
    return message;
  }

  /** Those of the ids that exist and are the tenant's, in no particular order. */
  async findByIds(tenant: TenantId, ids: readonly string[]): Promise<Message[]> {
    return this.uow.forTenant(tenant, () => this.rows.findByIds(tenant, ids.filter(isUuid)));
  }

  /**
   * Newest first; a cursor is the id of a message.
   * @throws DomainError QUERY_TOO_COMPLEX naming createdAt where too many messages would have to be looked through
   */
  async list(tenant: TenantId, page: MessagePageRequest, filter: MessageFilter = {}): Promise<Page<Message>> {
    const query = withinTime(messageQuery(filter, page), this.clock.scale);
    return this.uow.forTenant(tenant, async () => {
      if (conditionsOf(filter).length > 0) await this.uow.allowStatements(LOOK_SECONDS);
      const found = await lookedThrough(filter, this.rows.page(tenant, query, page.limit));
      const more = found.length > page.limit;
      const rows = found.slice(0, page.limit);
      return query.backward
        ? { rows: rows.reverse(), hasNext: page.before !== undefined, hasPrevious: more }
        : { rows, hasNext: more, hasPrevious: page.after !== undefined };
    });
  }

  recipients(tenant: TenantId, ids: readonly MessageId[]): Promise<Map<MessageId, Recipient[]>> {
    return this.uow.forTenant(tenant, () => this.rows.recipients(tenant, ids));
  }

  /** What happened to a message, oldest first; a cursor is the id of an event. */
  async timeline(tenant: TenantId, id: MessageId, page: PageRequest): Promise<Page<TimelineEvent>> {
    const after = page.after ?? null;
    if (after !== null && !isUuid(after)) {
      throw new DomainError({ code: 'INVALID_INPUT', message: 'Not a cursor of this list.', path: ['after'] });
    }
    return this.uow.forTenant(tenant, async () => {
      const found = await this.rows.timeline(tenant, id, after, page.limit);
      return { rows: found.slice(0, page.limit), hasNext: found.length > page.limit, hasPrevious: after !== null };
    });
  }

  /** Timeline entries by id, for whoever refers to them (a suppression's cause). */
  events(tenant: TenantId, ids: readonly string[]): Promise<TimelineEvent[]> {
    const known = ids.filter(isUuid);
    if (known.length === 0) return Promise.resolve([]);
    const times = known.map((id) => scaleTime(timeOfId(id), this.clock.scale));
    const between = [Math.min(...times) - AROUND_MS, Math.max(...times) + AROUND_MS].map((ms) => new Date(ms));
    return this.uow.forTenant(tenant, () => this.rows.eventsByIds(tenant, known, between as [Date, Date]));
  }

  /** Why each message has not gone yet; no entry once it has. */
  waits(tenant: TenantId, ids: readonly MessageId[]): Promise<Map<MessageId, Wait>> {
    return this.waiting.waits(tenant, ids);
  }

  /** The attempts SES took, for the cost of messages. */
  sentAttempts(tenant: TenantId, ids: readonly MessageId[]): Promise<SentAttempt[]> {
    return this.uow.forTenant(tenant, () => this.rows.sentAttempts(tenant, ids));
  }

  /**
   * Cancels what still waits. By ids, each that was too late or unknown is an issue; by filter, whatever can be canceled
   * is, at most 10,000 a call. Audited with their number.
   * @throws DomainError INVALID_INPUT for a filter without a condition: nobody means everything by nothing; QUERY_TOO_COMPLEX as list
   */
  async cancel(
    tenant: TenantId,
    what: { readonly ids: readonly string[] } | { readonly filter: MessageFilter },
    by: Author,
  ): Promise<Canceled> {
    if ('filter' in what && conditionsOf(what.filter).length === 0) {
      const message = 'An empty filter would cancel everything that waits: give one condition at least.';
      throw new DomainError({ code: 'INVALID_INPUT', message, path: ['filter'] });
    }
    const now = this.clock.now();
    return this.uow.forTenant(tenant, async () => {
      const wanted =
        'ids' in what
          ? what.ids.filter(isUuid)
          : await lookedThrough(
              what.filter,
              this.rows.openIds(tenant, withinTime(messageQuery(what.filter), this.clock.scale), MAX_CANCEL),
            );
      const ended = await this.rows.cancel(
        tenant,
        [...new Set(wanted)],
        now,
        wanted.map(() => newId<EventId>()),
      );
      const canceled = ended.map(({ id }) => id);
      if (canceled.length > 0) {
        this.uow.onCommit(() => {
          // Not awaited: the customer's answer does not wait for a hint.
          void this.offers.withdraw(ended);
        });
        const asked = 'ids' in what ? { ids: what.ids.length } : { filter: conditionsOf(what.filter) };
        await this.audit.record({
          ...by,
          action: 'message.cancel',
          subject: toPublicId('tenant', tenant),
          tenant,
          detail: { ...asked, canceled: canceled.length },
        });
      }
      const issues = 'ids' in what ? await this.refusals(tenant, what.ids, canceled) : [];
      return { canceled, issues };
    });
  }

  private async refusals(tenant: TenantId, ids: readonly string[], canceled: readonly MessageId[]): Promise<Issue[]> {
    const done = new Set<string>(canceled);
    const left = ids.filter((id) => !done.has(id));
    if (left.length === 0) return [];
    const states = await this.rows.states(tenant, left.filter(isUuid));
    return ids.flatMap((id, index): Issue[] => {
      if (done.has(id)) return [];
      const path = ['ids', String(index)];
      const state = states.get(id);
      if (state === undefined) return [{ code: 'NOT_FOUND', message: 'The message was not found.', path }];
      // Asking twice is no mistake.
      if (state === 'CANCELED') return [];
      return [
        { code: 'TOO_LATE_TO_CANCEL', message: `The message can no longer be canceled: it is ${words(state)}.`, path },
      ];
    });
  }
}

async function lookedThrough<Found>({ createdAt }: MessageFilter, look: Promise<Found>): Promise<Found> {
  try {
    return await look;
  } catch (error) {
    if (!isStatementTimeout(error)) throw error;
    throw new TooManyToLookThrough((createdAt?.gte ?? createdAt?.lt ?? null) !== null);
  }
}

function words(state: string): string {
  return state === 'INTENT' ? 'being sent' : state.toLowerCase().replace('_', ' ');
}
