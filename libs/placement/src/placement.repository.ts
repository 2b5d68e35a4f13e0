import { UnitOfWork } from '@libs/database';
import {
  isBackwards,
  toPage,
  type LaneId,
  type Mode,
  type Page,
  type PageRequest,
  type PlacementId,
  type SendingAccountId,
  type Stream,
  type TenantId,
} from '@libs/kernel';
import { Injectable } from '@nestjs/common';

/** A tenant's share on a sending account's lane, for one stream of one mode, with why and until when. */
export interface Placement {
  readonly id: PlacementId;
  readonly tenantId: TenantId;
  readonly mode: Mode;
  readonly stream: Stream;
  readonly sendingAccountId: SendingAccountId;
  readonly laneId: LaneId;
  /** Share in per mille. */
  readonly weight: number;
  readonly reason: string;
  readonly decidedBy: string;
  readonly validFrom: Date;
  /** Null: it is the current one. */
  readonly validTo: Date | null;
}

/** What plans have promised on one sending account. */
export interface Commitment {
  readonly sendingAccountId: SendingAccountId;
  readonly committed: bigint;
  readonly tenants: number;
}

export interface PlacementFilter {
  readonly tenantId?: TenantId;
  readonly sendingAccountId?: SendingAccountId;
  /** True: without history. */
  readonly current?: boolean;
}

const COLUMNS = `id, tenant_id AS "tenantId", mode, stream, sending_account_id AS "sendingAccountId", lane_id AS "laneId",
  weight, reason, decided_by AS "decidedBy", valid_from AS "validFrom", valid_to AS "validTo"`;
const CURRENT = `SELECT ${COLUMNS} FROM placement WHERE tenant_id = ANY($1::uuid[]) AND valid_to IS NULL
  ORDER BY tenant_id, mode, stream DESC, weight DESC, sending_account_id`;
const BETWEEN = `SELECT ${COLUMNS} FROM placement
  WHERE ($1::uuid IS NULL OR id > $1) AND ($2::uuid IS NULL OR id < $2) AND ($4::uuid IS NULL OR tenant_id = $4)
    AND ($5::uuid IS NULL OR sending_account_id = $5) AND (NOT $6::boolean OR valid_to IS NULL)`;
const PAGE_FORWARDS = `${BETWEEN} ORDER BY id LIMIT $3`;
const PAGE_BACKWARDS = `${BETWEEN} ORDER BY id DESC LIMIT $3`;
// Decisions about one account are made one after the other, so that two new tenants do not both see the same room.
const DECISION_LOCK = 7_204_118_302;

@Injectable()
export class PlacementRepository {
  constructor(private readonly uow: UnitOfWork) {}

  async lockDecisions(): Promise<void> {
    await this.uow.query('SELECT pg_advisory_xact_lock($1)', [DECISION_LOCK]);
  }

  async insert(tenant: TenantId, placements: readonly Placement[]): Promise<void> {
    for (const placement of placements) {
      await this.uow.query(
        `INSERT INTO placement (tenant_id, id, mode, stream, sending_account_id, lane_id, weight, reason, decided_by, valid_from)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
        [
          tenant,
          placement.id,
          placement.mode,
          placement.stream,
          placement.sendingAccountId,
          placement.laneId,
          placement.weight,
          placement.reason,
          placement.decidedBy,
          placement.validFrom,
        ],
      );
    }
  }

  async close(tenant: TenantId, ids: readonly PlacementId[], at: Date): Promise<void> {
    await this.uow.query(
      `UPDATE placement SET valid_to = greatest($3, valid_from)
        WHERE tenant_id = $1 AND id = ANY($2::uuid[]) AND valid_to IS NULL`,
      [tenant, ids, at],
    );
  }

  current(tenants: readonly TenantId[]): Promise<Placement[]> {
    return this.uow.query<Placement>(CURRENT, [tenants]);
  }

  /** In order of creation; cursors are ids. */
  async page(request: PageRequest, filter: PlacementFilter): Promise<Page<Placement>> {
    const rows = await this.uow.query<Placement>(isBackwards(request) ? PAGE_BACKWARDS : PAGE_FORWARDS, [
      request.after ?? null,
      request.before ?? null,
      request.limit + 1,
      filter.tenantId ?? null,
      filter.sendingAccountId ?? null,
      filter.current ?? false,
    ]);
    return toPage(rows, request);
  }

  /** What the plans of the tenants placed on each account allow a day; a plan without a limit promises nothing. */
  async commitments(accounts: readonly SendingAccountId[]): Promise<Commitment[]> {
    const rows = await this.uow.query<{ sendingAccountId: SendingAccountId; committed: string; tenants: string }>(
      `SELECT d.sending_account_id AS "sendingAccountId", coalesce(sum(p.recipients_per_day), 0)::text AS committed,
              count(*)::text AS tenants
         FROM (SELECT DISTINCT sending_account_id, tenant_id FROM placement
                WHERE valid_to IS NULL AND sending_account_id = ANY($1::uuid[])) d
         JOIN tenant t ON t.id = d.tenant_id JOIN plan p ON p.id = t.plan_id
        GROUP BY d.sending_account_id`,
      [accounts],
    );
    return rows.map((row) => ({ ...row, committed: BigInt(row.committed), tenants: Number(row.tenants) }));
  }

  /**
   * Tenants with a current placement whose route is not ready: a job got lost, or AWS lost a configuration set, or it was paused
   * and that was last seen before `pausedBefore`. The youngest first, after that one.
   */
  async unprovisioned(limit: number, pausedBefore: Date, after?: TenantId): Promise<TenantId[]> {
    const rows = await this.uow.prepared<{ tenantId: TenantId }>(
      `SELECT DISTINCT p.tenant_id AS "tenantId" FROM placement p
         LEFT JOIN configuration_set c ON c.tenant_id = p.tenant_id AND c.stream = p.stream
                                      AND c.sending_account_id = p.sending_account_id AND c.lane_id = p.lane_id
        WHERE p.valid_to IS NULL AND c.ready_at IS NULL AND (c.paused_at IS NULL OR c.paused_at <= $2)
          AND p.tenant_id < coalesce($3::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
        ORDER BY p.tenant_id DESC LIMIT $1`,
      [limit, pausedBefore, after ?? null],
    );
    return rows.map(({ tenantId }) => tenantId);
  }

  /** Tenants that were placed before there was an account for test mode. */
  async withoutTestPlacement(limit: number): Promise<TenantId[]> {
    const rows = await this.uow.prepared<{ tenantId: TenantId }>(
      `SELECT DISTINCT p.tenant_id AS "tenantId" FROM placement p
        WHERE p.valid_to IS NULL AND p.mode = 'LIVE'
          AND NOT EXISTS (SELECT FROM placement t WHERE t.tenant_id = p.tenant_id AND t.mode = 'TEST' AND t.valid_to IS NULL)
        LIMIT $1`,
      [limit],
    );
    return rows.map(({ tenantId }) => tenantId);
  }
}
