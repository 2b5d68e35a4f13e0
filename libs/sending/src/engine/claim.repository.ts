import { UnitOfWork } from '@libs/database';
import type { AttemptId, BatchId, MessageId, SendingAccountId, TenantId } from '@libs/kernel';
import { newId } from '@libs/kernel';
import { Injectable } from '@nestjs/common';
import { onceKey } from '../event-type.policy';
import type { Candidate } from './claim.policy';
import type { Ticket } from './dispatch.jobs';

interface AccountRow {
  readonly epoch: string;
  readonly usable: boolean;
}

// Tenant, domain, set and suppression belong to lower libs whose services would need a round trip each; the claim stands
// between a grant and its slot, so it reads them in one statement. Rows another transaction holds stay READY.
const CANDIDATES = `
  SELECT m.tenant_id AS "tenantId", m.id, m.mode, m.stream, m.lane_id AS "laneId", m.bytes,
         t.state = 'ACTIVE' AS "tenantActive", c.name AS "configurationSet", b.content,
         EXISTS (SELECT FROM domain d JOIN domain_identity i ON i.tenant_id = d.tenant_id AND i.domain_id = d.id
                  WHERE d.tenant_id = m.tenant_id AND i.sending_account_id = m.sending_account_id
                    AND d.state = 'READY' AND i.state = 'VERIFIED'
                    AND (split_part(m.from_address, '@', 2) = d.name
                         OR right(split_part(m.from_address, '@', 2), length(d.name) + 1) = '.' || d.name)) AS "domainReady",
         coalesce((SELECT jsonb_agg(r.address) FROM recipient r JOIN suppression s
                     ON s.tenant_id = r.tenant_id AND s.address = lower(r.address)
                    AND s.address NOT LIKE '%@postfleet.test' -- test addresses behave as named, every time
                   WHERE r.tenant_id = m.tenant_id AND r.message_id = m.id AND r.state = 'QUEUED'), '[]') AS suppressed
    FROM unnest($1::uuid[], $2::uuid[]) WITH ORDINALITY AS w (tenant_id, id, n)
    JOIN message m ON m.tenant_id = w.tenant_id AND m.id = w.id
    JOIN tenant t ON t.id = m.tenant_id
    JOIN message_body b ON b.tenant_id = m.tenant_id AND b.message_id = m.id
    LEFT JOIN configuration_set c ON c.tenant_id = m.tenant_id AND c.sending_account_id = m.sending_account_id
          AND c.stream = m.stream AND c.lane_id = m.lane_id AND c.ready_at IS NOT NULL
   WHERE m.state = 'READY' AND m.sending_account_id = $3 AND m.expires_at > $4
     AND (m.not_before IS NULL OR m.not_before <= $4)
   ORDER BY w.n
     FOR UPDATE OF m SKIP LOCKED`;

const INTEND = `
  UPDATE message m SET state = 'INTENT', batch_id = $2, attempt_no = m.attempt_no + 1, not_before = NULL, detail = NULL
    FROM jsonb_to_recordset($1::jsonb) AS w ("tenantId" uuid, id uuid)
   WHERE m.tenant_id = w."tenantId" AND m.id = w.id AND m.state = 'READY'
  RETURNING m.tenant_id AS "tenantId", m.id, m.attempt_no AS "attemptNo"`;

const ATTEMPT = `
  INSERT INTO attempt (tenant_id, id, message_id, attempt_no, batch_id, sending_account_id, lane_id, mode, stream,
                       n_rcpt, bytes, state, created_at)
  SELECT w."tenantId", w."attemptId", w.id, w."attemptNo", $2, $3, w."laneId", w.mode, w.stream,
         w.recipients, w.bytes, 'INTENT', $4
    FROM jsonb_to_recordset($1::jsonb) AS w ("tenantId" uuid, "attemptId" uuid, id uuid, "attemptNo" smallint, "laneId" uuid,
         mode text, stream text, recipients smallint, bytes int)`;

const RECIPIENTS_SENDING = `
  UPDATE recipient r SET state = 'SENDING', at = $2
    FROM jsonb_to_recordset($1::jsonb) AS w ("tenantId" uuid, id uuid)
   WHERE r.tenant_id = w."tenantId" AND r.message_id = w.id AND r.state = 'QUEUED'`;

const RECIPIENTS_SUPPRESSED = `
  UPDATE recipient r SET state = 'SUPPRESSED', at = $2, detail = 'suppressed after it was accepted'
    FROM jsonb_to_recordset($1::jsonb) AS w ("tenantId" uuid, id uuid, address text)
   WHERE r.tenant_id = w."tenantId" AND r.message_id = w.id AND r.address = w.address AND r.state = 'QUEUED'`;

const SUPPRESS = `
  UPDATE message m SET state = 'SUPPRESSED', settled_at = $2
    FROM jsonb_to_recordset($1::jsonb) AS w ("tenantId" uuid, id uuid)
   WHERE m.tenant_id = w."tenantId" AND m.id = w.id AND m.state = 'READY'`;

const SUPPRESS_EVENT = `
  INSERT INTO message_event (tenant_id, id, message_id, type, at, dedupe_key, summary)
  SELECT w."tenantId", w."eventId", w.id, 'message.suppressed', $2, $3,
         'Not sent: every recipient was suppressed after the message was accepted.'
    FROM jsonb_to_recordset($1::jsonb) AS w ("tenantId" uuid, id uuid, "eventId" uuid)
  ON CONFLICT DO NOTHING`;

const WAIT = `
  UPDATE message m SET not_before = w."notBefore", detail = w.reason
    FROM jsonb_to_recordset($1::jsonb) AS w ("tenantId" uuid, id uuid, "notBefore" timestamptz, reason text)
   WHERE m.tenant_id = w."tenantId" AND m.id = w.id AND m.state = 'READY'`;

export interface IntendedMessage extends Candidate {
  readonly recipients: number;
  readonly suppressed: readonly string[];
}

export interface IntendedAttempt extends IntendedMessage {
  readonly attemptId: AttemptId;
  readonly attemptNo: number;
}

/** What a batch is, and which worker it belongs to (of a VOID one: who voided it). */
export interface BatchOwner {
  readonly state: 'OPEN' | 'SETTLED' | 'VOID';
  readonly worker: string;
}

type Key = { readonly tenantId: TenantId; readonly id: MessageId };

@Injectable()
export class ClaimRepository {
  constructor(private readonly uow: UnitOfWork) {}

  /** The account's row, held so that the epoch cannot be raised until this claim has ended. */
  async lockAccount(id: SendingAccountId): Promise<AccountRow | undefined> {
    const [row] = await this.uow.query<AccountRow>(
      `SELECT epoch::text AS epoch, sending_enabled AND state NOT IN ('PAUSED', 'SUSPENDED') AS usable
         FROM sending_account WHERE id = $1 FOR SHARE`,
      [id],
    );
    return row;
  }

  /** The fence: false when another worker, or the sweeper's tombstone, has the batch. */
  async openBatch(ticket: Ticket, worker: string, now: Date): Promise<boolean> {
    const rows = await this.uow.query(
      `INSERT INTO batch (id, sending_account_id, state, worker, granted, claimed, bucket, slot_end, created_at)
       VALUES ($1, $2, 'OPEN', $3, $4, 0, $5, $6, $7) ON CONFLICT (id) DO NOTHING RETURNING id`,
      [
        ticket.batchId,
        ticket.sendingAccountId,
        worker,
        ticket.granted,
        new Date(ticket.bucketStartMs),
        new Date(ticket.deadlineMs),
        now,
      ],
    );
    return rows.length === 1;
  }

  candidates(ticket: Ticket, now: Date): Promise<Candidate[]> {
    return this.uow.query<Candidate>(CANDIDATES, [
      ticket.messages.map((message) => message.tenantId),
      ticket.messages.map((message) => message.id),
      ticket.sendingAccountId,
      now,
    ]);
  }

  /** READY -> INTENT with an attempt each, and what that makes of the recipients. */
  async intend(ticket: Ticket, messages: readonly IntendedMessage[], now: Date): Promise<IntendedAttempt[]> {
    if (messages.length === 0) return [];
    const intended = await this.uow.query<Key & { attemptNo: number }>(INTEND, [keys(messages), ticket.batchId]);
    const numbers = new Map(intended.map((row) => [row.id, row.attemptNo]));
    const attempts = messages.flatMap((message) => {
      const attemptNo = numbers.get(message.id);
      return attemptNo === undefined ? [] : [{ ...message, attemptNo, attemptId: newId<AttemptId>() }];
    });
    const rows = attempts.map((attempt) => ({ ...attempt, content: undefined }));
    await this.uow.query(ATTEMPT, [JSON.stringify(rows), ticket.batchId, ticket.sendingAccountId, now]);
    const suppressed = attempts.flatMap(({ tenantId, id, suppressed: list }) =>
      list.map((address) => ({ tenantId, id, address })),
    );
    if (suppressed.length > 0) await this.uow.query(RECIPIENTS_SUPPRESSED, [JSON.stringify(suppressed), now]);
    await this.uow.query(RECIPIENTS_SENDING, [keys(attempts), now]);
    await this.uow.query('UPDATE batch SET claimed = $2 WHERE id = $1', [
      ticket.batchId,
      attempts.reduce((sum, attempt) => sum + attempt.recipients, 0),
    ]);
    return attempts;
  }

  async suppress(messages: readonly Candidate[], now: Date): Promise<void> {
    if (messages.length === 0) return;
    const addresses = messages.flatMap(({ tenantId, id, suppressed }) =>
      suppressed.map((address) => ({ tenantId, id, address })),
    );
    await this.uow.query(SUPPRESS, [keys(messages), now]);
    await this.uow.query(RECIPIENTS_SUPPRESSED, [JSON.stringify(addresses), now]);
    const events = messages.map(({ tenantId, id }) => ({ tenantId, id, eventId: newId() }));
    await this.uow.query(SUPPRESS_EVENT, [JSON.stringify(events), now, onceKey('message.suppressed')]);
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
}

function keys(rows: readonly Key[]): string {
  return JSON.stringify(rows.map(({ tenantId, id }) => ({ tenantId, id })));
}
