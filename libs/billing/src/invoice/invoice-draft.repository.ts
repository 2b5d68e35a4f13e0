import { UnitOfWork } from '@libs/database';
import type { TenantId } from '@libs/kernel';
import { Injectable } from '@nestjs/common';
import { invoiceInput, type InvoiceInput } from './invoice-input.policy';
import type { MadeInvoice } from './invoice-versions.policy';

export interface StoredDraft {
  readonly tenantId: TenantId;
  readonly input: InvoiceInput;
}

export interface ListedDraft extends StoredDraft {
  readonly draftedAt: Date;
}

/** Drafts: they may be made again and thrown away. */
@Injectable()
export class InvoiceDraftRepository {
  constructor(private readonly uow: UnitOfWork) {}

  /** The drafts of a period become these for the tenants named; a tenant without one has none afterwards. */
  async replace(period: string, tenants: readonly TenantId[], drafts: readonly MadeInvoice[], at: Date): Promise<void> {
    const wanted = drafts.map((draft) => draft.input.tenant);
    await this.uow.query(
      'DELETE FROM invoice_draft WHERE period = $1 AND tenant_id = ANY($2) AND tenant_id <> ALL($3)',
      [period, tenants, wanted],
    );
    await this.uow.query(
      `INSERT INTO invoice_draft (tenant_id, period, input, input_hash, total_micro, drafted_at)
       SELECT draft.tenant_id, $1, draft.input, decode(draft.input_hash, 'hex'), draft.total_micro, $2
         FROM jsonb_to_recordset($3::jsonb) AS draft (tenant_id uuid, input jsonb, input_hash text, total_micro bigint)
       ON CONFLICT (tenant_id, period) DO UPDATE
         SET input = excluded.input, input_hash = excluded.input_hash, total_micro = excluded.total_micro, drafted_at = excluded.drafted_at`,
      [
        period,
        at,
        JSON.stringify(
          drafts.map((draft) => ({
            tenant_id: draft.input.tenant,
            input: draft.input,
            input_hash: draft.inputHash,
            total_micro: draft.body.totalMicro,
          })),
        ),
      ],
    );
  }

  /** The next drafts of a period, by tenant, locked until the unit ends. */
  async take(period: string): Promise<StoredDraft[]> {
    const rows = await this.uow.query<{ tenant_id: TenantId; input: unknown }>(
      'SELECT tenant_id, input FROM invoice_draft WHERE period = $1 ORDER BY tenant_id LIMIT 500 FOR UPDATE',
      [period],
    );
    return rows.map((row) => ({ tenantId: row.tenant_id, input: invoiceInput.parse(row.input) }));
  }

  /** The next drafts of a period, by tenant, after the given one. */
  async list(period: string, after: TenantId | null, limit: bigint): Promise<ListedDraft[]> {
    const rows = await this.uow.query<{ tenant_id: TenantId; input: unknown; drafted_at: Date }>(
      `SELECT tenant_id, input, drafted_at FROM invoice_draft
        WHERE period = $1 AND ($2::uuid IS NULL OR tenant_id > $2) ORDER BY tenant_id LIMIT $3`,
      [period, after, limit.toString()],
    );
    return rows.map((row) => ({
      tenantId: row.tenant_id,
      input: invoiceInput.parse(row.input),
      draftedAt: row.drafted_at,
    }));
  }

  async find(period: string, tenant: TenantId): Promise<StoredDraft | undefined> {
    const [row] = await this.uow.query<{ input: unknown }>(
      'SELECT input FROM invoice_draft WHERE period = $1 AND tenant_id = $2',
      [period, tenant],
    );
    return row && { tenantId: tenant, input: invoiceInput.parse(row.input) };
  }

  async remove(period: string, tenants: readonly TenantId[]): Promise<void> {
    await this.uow.query('DELETE FROM invoice_draft WHERE period = $1 AND tenant_id = ANY($2)', [period, tenants]);
  }

  async count(period: string): Promise<bigint> {
    const [row] = await this.uow.query<{ count: string }>(
      'SELECT count(*)::text AS count FROM invoice_draft WHERE period = $1',
      [period],
    );
    return BigInt(row?.count ?? '0');
  }
}
