import { UnitOfWork } from '@libs/database';
import type { Stream, TenantId } from '@libs/kernel';
import { Injectable } from '@nestjs/common';

/** Live mail of a tenant's stream is neither accepted nor sent before `until`. */
export interface StreamHold {
  readonly tenantId: TenantId;
  readonly stream: Stream;
  readonly until: Date;
}

/** Every method runs in a unit of its caller. */
@Injectable()
export class StreamHoldRepository {
  constructor(private readonly uow: UnitOfWork) {}

  /** Answers those that were not in force before. */
  async put(holds: readonly StreamHold[], at: Date): Promise<StreamHold[]> {
    if (holds.length === 0) return [];
    const rows = await this.uow.query<{ tenant_id: TenantId; stream: Stream }>(
      `INSERT INTO stream_hold AS held (tenant_id, stream, reason, since, until)
       SELECT tenant_id, stream, 'SPEND_CAP', $4, until
         FROM unnest($1::uuid[], $2::text[], $3::timestamptz[]) AS wanted (tenant_id, stream, until) ORDER BY tenant_id, stream
       ON CONFLICT (tenant_id, stream) DO UPDATE SET since = excluded.since, until = excluded.until WHERE held.until <> excluded.until
       RETURNING tenant_id, stream`,
      [holds.map((hold) => hold.tenantId), holds.map((hold) => hold.stream), holds.map((hold) => hold.until), at],
    );
    return holds.filter((hold) => rows.some((row) => row.tenant_id === hold.tenantId && row.stream === hold.stream));
  }

  /** Answers whose hold was in force until now. */
  async remove(tenants: readonly TenantId[], stream: Stream): Promise<TenantId[]> {
    if (tenants.length === 0) return [];
    const rows = await this.uow.query<{ tenant_id: TenantId }>(
      'DELETE FROM stream_hold WHERE tenant_id = ANY($1::uuid[]) AND stream = $2 RETURNING tenant_id',
      [tenants, stream],
    );
    return rows.map((row) => row.tenant_id);
  }

  async find(tenant: TenantId, stream: Stream): Promise<StreamHold | undefined> {
    const [row] = await this.uow.query<{ until: Date }>(
      'SELECT until FROM stream_hold WHERE tenant_id = $1 AND stream = $2',
      [tenant, stream],
    );
    return row && { tenantId: tenant, stream, until: row.until };
  }
}
