import { UnitOfWork } from '@libs/database';
import { newId, type MessageId, type Mode, type SendingAccountId, type Stream, type TenantId } from '@libs/kernel';
import { Injectable } from '@nestjs/common';
import type { Target } from '../backlog.repository';
import { OF_DOMAIN } from '../domain-ready.sql';
import { onceKey } from '../event-type.policy';

/** Waiting mail of one tenant on an account that does not send. */
export interface StuckLine {
  readonly tenantId: TenantId;
  readonly mode: Mode;
  readonly stream: Stream;
  readonly sendingAccountId: SendingAccountId;
}

export interface StuckMessage {
  readonly id: MessageId;
  readonly recipients: number;
  /** The region it asks for. */
  readonly region: string | null;
}

interface SiblingTarget extends Target {
  readonly region: string;
}

// What the tenant may send through as it is: same tier and mode, set and identity there, and its mail not held after a refusal.
// Nothing is set up for this.
const SIBLINGS = `
  SELECT s.id AS "sendingAccountId", c.lane_id AS "laneId", s.region
    FROM sending_account home
    JOIN sending_account s ON s.mode = home.mode AND (s.tier = home.tier OR s.mode = 'TEST') AND s.id <> home.id
    JOIN aws_account a ON a.id = s.aws_account_id AND a.state = 'ACTIVE'
    JOIN configuration_set c ON c.tenant_id = $1 AND c.sending_account_id = s.id AND c.stream = $2 AND c.ready_at IS NOT NULL
         AND (c.held_until IS NULL OR c.held_until <= $4)
   WHERE home.id = $3
     AND EXISTS (SELECT FROM domain_identity i WHERE i.tenant_id = $1 AND i.sending_account_id = s.id AND i.state = 'VERIFIED')
   ORDER BY s.id`;

const PAGE = `
  SELECT message_id AS id FROM backlog
   WHERE sending_account_id = $1 AND stream = $2 AND tenant_id = $3 AND NOT scheduled AND message_id > $4
   ORDER BY message_id LIMIT $5`;

// Only those whose own domain the sibling may send for.
const HOLD = `
  SELECT m.id, m.n_rcpt AS recipients, m.region FROM message m
   WHERE m.tenant_id = $1 AND m.id = ANY($2::uuid[]) AND m.state = 'READY' AND m.sending_account_id = $3
     AND EXISTS (SELECT FROM domain d JOIN domain_identity i ON i.tenant_id = d.tenant_id AND i.domain_id = d.id
                  WHERE d.tenant_id = m.tenant_id AND i.sending_account_id = $4 AND d.state = 'READY' AND i.state = 'VERIFIED'
                    AND ${OF_DOMAIN})
   ORDER BY m.id FOR NO KEY UPDATE OF m SKIP LOCKED`;

const EVENT = `
  INSERT INTO message_event (tenant_id, id, message_id, type, at, dedupe_key, summary)
  SELECT $1, e.id, e.message_id, 'message.rerouted', $4, $5, 'Takes another way out: the usual one is closed for the moment.'
    FROM unnest($2::uuid[], $3::uuid[]) AS e(id, message_id)
  ON CONFLICT DO NOTHING`;

// Written anew once an hour, and when the tenant has been placed since: a placement ends what was decided before it.
const DECIDE = `
  INSERT INTO reroute AS r (tenant_id, mode, stream, to_account, from_account, at) VALUES ($1, $2, $3, $4, $5, $6)
  ON CONFLICT (tenant_id, mode, stream, to_account) DO UPDATE SET from_account = excluded.from_account, at = excluded.at
   WHERE r.at < excluded.at - interval '1 hour'
      OR r.at < (SELECT max(c.valid_from) FROM placement c WHERE c.tenant_id = $1 AND c.mode = $2 AND c.stream = $3)
  RETURNING tenant_id`;

/** Every method runs in a transaction of its caller. */
@Injectable()
export class RerouterRepository {
  constructor(private readonly uow: UnitOfWork) {}

  siblings({ tenantId, stream, sendingAccountId }: StuckLine, now: Date): Promise<SiblingTarget[]> {
    return this.uow.query<SiblingTarget>(SIBLINGS, [tenantId, stream, sendingAccountId, now]);
  }

  async page(line: StuckLine, after: MessageId, limit: number): Promise<MessageId[]> {
    const { sendingAccountId, stream, tenantId } = line;
    const rows = await this.uow.query<{ id: MessageId }>(PAGE, [sendingAccountId, stream, tenantId, after, limit]);
    return rows.map((row) => row.id);
  }

  /** Takes those that still wait there and may go through the other account, oldest first. */
  hold(line: StuckLine, ids: readonly MessageId[], to: SendingAccountId): Promise<StuckMessage[]> {
    return this.uow.query<StuckMessage>(HOLD, [line.tenantId, ids, line.sendingAccountId, to]);
  }

  async note(tenant: TenantId, messages: readonly StuckMessage[], at: Date): Promise<void> {
    const ids = messages.map(({ id }) => id);
    await this.uow.query(EVENT, [tenant, messages.map(() => newId()), ids, at, onceKey('message.rerouted')]);
  }

  /** Answers whether this is news: the first time, after an hour, or after a new placement. */
  async decide(line: StuckLine, to: SendingAccountId, at: Date): Promise<boolean> {
    const { tenantId, mode, stream, sendingAccountId } = line;
    return (await this.uow.query(DECIDE, [tenantId, mode, stream, to, sendingAccountId, at])).length > 0;
  }
}
