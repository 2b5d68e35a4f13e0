import { UnitOfWork } from '@libs/database';
import {
  NotificationService,
  parseSesEvent,
  parseSnsMessage,
  SuppressionService,
  type SesEvent,
  type StoredNotification,
  type SuppressionNews,
} from '@libs/deliverability';
import { SendingAccountService } from '@libs/fleet';
import { EngineClock, newId, type AttemptId, type EventId, type MessageId, type TenantId, isUuid } from '@libs/kernel';
import { Log, Metrics } from '@libs/observability';
import { Injectable } from '@nestjs/common';
import { disbelief, evidenceOf, findings, strongest, type NamedAttempt } from './event-evidence.policy';
import { isNews, isSaidByMessage, proofs, settles, type Believed, type ProvenAttempt } from './event-proof.policy';
import { EventRepository, type AttemptRef, type NewTimelineEntry } from './event.repository';
import { isPoison } from './poison.policy';

interface Rejected {
  readonly id: string;
  readonly reason: string;
}

export interface AppliedEvents {
  /** Notifications dealt with; as many as asked means there may be more. */
  readonly taken: number;
  readonly applied: number;
  readonly rejected: number;
}

const PER_RUN = 500;
/** So long an account's mail goes one by one after SES could not render what shared a request: as after a template that it refused. */
const APART_MS = 600_000;
const NOTHING: AppliedEvents = { taken: 0, applied: 0, rejected: 0 };

/**
 * Turns stored notifications into timelines, recipient states, suppressions and settled attempts. Everything of a run is
 * one transaction, so a crash repeats it; every statement is idempotent, so a repetition changes nothing; notifications
 * are taken with SKIP LOCKED, so any number of workers may run it.
 */
@Injectable()
export class EventApplier {
  private readonly duplicates;
  private readonly unrendered;

  constructor(
    private readonly uow: UnitOfWork,
    private readonly clock: EngineClock,
    private readonly notifications: NotificationService,
    private readonly suppressions: SuppressionService,
    private readonly rows: EventRepository,
    private readonly accounts: SendingAccountService,
    private readonly log: Log,
    metrics: Metrics,
  ) {
    this.duplicates = metrics.counter('message_duplicates_total', 'Copies of messages that SES took more than once');
    this.unrendered = metrics.counter('rendering_failures_total', 'Messages that SES took and could not render');
  }

  /**
   * Applies at most `limit` stored notifications, oldest first. Call again while `taken` equals `limit`. When one of them
   * cannot be applied at all, each gets a transaction of its own and that one is set aside with the reason.
   */
  async applyStored(limit = PER_RUN): Promise<AppliedEvents> {
    if (!(await this.notifications.anyStored())) return NOTHING;
    let ids: readonly string[] = [];
    try {
      return await this.uow.forSystem(async () => {
        const stored = await this.notifications.takeStored(limit);
        ids = stored.map((one) => one.id);
        return this.applyTaken(stored);
      });
    } catch (error) {
      if (!isPoison(error)) throw error;
      return this.applyOneByOne(ids);
    }
  }

  private async applyOneByOne(ids: readonly string[]): Promise<AppliedEvents> {
    const sum = { ...NOTHING };
    for (const id of ids) {
      const one = await this.applyAlone(id);
      sum.taken += one.taken;
      sum.applied += one.applied;
      sum.rejected += one.rejected;
    }
    return sum;
  }

  private async applyAlone(id: string): Promise<AppliedEvents> {
    try {
      return await this.uow.forSystem(async () => this.applyTaken(await this.notifications.takeStored(1, id)));
    } catch (error) {
      if (!isPoison(error)) throw error;
      const reason = `it could not be applied: ${error instanceof Error ? error.message : String(error)}`.slice(0, 500);
      await this.notifications.reject([{ id, reason }]);
      return { taken: 1, applied: 0, rejected: 1 };
    }
  }

  private async applyTaken(stored: readonly StoredNotification[]): Promise<AppliedEvents> {
    if (stored.length === 0) return NOTHING;
    const read = stored.map((notification) => ({ notification, event: eventIn(notification.body) }));
    const { free, known } = await this.attemptsOf(read.flatMap(({ event }) => refOf(event) ?? []));
    const ready: Believed[] = [];
    const rejected: Rejected[] = [];
    for (const { notification, event } of read) {
      const ref = refOf(event);
      const attempt = ref && (free.get(ref.id) ?? known.get(ref.id));
      const reason = event ? disbelief(event, notification, attempt) : 'the message is not an event of SES';
      if (reason !== undefined) rejected.push({ id: notification.id, reason });
      // An attempt whose outcome is being written at this moment: its events stay stored for the next run.
      else if (event && attempt && free.has(attempt.id)) {
        ready.push({ notificationId: notification.id, event, attempt, receivedAt: notification.receivedAt });
      }
    }
    if (ready.length > 0) {
      await this.apply(ready);
      await this.rows.countDeliveries(ready);
    }
    await this.notifications.reject(rejected);
    await this.notifications.markDone(ready.map((one) => one.notificationId));
    return { taken: ready.length + rejected.length, applied: ready.length, rejected: rejected.length };
  }

  /** The attempts that exist: those locked for this run, and those that somebody else holds. */
  private async attemptsOf(
    named: readonly AttemptRef[],
  ): Promise<{ free: Map<AttemptId, NamedAttempt>; known: Map<AttemptId, NamedAttempt> }> {
    const refs = [...new Map(named.map((ref) => [`${ref.tenantId} ${ref.messageId} ${ref.id}`, ref])).values()];
    const byId = (found: readonly NamedAttempt[]) => new Map(found.map((one) => [one.id, one]));
    const free = byId(refs.length === 0 ? [] : await this.rows.lockFree(refs));
    const rest = refs.filter((ref) => !free.has(ref.id));
    return { free, known: byId(rest.length === 0 ? [] : await this.rows.attempts(rest)) };
  }

  private async apply(believed: readonly Believed[]): Promise<void> {
    await this.record(believed);
    const evidence = believed.flatMap(({ event, attempt, receivedAt }) =>
      evidenceOf(event, attempt, receivedAt).filter((item) => !isSaidByMessage(item, attempt)),
    );
    await this.rows.raise(strongest(evidence));
    const proven = proofs(believed);
    await this.rows.proveAttempts(proven.filter(isNews));
    await this.rows.settleMessages(
      proven.filter(settles).map(({ attempt }) => attempt),
      this.clock.now(),
    );
    await this.recordDuplicates(believed, proven);
  }

  /** Timeline entries, and who is suppressed by those that are new. */
  private async record(believed: readonly Believed[]): Promise<void> {
    const all = believed.flatMap(({ event, attempt, receivedAt }) =>
      findings(event, attempt, receivedAt).map(({ entry, suppress }) => ({
        account: attempt.sendingAccountId,
        row: { ...entry, id: newId<EventId>(), tenantId: attempt.tenantId, messageId: attempt.messageId },
        suppress,
        isUnrendered: event.kind === 'Rendering Failure',
      })),
    );
    const added = await this.rows.addEntries(all.map(({ row }) => row));
    const news = all.flatMap(({ row, suppress }): SuppressionNews[] =>
      suppress && added.has(row.id) ? [{ tenantId: row.tenantId, ...suppress, cause: row.id }] : [],
    );
    await this.suppressions.addFromEvents(news);
    const unrendered = all.filter(({ row, isUnrendered }) => isUnrendered && added.has(row.id));
    if (unrendered.length > 0)
      this.uow.onCommit(async () => {
        this.sayUnrendered(unrendered.map(({ row }) => row));
        const accounts = [...new Set(unrendered.map(({ account }) => account))];
        await this.accounts.keepApart(accounts, new Date(this.clock.nowMs() + APART_MS));
      });
  }

  /** The only templates are those of our own shared requests, which leave nothing to be missing: never the customer's fault, and the next would fare alike. */
  private sayUnrendered(rows: readonly NewTimelineEntry[]): void {
    this.unrendered.inc(rows.length);
    const [first] = rows;
    const about = { count: rows.length, message: first?.messageId, answer: first?.summary };
    this.log.error('SES took mail of shared requests and could not render it: nobody has it', about);
  }

  /** A message that SES took twice is said to be one: on its timeline, once per extra copy. */
  private async recordDuplicates(believed: readonly Believed[], proven: readonly ProvenAttempt[]): Promise<void> {
    const at = this.clock.now();
    const entry = (ref: Pick<AttemptRef, 'tenantId' | 'messageId'>, mark: string, summary: string) =>
      ({
        tenantId: ref.tenantId,
        messageId: ref.messageId,
        id: newId<EventId>(),
        type: 'message.duplicate',
        at,
        recipient: null,
        dedupeKey: `message.duplicate|${mark}`,
        summary,
        data: {},
      }) as const satisfies NewTimelineEntry;
    const repeated = proven.filter(({ attempt }) => attempt.lastAttemptNo > 1).map(({ attempt }) => attempt);
    const twice = (await this.rows.sentTwice(repeated)).map(({ times, ...ref }) =>
      entry(ref, String(times), `Sent ${String(times)} times: a lost answer was taken for a failure.`),
    );
    // A Send event under another SES id than the one known: SES took that attempt twice.
    const ids = new Map(proven.map(({ attempt, proof }) => [attempt.id, attempt.sesMessageId ?? proof.sesMessageId]));
    const foreign = believed
      .filter(({ event, attempt }) => event.kind === 'Send' && event.sesMessageId !== ids.get(attempt.id))
      .map(({ event, attempt }) =>
        entry(attempt, event.sesMessageId, 'One attempt was taken twice by the mail system.'),
      );
    const added = await this.rows.addEntries([...twice, ...foreign]);
    this.uow.onCommit(() => {
      this.duplicates.inc(added.size);
    });
  }
}

function eventIn(body: string): SesEvent | undefined {
  const message = parseSnsMessage(body);
  return message?.Type === 'Notification' ? parseSesEvent(message.Message) : undefined;
}

function refOf(event: SesEvent | undefined): AttemptRef | undefined {
  const { tenant = '', message = '', attempt = '' } = event?.tags ?? {};
  if (!isUuid(tenant) || !isUuid(message) || !isUuid(attempt)) return undefined;
  return { tenantId: tenant as TenantId, messageId: message as MessageId, id: attempt as AttemptId };
}
