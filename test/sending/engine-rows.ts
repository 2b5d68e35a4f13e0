import { UnitOfWork } from '@libs/database';
import { newId, SystemTimers, type AttemptId, type BatchId, type MessageId, type TenantId } from '@libs/kernel';
import { Ledger } from '@libs/quota';
import { AcceptService, type Ticket } from '@libs/sending';
import { ClaimRepository, type IntendedAttempt } from '../../libs/sending/src/engine/claim.repository';
import { ClaimService } from '../../libs/sending/src/engine/claim.service';
import { DayTables } from '../../libs/sending/src/engine/day-tables.service';
import { EngineSettings } from '../../libs/sending/src/engine/engine.settings';
import { Failpoints } from '../../libs/sending/src/engine/failpoints';
import { OutcomeRepository } from '../../libs/sending/src/engine/outcome.repository';
import { NOON, SendingProcess, type AccountRow } from './sending-process';

export const EPOCH = 7;
const inDoubtAfterMs = { TRANSACTIONAL: 90_000, MARKETING: 300_000 };

/** A message that waits. */
export interface Waiting {
  readonly id: MessageId;
  readonly tenantId: TenantId;
}

/** Claims and outcomes on the real tables, without a worker around them. */
export class EngineRows {
  readonly claims: ClaimService;
  readonly outcomes: OutcomeRepository;
  private serial = 0;

  private constructor(
    readonly process: SendingProcess,
    readonly account: AccountRow,
    readonly elsewhere: AccountRow,
  ) {
    const uow = process.worker.get(UnitOfWork);
    const days = new DayTables(new SystemTimers());
    const settings = new EngineSettings({ worker: 'w1', recorderDir: 'none', inDoubtAfterMs });
    const ledger = process.worker.get(Ledger, { strict: false });
    this.claims = new ClaimService(uow, new ClaimRepository(uow, days), ledger, settings, new Failpoints());
    this.outcomes = new OutcomeRepository(uow, days);
  }

  static async start(): Promise<EngineRows> {
    const process = await SendingProcess.start();
    const rows = new EngineRows(process, await process.account(), await process.account());
    await rows.openAccounts();
    return rows;
  }

  close(): Promise<void> {
    return this.process.close();
  }

  query<Row extends object = Record<string, unknown>>(sql: string, parameters: unknown[] = []): Promise<Row[]> {
    return this.process.query<Row>(sql, parameters);
  }

  openAccounts(): Promise<object[]> {
    return this.query(`UPDATE sending_account SET epoch = $1, state = 'PRODUCTION', sending_enabled = true`, [EPOCH]);
  }

  /** A message to ann and bob of a tenant of its own. */
  async waiting(): Promise<Waiting> {
    const tenantId = await this.process.tenant(this.account);
    const email = {
      from: { email: `hi@${await this.process.domainOf(tenantId)}` },
      to: [{ email: 'ann@inbox.example' }, { email: 'bob@inbox.example' }],
      content: { inline: { subject: 'Hello', text: 'Hello' } },
    };
    const idempotencyKey = `k${String((this.serial += 1))}`;
    const { results } = await this.process.api
      .get(AcceptService)
      .accept({ tenantId, mode: 'LIVE' }, { idempotencyKey, emails: [email] });
    const [first] = results;
    if (!first || !('message' in first)) throw new Error(JSON.stringify(first));
    return { id: first.message.id, tenantId };
  }

  ticketOf(messages: readonly Waiting[]): Ticket {
    return {
      batchId: newId<BatchId>(),
      sendingAccountId: this.account.id,
      epoch: String(EPOCH),
      bucketStartMs: NOON.getTime(),
      slotStartMs: NOON.getTime(),
      deadlineMs: NOON.getTime() + 5_000,
      granted: 2 * messages.length,
      rate: { num: 14, den: 1 },
      messages: messages.map(({ id, tenantId }) => ({ id, tenantId, recipients: 2 })),
    };
  }

  /** Claims these messages in a batch of their own. */
  async claimed(messages: readonly Waiting[]): Promise<{ batchId: BatchId; attempts: readonly IntendedAttempt[] }> {
    const ticket = this.ticketOf(messages);
    const claim = await this.claims.claim(ticket);
    if (claim.kind !== 'claimed' || claim.attempts.length !== messages.length) throw new Error(JSON.stringify(claim));
    return { batchId: ticket.batchId, attempts: claim.attempts };
  }

  /** The message's row, with whether it stands in the backlog and among the doubts; times in seconds from noon. */
  async rowOf({ id }: Waiting): Promise<object | undefined> {
    const [row] = await this.query(
      `SELECT m.state, m.detail, m.attempt_no AS "attemptNo", extract(epoch FROM m.not_before - $2)::int AS "waitS",
              b.message_id IS NOT NULL AS waits, extract(epoch FROM b.due_at - $2)::int AS "dueS",
              EXISTS (SELECT FROM in_doubt d WHERE d.message_id = m.id) AS "inDoubt"
         FROM message m LEFT JOIN backlog b ON b.message_id = m.id WHERE m.id = $1`,
      [id, NOON],
    );
    return row;
  }

  attemptsOf(ids: readonly MessageId[]): Promise<{ id: AttemptId; state: string; recipients: number }[]> {
    return this.query(
      'SELECT id, state, n_rcpt AS recipients FROM attempt WHERE message_id = ANY($1) ORDER BY attempt_no',
      [ids],
    );
  }
}

/** A message that nothing has happened to. */
export const UNTOUCHED = {
  state: 'READY',
  detail: null,
  attemptNo: 0,
  waitS: null,
  waits: true,
  dueS: null,
  inDoubt: false,
} as const;
