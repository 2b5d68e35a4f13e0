import { UnitOfWork } from '@libs/database';
import { newId, type EventId, type TenantId } from '@libs/kernel';
import { Injectable } from '@nestjs/common';
import type { SpendEvent, SpendSettings } from './spend-settings.policy';

/** What happened to a tenant and belongs to no message. */
export interface TenantEvent {
  readonly id: EventId;
  readonly type: string;
  readonly at: Date;
  readonly summary: string;
  readonly data: unknown;
}

interface SettingRow {
  tenant_id: TenantId;
  alerts_micro: string[];
  hard_cap_micro: string | null;
}

const COLUMNS = 'tenant_id, alerts_micro::text[] AS alerts_micro, hard_cap_micro::text AS hard_cap_micro';
const FIND = `SELECT ${COLUMNS} FROM spend_setting WHERE tenant_id = $1`;
const LOCK = `SELECT ${COLUMNS} FROM spend_setting WHERE tenant_id = ANY($1::uuid[]) ORDER BY tenant_id FOR NO KEY UPDATE`;
const WATCHED = `
  SELECT tenant_id FROM spend_setting
   WHERE (cardinality(alerts_micro) > 0 OR hard_cap_micro IS NOT NULL) AND ($1::uuid IS NULL OR tenant_id > $1)
   ORDER BY tenant_id LIMIT 500`;
const EVENT = 'id, type, at, summary, data';
const EVENTS = `SELECT ${EVENT} FROM tenant_event WHERE tenant_id = $1 AND at >= $2 ORDER BY at, id LIMIT 100`;
const FIND_EVENTS = `SELECT ${EVENT} FROM tenant_event WHERE tenant_id = $1 AND id = ANY($2::uuid[])`;

/** Every method runs in a unit of its caller. */
@Injectable()
export class SpendRepository {
  constructor(private readonly uow: UnitOfWork) {}

  async find(tenant: TenantId): Promise<SpendSettings | undefined> {
    const [row] = await this.uow.query<SettingRow>(FIND, [tenant]);
    return row && toSettings(row);
  }

  /** Locks the row until the unit ends. */
  async save(tenant: TenantId, settings: SpendSettings, at: Date): Promise<void> {
    await this.uow.query(
      `INSERT INTO spend_setting (tenant_id, alerts_micro, hard_cap_micro, updated_at) VALUES ($1, $2, $3, $4)
       ON CONFLICT (tenant_id) DO UPDATE
         SET alerts_micro = excluded.alerts_micro, hard_cap_micro = excluded.hard_cap_micro, updated_at = excluded.updated_at`,
      [tenant, settings.alertsMicro.map(String), settings.hardCapMicro?.toString() ?? null, at],
    );
  }

  /** The next tenants that want to be told or stopped, by id. */
  async watched(after: TenantId | null): Promise<TenantId[]> {
    return (await this.uow.query<{ tenant_id: TenantId }>(WATCHED, [after])).map((row) => row.tenant_id);
  }

  /** The settings as they are now, locked until the unit ends. */
  async lock(tenants: readonly TenantId[]): Promise<Map<TenantId, SpendSettings>> {
    const rows = await this.uow.query<SettingRow>(LOCK, [tenants]);
    return new Map(rows.map((row) => [row.tenant_id, toSettings(row)]));
  }

  /** Writes down what was not told before, and answers how many those were. */
  async tell(events: readonly (SpendEvent & { readonly tenantId: TenantId })[], at: Date): Promise<bigint> {
    if (events.length === 0) return 0n;
    const rows = await this.uow.query(
      `INSERT INTO tenant_event (tenant_id, dedupe_key, id, type, at, summary, data)
       SELECT "tenantId", "dedupeKey", id, type, $2, summary, data
         FROM jsonb_to_recordset($1::jsonb) AS e ("tenantId" uuid, "dedupeKey" text, id uuid, type text, summary text, data jsonb)
       ON CONFLICT DO NOTHING RETURNING id`,
      [JSON.stringify(events.map((event) => ({ ...event, id: newId<EventId>() }))), at],
    );
    return BigInt(rows.length);
  }

  /** Oldest first. */
  events(tenant: TenantId, since: Date): Promise<TenantEvent[]> {
    return this.uow.query<TenantEvent>(EVENTS, [tenant, since]);
  }

  findEvents(tenant: TenantId, ids: readonly string[]): Promise<TenantEvent[]> {
    return this.uow.query<TenantEvent>(FIND_EVENTS, [tenant, ids]);
  }
}

function toSettings(row: SettingRow): SpendSettings {
  return {
    alertsMicro: row.alerts_micro.map(BigInt),
    hardCapMicro: row.hard_cap_micro === null ? null : BigInt(row.hard_cap_micro),
  };
}
