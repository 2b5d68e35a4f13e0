import { UnitOfWork, type Statements } from '@libs/database';
import {
  newId,
  type AttemptId,
  type BatchId,
  type MessageId,
  type SendingAccountId,
  type TenantId,
} from '@libs/kernel';
import { Inject, Injectable } from '@nestjs/common';
import { attemptKey } from '../event-type.policy';
import type { DaySuffix } from './day-suffix.policy';
import { DayTables } from './day-tables.service';
import { verdictOf, type AttemptEnd } from './outcome.policy';
import { APPLY, applySentOf, END_IN_DOUBT, EVENTS, LOCK, OPEN_ATTEMPTS, SETTLE, USAGE } from './outcome.sql';

/** One attempt and what became of it. */
export interface AttemptOutcome {
  readonly tenantId: TenantId;
  readonly messageId: MessageId;
  readonly attemptId: AttemptId;
  readonly end: AttemptEnd;
  /** Engine time. */
  readonly at: Date;
}

/** Recipients of a batch per tenant. */
export interface BatchUsage {
  readonly tenantId: TenantId;
  /** SES has them or may have them. */
  readonly used: number;
  /** SES refused them. */
  readonly refused: number;
}

export interface SettledBatch {
  readonly batchId: BatchId;
  /** Recipients SES has or may have. */
  readonly used: number;
  readonly at: Date;
}

export type OutcomeStatements = Omit<OutcomeRepository, 'within'>;

const MAX_ERROR = 500;
const UNSTORABLE = 'What Amazon SES said cannot be stored.';
const NOT_WRITTEN = 'What became of the message could not be written down. It is not sent again.';

/** What is stored of an answer beside what it means. */
interface Words {
  readonly sesMessageId: string | null;
  readonly code: string | null;
  readonly text: string | null;
}

@Injectable()
export class OutcomeRepository {
  constructor(
    @Inject(UnitOfWork) private readonly uow: Statements,
    private readonly days: DayTables,
  ) {}

  /** The same statements where they are handed on (UnitOfWork.forEngine, forLooks). */
  within(unit: Statements): OutcomeStatements {
    return new OutcomeRepository(unit, this.days);
  }

  /** Writes ends of attempts with everything that follows from them; repeating it changes nothing. */
  async apply(outcomes: readonly AttemptOutcome[]): Promise<void> {
    // In the order of their messages: whoever else ends attempts of the same messages waits, never in a circle.
    const ordered = [...outcomes].sort((a, b) => (a.messageId < b.messageId ? -1 : 1));
    const sent = ordered.filter(({ end }) => end.kind === 'sent');
    const unusual = ordered.filter(({ end }) => end.kind !== 'sent');
    if (sent.length > 0) {
      await this.days.refresh(this.uow);
      for (const [day, outcomes] of this.byDay(sent)) unusual.push(...(await this.applySent(day, outcomes)));
    }
    if (unusual.length > 0) await this.applyAny(unusual);
  }

  /** One end without anything that SES said: for one whose words PostgreSQL does not take. */
  applyWithoutWords(outcome: AttemptOutcome): Promise<void> {
    return this.applyAny([outcome], ({ kind }) =>
      // The code as it is: usage() tells by it what was never started.
      ({ sesMessageId: null, code: kind === 'sent' ? null : kind, text: kind === 'sent' ? null : UNSTORABLE }),
    );
  }

  /** Leaves one attempt and its message in doubt for good: its end cannot be written, and it must not go again. */
  async endInDoubt({ tenantId, messageId, attemptId, at }: AttemptOutcome): Promise<void> {
    await this.uow.query(END_IN_DOUBT, [tenantId, messageId, attemptId, at, NOT_WRITTEN]);
  }

  /** Recipients of a batch per tenant: those SES has or may have, and those it refused. */
  usage(batch: BatchId): Promise<BatchUsage[]> {
    return this.uow.query(USAGE, [batch]);
  }

  /** Closes batches: from now on each counts what SES has or may have of it. */
  async settleBatches(batches: readonly SettledBatch[]): Promise<void> {
    if (batches.length === 0) return;
    await this.uow.prepared(SETTLE, [
      batches.map(({ batchId }) => batchId),
      batches.map(({ used }) => used),
      batches.map(({ at }) => at.toISOString()),
    ]);
  }

  /** Attempts of a batch that nobody has ended. */
  openAttempts(batch: BatchId): Promise<{ tenantId: TenantId; messageId: MessageId; attemptId: AttemptId }[]> {
    return this.uow.query(OPEN_ATTEMPTS, [batch]);
  }

  /** Batches still open long after their slots: no request of theirs can be under way any more. */
  abandoned(
    before: Date,
    limit: number,
  ): Promise<{ id: BatchId; sendingAccountId: SendingAccountId; worker: string }[]> {
    return this.uow.prepared(
      `SELECT id, sending_account_id AS "sendingAccountId", worker FROM batch WHERE state = 'OPEN' AND slot_end < $1 ORDER BY slot_end LIMIT $2`,
      [before, limit],
    );
  }

  private byDay(outcomes: readonly AttemptOutcome[]): Map<DaySuffix, AttemptOutcome[]> {
    const byDay = new Map<DaySuffix, AttemptOutcome[]>();
    for (const outcome of outcomes) {
      const day = this.days.suffixOf(outcome.messageId);
      const others = byDay.get(day);
      if (others) others.push(outcome);
      else byDay.set(day, [outcome]);
    }
    return byDay;
  }

  /** What nearly every message meets. Answers those that were not waiting for just this answer. */
  private async applySent(day: DaySuffix, sent: readonly AttemptOutcome[]): Promise<AttemptOutcome[]> {
    const parameters = [
      sent.map(({ tenantId }) => tenantId),
      sent.map(({ messageId }) => messageId),
      sent.map(({ attemptId }) => attemptId),
      sent.map(({ end }) => (end.kind === 'sent' ? end.sesMessageId : '')),
      sent.map(({ at }) => at.toISOString()),
    ];
    const sql = applySentOf(day);
    const ended = await this.uow.prepared<{ n: string }>(sql, parameters, `sent${day}`).catch((error: unknown) => {
      this.days.forget(error);
      throw error;
    });
    if (ended.length === sent.length) return [];
    const done = new Set(ended.map(({ n }) => Number(n)));
    return sent.filter((_, i) => !done.has(i + 1));
  }

  private async applyAny(outcomes: readonly AttemptOutcome[], said = wordsOf): Promise<void> {
    const rows = outcomes.map(({ tenantId, messageId, attemptId, end, at }) => {
      const verdict = verdictOf(end);
      return {
        tenantId,
        messageId,
        attemptId,
        attempt: verdict.attempt,
        message: verdict.message,
        ...said(end),
        at,
        notBefore: verdict.waitMs > 0 ? new Date(at.getTime() + verdict.waitMs) : null,
        grows: verdict.waitGrows,
      };
    });
    await this.uow.query(LOCK, [
      rows.map(({ tenantId }) => tenantId),
      rows.map(({ messageId }) => messageId),
      rows.map(({ attemptId }) => attemptId),
    ]);
    const ended = await this.uow.query<{ attemptId: AttemptId }>(APPLY, [JSON.stringify(rows)]);
    const changed = new Set(ended.map((row) => row.attemptId));
    const events = outcomes
      .filter((outcome) => changed.has(outcome.attemptId))
      .flatMap((outcome) => eventOf(outcome, said(outcome.end)));
    if (events.length > 0) await this.uow.query(EVENTS, [JSON.stringify(events)]);
  }
}

function wordsOf(end: AttemptEnd): Words {
  return end.kind === 'sent'
    ? { sesMessageId: end.sesMessageId, code: null, text: null }
    : { sesMessageId: null, code: storable(end.code), text: storable(end.message) };
}

/**
 * PostgreSQL's text holds no NUL and its JSON no half of a character, as an answer may have, or a cut may leave; one odd
 * answer must not keep a batch of outcomes from being written.
 */
function storable(text: string): string {
  return Buffer.from(text.replaceAll('\u0000', '').slice(0, MAX_ERROR)).toString();
}

/** The timeline's entry, of what the attempt's own row does not tell; nothing for a try that changes nothing for the customer. */
function eventOf({ tenantId, messageId, attemptId, end, at }: AttemptOutcome, { code, text }: Words): object[] {
  if (end.kind === 'sent') return [];
  const entry = (type: 'message.rejected' | 'message.in_doubt', summary: string, data: object) => [
    {
      tenantId,
      id: newId(),
      messageId,
      type,
      at,
      key: attemptKey(type, attemptId),
      summary,
      data: { attempt: attemptId, ...data },
    },
  ];
  switch (verdictOf(end).message) {
    case 'REJECTED':
      return entry('message.rejected', `Amazon SES refused the message: ${text ?? ''}`, { code });
    case 'IN_DOUBT':
      return entry(
        'message.in_doubt',
        'The connection broke before Amazon SES answered; its events will tell whether it took the message.',
        {},
      );
    default:
      return [];
  }
}
