import type { DedicatedIpInfo } from '@libs/aws';
import { UnitOfWork } from '@libs/database';
import { newId, type LaneId, type SendingAccountId, type Stream, type TenantId } from '@libs/kernel';
import { Injectable } from '@nestjs/common';
import type { PlannedLane } from './lane-plan.policy';

interface LaneIp {
  readonly ip: string;
  readonly warmupStatus: string;
  /** 0 to 100; -1 in managed pools. */
  readonly warmupPercentage: number;
}

/** A sending account's route out: its shared IPs, or one dedicated pool. */
export interface Lane {
  readonly id: LaneId;
  readonly sendingAccountId: SendingAccountId;
  readonly kind: 'SHARED' | 'POOL';
  readonly poolName: string;
  /** The stream the pool is for; null for shared IPs and pools of no stream. */
  readonly stream: Stream | null;
  /** The one tenant that may use it; null for everybody. */
  readonly ownerTenantId: TenantId | null;
  readonly ips: readonly LaneIp[];
}

const SELECT = `SELECT l.id, l.sending_account_id AS "sendingAccountId", l.kind, l.pool_name AS "poolName", l.stream,
    l.owner_tenant_id AS "ownerTenantId",
    coalesce(jsonb_agg(jsonb_build_object('ip', host(i.ip), 'warmupStatus', i.warmup_status,
                                          'warmupPercentage', i.warmup_percentage) ORDER BY i.ip)
             FILTER (WHERE i.ip IS NOT NULL), '[]') AS ips
  FROM lane l LEFT JOIN dedicated_ip i ON i.lane_id = l.id AND i.released_at IS NULL`;
const OF_ACCOUNTS = `${SELECT} WHERE l.sending_account_id = ANY($1::uuid[]) GROUP BY l.id ORDER BY l.kind DESC, l.pool_name`;
const BY_IDS = `${SELECT} WHERE l.id = ANY($1::uuid[]) GROUP BY l.id ORDER BY l.id`;

@Injectable()
export class LaneRepository {
  constructor(private readonly uow: UnitOfWork) {}

  ofAccounts(ids: readonly SendingAccountId[]): Promise<Lane[]> {
    return this.uow.query<Lane>(OF_ACCOUNTS, [ids]);
  }

  findByIds(ids: readonly LaneId[]): Promise<Lane[]> {
    return this.uow.query<Lane>(BY_IDS, [ids]);
  }

  /** Makes lanes that are new and keeps the others; a lane is never deleted, since placements name it. */
  async save(account: SendingAccountId, lanes: readonly PlannedLane[], at: Date): Promise<void> {
    const rows = lanes.map((lane) => ({ ...lane, id: newId<LaneId>() }));
    await this.uow.query(
      `INSERT INTO lane (id, sending_account_id, kind, pool_name, stream, created_at)
       SELECT r.id, $1, r.kind, r."poolName", r.stream, $3
         FROM jsonb_to_recordset($2::jsonb) AS r(id uuid, kind text, "poolName" text, stream text)
       ON CONFLICT (sending_account_id, pool_name) DO UPDATE SET stream = excluded.stream`,
      [account, JSON.stringify(rows), at],
    );
  }

  /** Brings the account's IPs up to what AWS lists now; one that is gone is kept with the time it went. */
  async saveIps(account: SendingAccountId, ips: readonly DedicatedIpInfo[], at: Date): Promise<void> {
    await this.uow.query(
      `INSERT INTO dedicated_ip (sending_account_id, ip, lane_id, warmup_status, warmup_percentage, leased_at)
       SELECT $1, r.ip::inet, l.id, r."warmupStatus", r."warmupPercentage", $3
         FROM jsonb_to_recordset($2::jsonb) AS r(ip text, "poolName" text, "warmupStatus" text, "warmupPercentage" int)
         LEFT JOIN lane l ON l.sending_account_id = $1 AND l.pool_name = r."poolName"
       ON CONFLICT (sending_account_id, ip) DO UPDATE
         SET lane_id = excluded.lane_id, warmup_status = excluded.warmup_status,
             warmup_percentage = excluded.warmup_percentage, released_at = NULL`,
      [account, JSON.stringify(ips), at],
    );
    await this.uow.query(
      `UPDATE dedicated_ip SET released_at = $3
        WHERE sending_account_id = $1 AND released_at IS NULL AND NOT (host(ip) = ANY($2::text[]))`,
      [account, ips.map(({ ip }) => ip), at],
    );
    await this.recordLeases(account, at);
  }

  /** The history follows: a lease ends when its IP goes, or goes to another pool or owner, and a new one begins. */
  private async recordLeases(account: SendingAccountId, at: Date): Promise<void> {
    await this.uow.query(
      `WITH now AS (
         SELECT i.ip, i.lane_id, l.owner_tenant_id FROM dedicated_ip i LEFT JOIN lane l ON l.id = i.lane_id
          WHERE i.sending_account_id = $1 AND i.released_at IS NULL
       ), over AS (
         SELECT h.ip, h.leased_from FROM ip_lease h
          WHERE h.sending_account_id = $1 AND h.leased_to IS NULL
            AND NOT EXISTS (SELECT FROM now n WHERE n.ip = h.ip AND n.lane_id IS NOT DISTINCT FROM h.lane_id
                                                AND n.owner_tenant_id IS NOT DISTINCT FROM h.owner_tenant_id)
       ), unused AS (
         DELETE FROM ip_lease h USING over o
          WHERE h.sending_account_id = $1 AND h.ip = o.ip AND h.leased_from = o.leased_from AND h.leased_from >= $2
       )
       UPDATE ip_lease h SET leased_to = $2 FROM over o
        WHERE h.sending_account_id = $1 AND h.ip = o.ip AND h.leased_from = o.leased_from AND h.leased_from < $2`,
      [account, at],
    );
    await this.uow.query(
      `INSERT INTO ip_lease (sending_account_id, ip, lane_id, owner_tenant_id, leased_from)
       SELECT $1, i.ip, i.lane_id, l.owner_tenant_id, $2 FROM dedicated_ip i LEFT JOIN lane l ON l.id = i.lane_id
        WHERE i.sending_account_id = $1 AND i.released_at IS NULL
          AND NOT EXISTS (SELECT FROM ip_lease h WHERE h.sending_account_id = $1 AND h.ip = i.ip AND h.leased_to IS NULL)`,
      [account, at],
    );
  }

  /** `ip=pool` of every IP that is known and not gone, to see whether AWS lists anything new. */
  async knownIps(account: SendingAccountId): Promise<Set<string>> {
    const rows = await this.uow.query<{ known: string }>(
      `SELECT host(i.ip) || '=' || coalesce(l.pool_name, '') AS known
         FROM dedicated_ip i LEFT JOIN lane l ON l.id = i.lane_id
        WHERE i.sending_account_id = $1 AND i.released_at IS NULL`,
      [account],
    );
    return new Set(rows.map(({ known }) => known));
  }
}
