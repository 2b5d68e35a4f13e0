import { UnitOfWork } from '@libs/database';
import type { TenantId } from '@libs/kernel';
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

  async record(event: InvoiceEvent, at: Date): Promise<void> {
    const payload = { ...event, totalCents: event.totalCents.toString() };
    await this.uow.query(
      `INSERT INTO invoice_event (tenant_id, idempotency_key, invoice_id, type, payload, handed_over_at)
       VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`,
      [event.tenantId, event.idempotencyKey, event.invoiceId, event.type, JSON.stringify(payload), at],
    );
  }
}
