import { UnitOfWork } from '@libs/database';
import type { InvoiceId, TenantId } from '@libs/kernel';
import { Injectable } from '@nestjs/common';
import type { InvoiceEvent } from './payment-handover';

/** Which events were handed over; operators read it. */
@Injectable()
export class InvoiceEventRepository {
  constructor(private readonly uow: UnitOfWork) {}

  async isHandedOver(tenant: TenantId, idempotencyKey: string): Promise<boolean> {
    const sql = 'SELECT 1 FROM invoice_event WHERE tenant_id = $1 AND idempotency_key = $2';
    return (await this.uow.query(sql, [tenant, idempotencyKey])).length > 0;
  }

  /** What happened before `before` and is not written down as handed over; the oldest. */
  async missing(before: Date): Promise<{ tenantId: TenantId; invoiceId: InvoiceId; type: InvoiceEvent['type'] }[]> {
    const rows = await this.uow.query<{ tenant_id: TenantId; invoice_id: InvoiceId; type: InvoiceEvent['type'] }>(
      `SELECT happened.tenant_id, happened.invoice_id, happened.type
         FROM (SELECT tenant_id, id AS invoice_id, issued_at AS at,
                      CASE kind WHEN 'INVOICE' THEN 'invoice.finalised' ELSE 'credit_note.issued' END AS type FROM invoice
               UNION ALL SELECT tenant_id, id, voided_at, 'invoice.voided' FROM invoice WHERE state = 'VOID') happened
        WHERE happened.at < $1
          AND NOT EXISTS (SELECT FROM invoice_event told WHERE told.tenant_id = happened.tenant_id
                             AND told.invoice_id = happened.invoice_id AND told.type = happened.type)
        ORDER BY happened.at, happened.invoice_id LIMIT 500`,
      [before],
    );
    return rows.map((row) => ({ tenantId: row.tenant_id, invoiceId: row.invoice_id, type: row.type }));
  }

  async record(event: InvoiceEvent, at: Date): Promise<void> {
    const payload = { ...event, totalCents: event.totalCents.toString() };
    await this.uow.query(
      `INSERT INTO invoice_event (tenant_id, idempotency_key, invoice_id, type, payload, handed_over_at)
       VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`,
      [event.tenantId, event.idempotencyKey, event.invoiceId, event.type, JSON.stringify(payload), at],
    );
  }
}
