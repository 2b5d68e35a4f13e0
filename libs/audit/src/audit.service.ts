import { randomUUID } from 'node:crypto';
import { UnitOfWork } from '@libs/database';
import { EngineClock, type TenantId } from '@libs/kernel';
import { Injectable } from '@nestjs/common';

/** On whose behalf something is changed; every method that changes something asks for it. */
export interface Author {
  /** Who: `operator:<id>`, `key:<id>` or `worker`. */
  readonly actor: string;
  readonly requestId?: string;
}

export interface AuditEntry extends Author {
  /** What, verb first: `tenant.create`. */
  readonly action: string;
  /** On what: a public id. */
  readonly subject: string;
  readonly tenant?: TenantId;
  /** Ids and settings only: never bodies, recipients or secrets. */
  readonly detail?: Readonly<Record<string, unknown>>;
}

/** Writes who did what, in the transaction that did it: a rollback takes the entry back too. */
@Injectable()
export class AuditService {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly clock: EngineClock,
  ) {}

  async record(entry: AuditEntry): Promise<void> {
    await this.uow.query('SELECT append_audit($1, $2, $3, $4, $5, $6, $7, $8)', [
      randomUUID(),
      this.clock.now(),
      entry.actor,
      entry.action,
      entry.subject,
      entry.tenant ?? null,
      entry.requestId ?? null,
      JSON.stringify(entry.detail ?? {}),
    ]);
  }

  /**
   * The hash of each tenant's last entry, in hexadecimal; it vouches for all entries before it. Tenants without any are left
   * out. For operators and the engine.
   */
  async heads(tenants: readonly TenantId[]): Promise<Map<TenantId, string>> {
    const rows = await this.uow.query<{ tenant_id: TenantId; hash: string }>(
      `SELECT tenant_id, encode(hash, 'hex') AS hash FROM audit_head WHERE tenant_id = ANY($1::uuid[])`,
      [tenants],
    );
    return new Map(rows.map((row) => [row.tenant_id, row.hash]));
  }
}
