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
import { EngineClock, newId, type AttemptId, type EventId } from '@libs/kernel';
import { Injectable } from '@nestjs/common';
import { disbelief, evidenceOf, findings, proofs, strongest, type NamedAttempt } from './event-evidence.policy';
import { EventRepository, type NewTimelineEntry } from './event.repository';
import { isUuid } from './message-filter.policy';

interface Believed {
  readonly notificationId: string;
  readonly event: SesEvent;
  readonly attempt: NamedAttempt;
  readonly receivedAt: Date;
}

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

/**
 * Turns stored notifications into timelines, recipient states, suppressions and settled attempts. Everything of a run is
 * one transaction, so a crash repeats it; every statement is idempotent, so a repetition changes nothing; notifications
 * are taken with SKIP LOCKED, so any number of workers may run it.
 */
@Injectable()
export class EventApplier {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly clock: EngineClock,
    private readonly notifications: NotificationService,
    private readonly suppressions: SuppressionService,
    private readonly rows: EventRepository,
  ) {}

  /** Applies at most `limit` stored notifications, oldest first. Call again while `taken` equals `limit`. */
  applyStored(limit = PER_RUN): Promise<AppliedEvents> {
    return this.uow.forSystem(async () => {
      const stored = await this.notifications.takeStored(limit);
      if (stored.length === 0) return { taken: 0, applied: 0, rejected: 0 };
      const { believed, rejected } = await this.judge(stored);
      const attempts = new Map(believed.map(({ attempt }) => [attempt.id, attempt]));
      const free = await this.rows.lockFree([...attempts.values()]);
      // An attempt whose outcome is being written at this moment: its events stay stored for the next run.
      const ready = believed.filter(({ attempt }) => free.has(attempt.id));
      if (ready.length > 0) await this.apply(ready);
      await this.notifications.reject(rejected);
      await this.notifications.markDone(ready.map((one) => one.notificationId));
      return { taken: ready.length + rejected.length, applied: ready.length, rejected: rejected.length };
    });
  }

  private async judge(stored: readonly StoredNotification[]): Promise<{ believed: Believed[]; rejected: Rejected[] }> {
    const read = stored.map((notification) => ({ notification, event: eventIn(notification.body) }));
    const named = read.map(({ event }) => event?.tags['attempt'] ?? '').filter(isUuid);
    const attempts = new Map<string, NamedAttempt>(
      (await this.rows.attempts([...new Set(named)])).map((one) => [one.id, one]),
    );
    const believed: Believed[] = [];
    const rejected: Rejected[] = [];
    for (const { notification, event } of read) {
      const attempt = attempts.get(event?.tags['attempt'] ?? '');
      const reason = event ? disbelief(event, notification, attempt) : 'the message is not an event of SES';
      if (reason !== undefined) rejected.push({ id: notification.id, reason });
      else if (event && attempt) {
        believed.push({ notificationId: notification.id, event, attempt, receivedAt: notification.receivedAt });
      }
    }
    return { believed, rejected };
  }

  private async apply(believed: readonly Believed[]): Promise<void> {
    await this.record(believed);
    await this.rows.raise(strongest(believed.flatMap((one) => evidenceOf(one.event, one.attempt, one.receivedAt))));
    const proven = proofs(believed);
    await this.rows.proveAttempts(proven);
    await this.rows.settleMessages(proven, this.clock.now());
    await this.recordDuplicates(believed);
  }

  /** Timeline entries, and who is suppressed by those that are new. */
  private async record(believed: readonly Believed[]): Promise<void> {
    const all = believed.flatMap(({ event, attempt, receivedAt }) =>
      findings(event, attempt, receivedAt).map(({ entry, suppress }) => ({
        row: { ...entry, id: newId<EventId>(), tenantId: attempt.tenantId, messageId: attempt.messageId },
        suppress,
      })),
    );
    const added = await this.rows.addEntries(all.map(({ row }) => row));
    const news = all.flatMap(({ row, suppress }): SuppressionNews[] =>
      suppress && added.has(row.id) ? [{ tenantId: row.tenantId, ...suppress, cause: row.id }] : [],
    );
    await this.suppressions.addFromEvents(news);
  }

  /** A message that SES took twice is said to be one: on its timeline, once per extra copy. */
  private async recordDuplicates(believed: readonly Believed[]): Promise<void> {
    const sent = believed.filter(({ event }) => event.kind === 'Send');
    if (sent.length === 0) return;
    const refs = sent.map(({ attempt }) => ({ tenantId: attempt.tenantId, messageId: attempt.messageId }));
    const twice = await this.rows.sentTwice(refs);
    const foreign = await this.rows.foreignIds(
      sent.map(({ event, attempt }): { attemptId: AttemptId; sesMessageId: string } => ({
        attemptId: attempt.id,
        sesMessageId: event.sesMessageId,
      })),
    );
    const at = this.clock.now();
    const entry = (ref: (typeof refs)[number], mark: string, summary: string): NewTimelineEntry => ({
      ...ref,
      id: newId<EventId>(),
      type: 'message.duplicate',
      at,
      recipient: null,
      dedupeKey: `message.duplicate|${mark}`,
      summary,
      data: {},
    });
    const entries = [
      ...twice.map(({ times, ...ref }) =>
        entry(ref, String(times), `Sent ${String(times)} times: a lost answer was taken for a failure.`),
      ),
      ...foreign.map(({ sesMessageId, ...ref }) =>
        entry(ref, sesMessageId, 'One attempt was taken twice by the mail system.'),
      ),
    ];
    if (entries.length > 0) await this.rows.addEntries(entries);
  }
}

function eventIn(body: string): SesEvent | undefined {
  const message = parseSnsMessage(body);
  return message?.Type === 'Notification' ? parseSesEvent(message.Message) : undefined;
}
