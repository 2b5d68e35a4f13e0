import { UnitOfWork } from '@libs/database';
import type { Mode, SendingAccountId, TenantId, TenantMoveId } from '@libs/kernel';
import { Injectable } from '@nestjs/common';

/** A decided move: PENDING while the new route is made, DONE once it serves, FAILED with the reason. */
export interface TenantMove {
  readonly id: TenantMoveId;
  readonly tenantId: TenantId;
  readonly mode: Mode;
  readonly sendingAccountId: SendingAccountId;
  readonly reason: string;
  readonly decidedBy: string;
  readonly state: 'PENDING' | 'DONE' | 'FAILED';
  /** Why it failed; while PENDING, what it waits for. */
  readonly detail: string | null;
  readonly createdAt: Date;
  readonly endedAt: Date | null;
}

const COLUMNS = `id, tenant_id AS "tenantId", mode, sending_account_id AS "sendingAccountId", reason,
  decided_by AS "decidedBy", state, detail, created_at AS "createdAt", ended_at AS "endedAt"`;
const FIND = `SELECT ${COLUMNS} FROM tenant_move WHERE tenant_id = $1 AND id = $2`;
const PENDING_OF = `SELECT ${COLUMNS} FROM tenant_move WHERE tenant_id = $1 AND state = 'PENDING' ORDER BY id`;
const PENDING = `SELECT ${COLUMNS} FROM tenant_move WHERE state = 'PENDING'
  AND id > coalesce($2::uuid, '00000000-0000-0000-0000-000000000000') ORDER BY id LIMIT $1`;
const LATEST = `SELECT ${COLUMNS} FROM tenant_move WHERE tenant_id = $1 ORDER BY id DESC LIMIT $2`;

@Injectable()
export class TenantMoveRepository {
  constructor(private readonly uow: UnitOfWork) {}

  async insert(tenant: TenantId, move: TenantMove): Promise<void> {
    await this.uow.query(
      `INSERT INTO tenant_move (tenant_id, id, mode, sending_account_id, reason, decided_by, state, created_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
      [tenant, move.id, move.mode, move.sendingAccountId, move.reason, move.decidedBy, move.state, move.createdAt],
    );
  }

  async find(tenant: TenantId, id: TenantMoveId): Promise<TenantMove | undefined> {
    const [move] = await this.uow.query<TenantMove>(FIND, [tenant, id]);
    return move;
  }

  pendingOf(tenant: TenantId): Promise<TenantMove[]> {
    return this.uow.query<TenantMove>(PENDING_OF, [tenant]);
  }

  /** Across tenants, after that one, the oldest first; for the engine. */
  pending(limit: number, after?: TenantMove): Promise<TenantMove[]> {
    return this.uow.prepared<TenantMove>(PENDING, [limit, after?.id ?? null]);
  }

  latest(tenant: TenantId, limit: number): Promise<TenantMove[]> {
    return this.uow.query<TenantMove>(LATEST, [tenant, limit]);
  }

  /** Ends the move if it is still PENDING; false when somebody else ended it: then nothing may be switched. */
  async end(
    tenant: TenantId,
    id: TenantMoveId,
    state: 'DONE' | 'FAILED',
    detail: string | null,
    at: Date,
  ): Promise<boolean> {
    const rows = await this.uow.query(
      `UPDATE tenant_move SET state = $3, detail = $4, ended_at = $5
        WHERE tenant_id = $1 AND id = $2 AND state = 'PENDING' RETURNING id`,
      [tenant, id, state, detail, at],
    );
    return rows.length > 0;
  }

  async note(tenant: TenantId, id: TenantMoveId, detail: string): Promise<void> {
    await this.uow.query(
      `UPDATE tenant_move SET detail = $3
        WHERE tenant_id = $1 AND id = $2 AND state = 'PENDING' AND detail IS DISTINCT FROM $3`,
      [tenant, id, detail],
    );
  }
}
