import { UnitOfWork } from '@libs/database';
import { Injectable } from '@nestjs/common';
import type { Period } from '../billing-period.policy';
import type { CloseGoal, CloseStep, PeriodState } from './close.policy';

/** A month and how far its close has come. */
export interface BillingPeriod {
  readonly period: string;
  readonly state: PeriodState;
  readonly goal: CloseGoal | null;
  readonly withoutBill: boolean;
  /** How often something was asked. */
  readonly asked: bigint;
  /** What is being done right now, and how much of it; null = nothing. */
  readonly step: CloseStep | null;
  readonly done: bigint;
  readonly total: bigint;
  /** Sends of the month whose outcome nobody knew when its lines were last computed. */
  readonly inDoubtMessages: bigint;
  readonly inDoubtRecipients: bigint;
  readonly inputHash: string | null;
  readonly failure: string | null;
  /** As of when the stored lines are true. */
  readonly refreshedAt: Date | null;
  readonly provisionalAt: Date | null;
  readonly reconciledAt: Date | null;
  readonly finalAt: Date | null;
}

interface PeriodRow {
  period: string;
  state: PeriodState;
  goal: CloseGoal | null;
  without_bill: boolean;
  asked: string;
  step: CloseStep | null;
  done: string;
  total: string;
  in_doubt_messages: string;
  in_doubt_recipients: string;
  input_hash: string | null;
  failure: string | null;
  refreshed_at: Date | null;
  provisional_at: Date | null;
  reconciled_at: Date | null;
  final_at: Date | null;
}

const COLUMNS = `period, state, goal, without_bill, asked::text AS asked, step, done::text AS done, total::text AS total,
  in_doubt_messages::text AS in_doubt_messages, in_doubt_recipients::text AS in_doubt_recipients,
  input_hash, failure, refreshed_at, provisional_at, reconciled_at, final_at`;

const ALL = `SELECT ${COLUMNS} FROM billing_period ORDER BY period DESC`;
const ONE = `SELECT ${COLUMNS} FROM billing_period WHERE period = $1`;
const ONE_LOCKED = `${ONE} FOR UPDATE`;

@Injectable()
export class BillingPeriodRepository {
  constructor(private readonly uow: UnitOfWork) {}

  async ensure(period: string): Promise<void> {
    await this.uow.query('INSERT INTO billing_period (period) VALUES ($1) ON CONFLICT DO NOTHING', [period]);
  }

  /** Newest first. */
  async all(): Promise<BillingPeriod[]> {
    const rows = await this.uow.query<PeriodRow>(ALL);
    return rows.map(fromRow);
  }

  async find(period: string): Promise<BillingPeriod | undefined> {
    const rows = await this.uow.query<PeriodRow>(ONE, [period]);
    return rows.map(fromRow)[0];
  }

  /** Nobody else changes the month or its lines until the unit of work is over. The row is made when there is none. */
  async lock(period: string): Promise<BillingPeriod> {
    await this.ensure(period);
    const [row] = await this.uow.query<PeriodRow>(ONE_LOCKED, [period]);
    if (!row) throw new Error(`billing period ${period} has gone`);
    return fromRow(row);
  }

  async ask(period: string, goal: CloseGoal | null, withoutBill: boolean): Promise<void> {
    await this.uow.query(
      'UPDATE billing_period SET goal = $2, without_bill = $3, asked = asked + 1, failure = NULL WHERE period = $1',
      [period, goal, withoutBill],
    );
  }

  async progress(period: string, step: CloseStep | null, done: bigint, total: bigint): Promise<void> {
    await this.uow.query(
      `UPDATE billing_period SET step = $2, done = $3, total = $4 WHERE period = $1 AND state <> 'FINAL'`,
      [period, step, done.toString(), total.toString()],
    );
  }

  async failed(period: string, failure: string): Promise<void> {
    await this.uow.query(`UPDATE billing_period SET failure = $2 WHERE period = $1 AND state <> 'FINAL'`, [
      period,
      failure,
    ]);
  }

  async refreshed(
    period: string,
    facts: { at: Date; inputHash: string; doubt: { messages: bigint; recipients: bigint } },
  ): Promise<void> {
    await this.uow.query(
      `UPDATE billing_period SET refreshed_at = $2, input_hash = $3, in_doubt_messages = $4, in_doubt_recipients = $5
        WHERE period = $1`,
      [period, facts.at, facts.inputHash, facts.doubt.messages.toString(), facts.doubt.recipients.toString()],
    );
  }

  /** The month has reached the state, and with it what was asked; what was asked since then is still to be done. */
  async reached(
    { period, asked }: Pick<BillingPeriod, 'period' | 'asked'>,
    state: PeriodState,
    at: Date,
  ): Promise<void> {
    await this.uow.query(
      `UPDATE billing_period
          SET state = $2, goal = CASE WHEN asked > $4 AND $2 <> 'FINAL' THEN goal END, step = NULL, done = 0, total = 0, failure = NULL,
              provisional_at = CASE WHEN $2 = 'OPEN' THEN provisional_at ELSE coalesce(provisional_at, $3) END,
              reconciled_at = CASE WHEN $2 = 'RECONCILED' THEN $3 ELSE reconciled_at END,
              final_at = CASE WHEN $2 = 'FINAL' THEN $3::timestamptz END
        WHERE period = $1`,
      [period, state, at, asked.toString()],
    );
  }

  /** Unsettled sends that began in the month, in live mode. */
  async inDoubt({ start, end }: Period): Promise<{ messages: bigint; recipients: bigint }> {
    const [row] = await this.uow.query<{ messages: string; recipients: string }>(
      `SELECT count(*)::text AS messages, coalesce(sum(attempt.n_rcpt), 0)::text AS recipients
         FROM in_doubt doubt
         JOIN attempt USING (tenant_id, message_id, attempt_no)
        WHERE doubt.started_at >= $1 AND doubt.started_at < $2 AND attempt.mode = 'LIVE'`,
      [start, end],
    );
    return { messages: BigInt(row?.messages ?? '0'), recipients: BigInt(row?.recipients ?? '0') };
  }

  /** Recipients of attempts of the month that never got certain, given up or not, by `account|region`. */
  async neverCertain({ start, end }: Period): Promise<Map<string, bigint>> {
    const rows = await this.uow.query<{ place: string; recipients: string }>(
      `SELECT aws.account_id || '|' || account.region AS place, sum(attempt.n_rcpt)::text AS recipients
         FROM attempt
         JOIN sending_account account ON account.id = attempt.sending_account_id
         JOIN aws_account aws ON aws.id = account.aws_account_id
        WHERE attempt.created_at >= $1 AND attempt.created_at < $2
          AND attempt.state = 'IN_DOUBT' AND attempt.send_event_at IS NULL AND attempt.mode = 'LIVE'
        GROUP BY 1`,
      [start, end],
    );
    return new Map(rows.map((row) => [row.place, BigInt(row.recipients)]));
  }
}

function fromRow(row: PeriodRow): BillingPeriod {
  return {
    period: row.period,
    state: row.state,
    goal: row.goal,
    withoutBill: row.without_bill,
    asked: BigInt(row.asked),
    step: row.step,
    done: BigInt(row.done),
    total: BigInt(row.total),
    inDoubtMessages: BigInt(row.in_doubt_messages),
    inDoubtRecipients: BigInt(row.in_doubt_recipients),
    inputHash: row.input_hash,
    failure: row.failure,
    refreshedAt: row.refreshed_at,
    provisionalAt: row.provisional_at,
    reconciledAt: row.reconciled_at,
    finalAt: row.final_at,
  };
}
