import { UnitOfWork } from '@libs/database';
import type { LaneId, MessageId, Mode, SendingAccountId, Stream, TenantId } from '@libs/kernel';
import { Injectable } from '@nestjs/common';
import { DOMAIN_READY } from './domain-ready.sql';
import type { EngineState } from './engine-state';

/** What AWS allows an account and how much of it is in use, as last observed. */
export interface AccountFacts {
  readonly id: SendingAccountId;
  readonly sending: boolean;
  /** Recipients per rolling 24 h; -1 = unlimited. */
  readonly quota: bigint;
  readonly used24h: bigint;
  /** Recipients per second. */
  readonly rate: number;
}

export interface WaitingMessage {
  readonly id: MessageId;
  readonly mode: Mode;
  readonly stream: Stream;
  readonly state: EngineState;
  readonly sendingAccountId: SendingAccountId;
  readonly laneId: LaneId;
  readonly region: string | null;
  readonly nRcpt: number;
  readonly fromAddress: string;
  readonly scheduledAt: Date | null;
  readonly notBefore: Date | null;
  readonly expiresAt: Date;
  /** Its configuration set is not there, or not as it should be. */
  readonly routeMissing: boolean;
  /** The configuration set it would go through is paused at SES. */
  readonly routePaused: boolean;
  /** SES refused mail of its route lately: nothing goes before. */
  readonly routeHeldUntil: Date | null;
  /** SES takes mail from its domain where it leaves. */
  readonly domainVerified: boolean;
}

/** A tenant's configuration set on an account: the way out of a stream. */
export interface WayOut {
  readonly sendingAccountId: SendingAccountId;
  /** It is switched off at SES. */
  readonly paused: boolean;
  /** SES refused mail of it lately: nothing goes before. */
  readonly heldUntil: Date | null;
}

export interface TenantUse {
  /** Recipients SES took in the 24 h before. */
  readonly used: bigint;
  /** Those that count towards the tenant's daily cap: the ledger forgets them some minutes later, and counts what SES may have taken. */
  readonly counted: bigint;
  /** When that was sent, or may have been, which must leave the cap for there to be room: the oldest, unless the cap was lowered below what counts. */
  readonly inTheWay: Date | null;
}

/** Ahead of a message: messages and recipients of its own tenant that go first. */
export interface Ahead {
  readonly messages: number;
  readonly recipients: number;
}

/** Counting what is ahead stops here, as that of a forecast does; beyond, the number is a lower bound. */
const MAX_COUNTED = 1_000_000;

const WAITING = `
  SELECT m.id, m.mode, m.stream, m.state, m.sending_account_id AS "sendingAccountId", m.lane_id AS "laneId", m.region, m.n_rcpt AS "nRcpt",
         m.from_address AS "fromAddress", m.scheduled_at AS "scheduledAt", m.not_before AS "notBefore",
         m.expires_at AS "expiresAt",
         c.ready_at IS NULL AS "routeMissing", c.paused_at IS NOT NULL AS "routePaused", c.held_until AS "routeHeldUntil",
         ${DOMAIN_READY} AS "domainVerified"
    FROM message m LEFT JOIN configuration_set c ON c.tenant_id = m.tenant_id AND c.sending_account_id = m.sending_account_id
                                                AND c.stream = m.stream
   WHERE m.tenant_id = $1 AND m.id = ANY($2::uuid[]) AND m.state IN ('SCHEDULED', 'READY', 'INTENT', 'IN_DOUBT')`;

// $1 tenant, $2 mode, $3 since when.
const COUNTED = `
  FROM attempt
 WHERE tenant_id = $1 AND mode = $2 AND state IN ('SENT', 'INTENT', 'IN_DOUBT') AND coalesce(ended_at, created_at) >= $3
   AND created_at > $3::timestamptz - interval '1 hour'`;
const USE = `
  SELECT coalesce(sum(n_rcpt) FILTER (WHERE state = 'SENT' AND ended_at > $4), 0)::text AS used,
         coalesce(sum(n_rcpt), 0)::text AS counted, min(coalesce(ended_at, created_at)) AS oldest ${COUNTED}`;
const LAST_IN_THE_WAY = `
  SELECT max(at) AS at
    FROM (SELECT at, sum(recipients) OVER (ORDER BY at DESC) AS since_then
            FROM (SELECT date_trunc('minute', coalesce(ended_at, created_at)) AS at, sum(n_rcpt) AS recipients ${COUNTED}
                   GROUP BY 1) AS minute) AS so_far
   WHERE since_then >= $4`;

@Injectable()
export class LimitsRepository {
  constructor(private readonly uow: UnitOfWork) {}

  async accounts(ids: readonly SendingAccountId[]): Promise<AccountFacts[]> {
    const rows = await this.uow.query<{
      id: SendingAccountId;
      sending: boolean;
      quota: string;
      used: string;
      rate: string;
    }>(
      `SELECT id, sending_enabled AND state NOT IN ('PAUSED', 'SUSPENDED') AS sending, max_24_hour_send AS quota,
              sent_last_24_hours AS used, max_send_rate AS rate
         FROM sending_account WHERE id = ANY($1::uuid[])`,
      [ids],
    );
    return rows.map((row) => ({
      id: row.id,
      sending: row.sending,
      quota: BigInt(row.quota),
      used24h: BigInt(row.used),
      rate: Number(row.rate),
    }));
  }

  waysOut(tenant: TenantId, stream: Stream): Promise<WayOut[]> {
    return this.uow.query<WayOut>(
      `SELECT sending_account_id AS "sendingAccountId", paused_at IS NOT NULL AS paused, held_until AS "heldUntil"
         FROM configuration_set WHERE tenant_id = $1 AND stream = $2`,
      [tenant, stream],
    );
  }

  /**
   * @param since from when on it is told what SES took
   * @param counted since when what was sent counts towards a cap; before `since`
   */
  async use(tenant: TenantId, mode: Mode, cap: bigint | null, since: Date, counted: Date): Promise<TenantUse> {
    const [row] = await this.uow.query<{ used: string; counted: string; oldest: Date | null }>(USE, [
      tenant,
      mode,
      counted,
      since,
    ]);
    const use = { used: BigInt(row?.used ?? '0'), counted: BigInt(row?.counted ?? '0') };
    const isLowered = cap !== null && cap > 0n && use.counted > cap;
    const inTheWay = isLowered ? await this.lastInTheWay(tenant, mode, cap, counted) : (row?.oldest ?? null);
    return { ...use, inTheWay };
  }

  /** With everything older it must leave: what was sent after it is less than the cap. */
  private async lastInTheWay(tenant: TenantId, mode: Mode, cap: bigint, counted: Date): Promise<Date | null> {
    const parameters = [tenant, mode, counted, String(cap)];
    const [row] = await this.uow.query<{ at: Date | null }>(LAST_IN_THE_WAY, parameters);
    return row?.at ?? null;
  }

  waiting(tenant: TenantId, ids: readonly string[]): Promise<WaitingMessage[]> {
    return this.uow.query<WaitingMessage>(WAITING, [tenant, ids]);
  }

  /**
   * Recipients that wait and would go before new mail of the stream that starts then: what is due by then, and for
   * transactional mail no marketing mail, which it overtakes. Counted up to `enough` messages.
   */
  async before(tenant: TenantId, mode: Mode, stream: Stream, start: Date, enough: number): Promise<bigint> {
    const [row] = await this.uow.query<{ recipients: string }>(
      `SELECT coalesce(sum(n_rcpt), 0)::text AS recipients
         FROM (SELECT n_rcpt FROM backlog
                WHERE tenant_id = $1 AND mode = $2 AND (stream = $3 OR $3 = 'MARKETING')
                  AND (NOT scheduled OR due_at <= $4) LIMIT $5) AS before`,
      [tenant, mode, stream, start, enough],
    );
    return BigInt(row?.recipients ?? '0');
  }

  /**
   * What waits of the stream before each of these ids: one scan, whatever their number.
   * @param from leaves out what is older than that id
   */
  async ahead(
    tenant: TenantId,
    mode: Mode,
    stream: Stream,
    ids: readonly MessageId[],
    from: string,
  ): Promise<Map<MessageId, Ahead>> {
    const sorted = [...ids].sort();
    const last = sorted.at(-1);
    if (last === undefined) return new Map();
    const rows = await this.uow.query<{ bucket: number; messages: string; recipients: string }>(
      `SELECT width_bucket(id, $5::uuid[]) AS bucket, count(*) AS messages, sum(n_rcpt) AS recipients
         FROM (SELECT message_id AS id, n_rcpt FROM backlog
                WHERE tenant_id = $1 AND mode = $2 AND stream = $3 AND NOT scheduled AND message_id < $4 AND message_id >= $7
                ORDER BY message_id LIMIT $6) AS before
        GROUP BY bucket ORDER BY bucket`,
      [tenant, mode, stream, last, sorted, MAX_COUNTED, from],
    );
    let messages = 0;
    let recipients = 0;
    let next = 0;
    const ahead = new Map<MessageId, Ahead>();
    sorted.forEach((id, index) => {
      for (let row = rows[next]; row !== undefined && row.bucket <= index; row = rows[next]) {
        messages += Number(row.messages);
        recipients += Number(row.recipients);
        next += 1;
      }
      ahead.set(id, { messages, recipients });
    });
    return ahead;
  }
}
