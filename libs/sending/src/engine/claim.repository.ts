import { UnitOfWork, type Statements } from '@libs/database';
import type { AttemptId, BatchId, MessageId, SendingAccountId, Stream, TenantId } from '@libs/kernel';
import { newId } from '@libs/kernel';
import { Inject, Injectable } from '@nestjs/common';
import { onceKey } from '../event-type.policy';
import type { StoredContent } from '../stored-content';
import type { Candidate } from './claim.policy';
import { CANDIDATES, claimOf, INTEND, RELANE, SUPPRESS, SUPPRESS_EVENT, SUPPRESS_RECIPIENTS, WAIT } from './claim.sql';
import { DayTables } from './day-tables.service';
import type { Ticket } from './dispatch.jobs';

/** A message that is this worker's to send: its attempt is written. */
export interface IntendedAttempt {
  readonly tenantId: TenantId;
  readonly id: MessageId;
  readonly attemptId: AttemptId;
  readonly recipients: number;
  readonly stream: Stream;
  readonly configurationSet: string;
  /** Recipients that are left out, suppressed since the message was accepted. */
  readonly suppressed: readonly string[];
  /** What to send, as JSON: read when its slot comes. Null when it was erased before it could go. */
  readonly content: string | null;
}

export interface IntendedMessage extends Candidate {
  readonly recipients: number;
  readonly suppressed: readonly string[];
}

export type RefusedWhy = 'taken' | 'epoch' | 'account';

/** What a batch is, and which worker it belongs to (of a VOID one: who voided it). */
export interface BatchOwner {
  readonly state: 'OPEN' | 'SETTLED' | 'VOID';
  readonly worker: string;
}

export interface Key {
  readonly tenantId: TenantId;
  readonly id: MessageId;
}

const NONE: readonly string[] = [];

export type ClaimStatements = Omit<ClaimRepository, 'within'>;

interface ClaimedRow {
  /** Null in the one row of a batch that was opened and holds nothing. */
  readonly n: number | null;
  readonly recipients: number;
  readonly stream: Stream;
  readonly configurationSet: string;
  readonly content: string | null;
}

@Injectable()
export class ClaimRepository {
  constructor(
    @Inject(UnitOfWork) private readonly uow: Statements,
    private readonly days: DayTables,
  ) {}

  /** The same statements in a unit that is handed on (UnitOfWork.forEngine). */
  within(unit: Statements): ClaimStatements {
    return new ClaimRepository(unit, this.days);
  }

  /**
   * Opens the batch and intends every message of the ticket that nothing speaks against, in the ticket's order: the fence,
   * the account's epoch, tenant, domain, set and suppression in one statement. Undefined when the claim is refused; the
   * unit must be rolled back then. What is not in the answer is gone, or for `candidates` to say.
   */
  async claim(ticket: Ticket, worker: string, now: Date): Promise<IntendedAttempt[] | undefined> {
    // In the order of their ids: two claims that meet on the same rows wait for each other, never in a circle.
    const { messages } = ticket;
    const order = messages.map((message, place) => ({ message, place }));
    order.sort((a, b) => (a.message.id < b.message.id ? -1 : 1));
    const ids = order.map(({ message }) => message.id);
    const tenants = order.map(({ message }) => message.tenantId);
    const attemptIds = order.map(() => newId<AttemptId>());
    await this.days.refresh(this.uow);
    const day = this.days.suffixOfAll(ids);
    const parameters = [
      ticket.sendingAccountId,
      ticket.epoch,
      ticket.batchId,
      worker,
      ticket.granted,
      new Date(ticket.bucketStartMs).toISOString(),
      new Date(ticket.deadlineMs).toISOString(),
      now.toISOString(),
      tenants,
      ids,
      attemptIds,
      [...new Set(tenants)],
    ];
    const rows = await this.uow
      .prepared<ClaimedRow>(claimOf(day), parameters, `claim${day}`)
      .catch((error: unknown) => {
        this.days.forget(error);
        throw error;
      });
    if (rows.length === 0) return undefined;
    const attempts: (IntendedAttempt | undefined)[] = messages.map(() => undefined);
    for (const { n, recipients, stream, configurationSet, content } of rows) {
      const place = n === null ? undefined : order[n - 1]?.place;
      const attemptId = n === null ? undefined : attemptIds[n - 1];
      const message = place === undefined ? undefined : messages[place];
      if (place === undefined || attemptId === undefined || message === undefined) continue;
      const { tenantId, id } = message;
      attempts[place] = { tenantId, id, attemptId, recipients, stream, configurationSet, suppressed: NONE, content };
    }
    return attempts.filter((attempt) => attempt !== undefined);
  }

  /** Why a claim was refused. */
  async refusal(ticket: Ticket): Promise<RefusedWhy> {
    const [row] = await this.uow.query<{ current: boolean; usable: boolean }>(
      `SELECT epoch = $2::bigint AS current, sending_enabled AND state NOT IN ('PAUSED', 'SUSPENDED') AS usable
         FROM sending_account WHERE id = $1`,
      [ticket.sendingAccountId, ticket.epoch],
    );
    if (!row?.current) return 'epoch';
    return row.usable ? 'taken' : 'account';
  }

  /** Those of the messages that are READY here and now, with all there is to decide about them, locked. */
  candidates(ticket: Ticket, messages: readonly Key[], now: Date): Promise<Candidate[]> {
    return this.uow.query<Candidate>(CANDIDATES, [
      messages.map((message) => message.tenantId),
      messages.map((message) => message.id),
      ticket.sendingAccountId,
      now,
    ]);
  }

  /** Adds messages to a batch that is open: READY -> INTENT with an attempt each. For the few that `claim` leaves. */
  async intend(ticket: Ticket, messages: readonly IntendedMessage[], now: Date): Promise<IntendedAttempt[]> {
    if (messages.length === 0) return [];
    const attempts = messages.map((message) => ({ ...message, attemptId: newId<AttemptId>() }));
    const rows = attempts.map(({ tenantId, id, attemptId, recipients }) => ({ tenantId, id, attemptId, recipients }));
    const intended = await this.uow.query<{ id: MessageId }>(INTEND, [
      JSON.stringify(rows),
      ticket.batchId,
      ticket.sendingAccountId,
      now,
    ]);
    const written = new Set(intended.map((row) => row.id));
    const mine = attempts.filter((attempt) => written.has(attempt.id));
    await this.leaveOut(mine, now);
    return mine.map(({ tenantId, id, attemptId, recipients, stream, suppressed, configurationSet, content }) => ({
      tenantId,
      id,
      attemptId,
      recipients,
      stream,
      suppressed,
      configurationSet: configurationSet ?? '',
      content: JSON.stringify(content satisfies StoredContent),
    }));
  }

  async suppress(messages: readonly Candidate[], now: Date): Promise<void> {
    if (messages.length === 0) return;
    await this.uow.query(SUPPRESS, [keys(messages), now]);
    await this.leaveOut(messages, now);
    const events = messages.map(({ tenantId, id }) => ({ tenantId, id, eventId: newId() }));
    await this.uow.query(SUPPRESS_EVENT, [JSON.stringify(events), now, onceKey('message.suppressed')]);
  }

  /** They are granted again, and go then. */
  async relane(messages: readonly Key[]): Promise<void> {
    if (messages.length > 0) await this.uow.query(RELANE, [keys(messages)]);
  }

  async wait(messages: readonly (Key & { readonly notBefore: Date; readonly reason: string })[]): Promise<void> {
    if (messages.length > 0) await this.uow.query(WAIT, [JSON.stringify(messages)]);
  }

  /**
   * The sweeper's tombstone: after it nobody can claim the batch. Waits for a claim in flight. Answers what the
   * batch is now, and whose.
   */
  async tombstone(
    id: BatchId,
    account: SendingAccountId,
    worker: string,
    granted: number,
    bucket: Date,
    now: Date,
  ): Promise<BatchOwner> {
    await this.uow.query(
      `INSERT INTO batch (id, sending_account_id, state, worker, granted, claimed, bucket, slot_end, created_at, settled_at)
       VALUES ($1, $2, 'VOID', $3, $4, 0, $5, $6, $6, $6) ON CONFLICT (id) DO NOTHING`,
      [id, account, worker, granted, bucket, now],
    );
    const [row] = await this.uow.query<BatchOwner>('SELECT state, worker FROM batch WHERE id = $1', [id]);
    if (!row) throw new Error('a batch that was just written is not there');
    return row;
  }

  private async leaveOut(messages: readonly (Key & { readonly suppressed: readonly string[] })[], now: Date) {
    const rows = messages.flatMap(({ tenantId, id, suppressed }) =>
      suppressed.map((address) => ({ tenantId, id, address })),
    );
    if (rows.length > 0) await this.uow.query(SUPPRESS_RECIPIENTS, [JSON.stringify(rows), now]);
  }
}

function keys(rows: readonly Key[]): string {
  return JSON.stringify(rows.map(({ tenantId, id }) => ({ tenantId, id })));
}
