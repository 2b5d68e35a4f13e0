import { UnitOfWork, type Statements } from '@libs/database';
import { ROUTE_PROBE_MS } from '@libs/fleet';
import type { LaneId, MessageId, Mode, SendingAccountId, Stream, TenantId } from '@libs/kernel';
import { parseRate, type QueuedMessage, type TenantLimits } from '@libs/quota';
import { Inject, Injectable } from '@nestjs/common';
import { DOMAIN_READY } from '../domain-ready.sql';
import { formerAccounts } from '../former-accounts.sql';

/** Mail of one tenant that waits for one account. */
export interface WaitingLine {
  /** Of the account, hence of its mail. */
  readonly mode: Mode;
  readonly sendingAccountId: SendingAccountId;
  readonly stream: Stream;
  readonly tenantId: TenantId;
  /**
   * Nothing may go: the tenant is paused by its operator, its way out of the account is not there, paused at SES or held
   * after a refusal, none of its domains is verified there, or its stream has reached the spend cap.
   */
  readonly paused: boolean;
  /** Its way out was held until a moment ago: one message at a time, until it is known to work. */
  readonly probing: boolean;
  /** Some of its domains are not verified there: their mail waits. */
  readonly someDomains: boolean;
  /**
   * Placed elsewhere by now, and not re-routed to here since: what stands here came back after its backlog had moved. Or re-routed,
   * while the way out is not there any more: nobody makes one anew where the tenant has no placement.
   */
  readonly displaced: boolean;
  /** The accounts of its current placements, of both streams. */
  readonly placedOn: readonly SendingAccountId[];
  /** Through which accounts besides it may have sent what still counts towards its cap. */
  readonly formerlyOn: readonly SendingAccountId[];
  readonly limits: TenantLimits;
}

/** What is asked of a line: the next messages after that one. */
export interface Page {
  readonly line: WaitingLine;
  readonly after: MessageId;
  readonly limit: number;
}

interface LineRow extends Omit<WaitingLine, 'limits'> {
  readonly laneId: LaneId | null;
  readonly weight: number;
  readonly dayCap: string | null;
  readonly rate: string | null;
}

// $1 now, $2 holds that ended after that are tried, $3 what was sent since then counts towards caps. A jump from line to line along the index of what is ready: its cost is the
// number of lines, not of messages. From the youngest message of each line to the youngest of the next: what was sent lies at
// the old end, and while somebody holds a snapshot none of its entries can be skipped (40 s at 1,600 messages/s: 42 ms from
// the old end).
const LINES = `
  WITH RECURSIVE line AS (
    (SELECT sending_account_id, stream, tenant_id FROM backlog WHERE NOT scheduled
      ORDER BY sending_account_id DESC, stream DESC, tenant_id DESC LIMIT 1)
    UNION ALL
    SELECT n.* FROM line l CROSS JOIN LATERAL (
      SELECT b.sending_account_id, b.stream, b.tenant_id FROM backlog b
       WHERE NOT b.scheduled AND (b.sending_account_id, b.stream, b.tenant_id) < (l.sending_account_id, l.stream, l.tenant_id)
       ORDER BY b.sending_account_id DESC, b.stream DESC, b.tenant_id DESC LIMIT 1) n
  )
  SELECT l.sending_account_id AS "sendingAccountId", l.stream, l.tenant_id AS "tenantId", a.mode,
         t.state = 'PAUSED' OR s.ready_at IS NULL OR coalesce(s.held_until > $1, false) OR coalesce(d.verified, 0) = 0
           OR (a.mode = 'LIVE' AND EXISTS (SELECT FROM stream_hold h WHERE h.tenant_id = t.id AND h.stream = l.stream AND h.until > $1)) AS paused,
         coalesce(s.held_until > $2, false) AS probing, d.verified < d.all AS "someDomains", s.lane_id AS "laneId",
         ARRAY(SELECT DISTINCT c.sending_account_id FROM placement c
                WHERE c.tenant_id = t.id AND c.mode = a.mode AND c.valid_to IS NULL AND c.weight > 0) AS "placedOn",
         ARRAY(${formerAccounts('t.id', 'a.mode', '$3::timestamptz')}) AS "formerlyOn",
         p.weight, p.recipients_per_day::text AS "dayCap", trim_scale(p.recipients_per_second)::text AS rate,
         EXISTS (SELECT FROM placement c WHERE c.tenant_id = t.id AND c.mode = a.mode AND c.stream = l.stream AND c.valid_to IS NULL)
           AND NOT EXISTS (SELECT FROM placement c WHERE c.tenant_id = t.id AND c.mode = a.mode AND c.stream = l.stream
                            AND c.sending_account_id = a.id AND c.valid_to IS NULL)
           AND (s.ready_at IS NULL OR NOT EXISTS (SELECT FROM reroute r WHERE r.tenant_id = t.id AND r.mode = a.mode AND r.stream = l.stream AND r.to_account = a.id
                            AND r.at >= (SELECT max(c.valid_from) FROM placement c
                                          WHERE c.tenant_id = t.id AND c.mode = a.mode AND c.stream = l.stream))) AS displaced
    FROM line l JOIN tenant t ON t.id = l.tenant_id JOIN plan p ON p.id = t.plan_id
    JOIN sending_account a ON a.id = l.sending_account_id
    LEFT JOIN configuration_set s ON s.tenant_id = t.id AND s.sending_account_id = a.id AND s.stream = l.stream
   CROSS JOIN LATERAL (
     SELECT count(*) AS "all", count(i.domain_id) FILTER (WHERE d.state = 'READY' AND i.state = 'VERIFIED') AS verified
       FROM domain d LEFT JOIN domain_identity i ON i.tenant_id = d.tenant_id AND i.domain_id = d.id AND i.sending_account_id = a.id
      WHERE d.tenant_id = t.id) d`;

// Many lines in one statement, each from its own cursor on along the same index.
const readyOf = (which: string) => `
  SELECT w.n::int AS n, r.message_id AS id, r.n_rcpt AS recipients
    FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::uuid[], $5::int[]) WITH ORDINALITY AS w(account, stream, tenant, after, most, n)
   CROSS JOIN LATERAL (
     SELECT b.message_id, b.n_rcpt FROM backlog b
      WHERE b.sending_account_id = w.account AND b.stream = w.stream AND b.tenant_id = w.tenant AND NOT b.scheduled
        AND b.message_id > w.after AND b.message_id < $6 AND (b.due_at IS NULL OR b.due_at <= $7) AND b.expires_at > $7 ${which}
      ORDER BY b.message_id LIMIT w.most) r
   ORDER BY w.n, r.message_id`;
const READY = readyOf('');
const READY_OF_DOMAINS = readyOf(`
        AND (SELECT ${DOMAIN_READY} FROM message m WHERE m.tenant_id = b.tenant_id AND m.id = b.message_id)`);

export type FeederStatements = Omit<FeederRepository, 'within'>;

/** Reads alone: every method is one statement. */
@Injectable()
export class FeederRepository {
  constructor(@Inject(UnitOfWork) private readonly uow: Statements) {}

  /** The same statements where they are handed on (UnitOfWork.forLooks). */
  within(unit: Statements): FeederStatements {
    return new FeederRepository(unit);
  }

  /**
   * Who has READY messages waiting on which account, and within which limits.
   * @param counted since when what was sent counts towards caps
   */
  async lines(now: Date, counted: Date): Promise<WaitingLine[]> {
    const triedSince = new Date(now.getTime() - ROUTE_PROBE_MS);
    const rows = await this.uow.prepared<LineRow>(LINES, [now, triedSince, counted]);
    return rows.map(({ weight, dayCap, rate, laneId, ...line }) => ({
      ...line,
      limits: {
        weight,
        laneId,
        dayCap: dayCap === null ? null : BigInt(dayCap),
        rate: rate === null ? null : parseRate(rate),
      },
    }));
  }

  /**
   * The next READY messages of each line, in the order they were accepted. All of the lines have `someDomains`, or none.
   * @param before an id: leaves out what is younger
   */
  async ready(pages: readonly Page[], before: string, now: Date): Promise<QueuedMessage[][]> {
    const statement = pages.some(({ line }) => line.someDomains) ? READY_OF_DOMAINS : READY;
    const rows = await this.uow.prepared<QueuedMessage & { readonly n: number }>(statement, [
      pages.map(({ line }) => line.sendingAccountId),
      pages.map(({ line }) => line.stream),
      pages.map(({ line }) => line.tenantId),
      pages.map(({ after }) => after),
      pages.map(({ limit }) => limit),
      before,
      now,
    ]);
    const found: QueuedMessage[][] = pages.map(() => []);
    for (const { n, id, recipients } of rows) found[n - 1]?.push({ id, recipients });
    return found;
  }
}
