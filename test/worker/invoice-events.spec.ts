import { InvoiceService } from '@libs/billing';
import { newId, type PlanId, type TenantId } from '@libs/kernel';
import { Client } from 'pg';
import { waitFor } from '../support/wait-for';
import { SendingStack } from './sending-stack';

describe('events of invoices', () => {
  let stack: SendingStack;
  let superuser: Client;

  beforeAll(async () => {
    stack = await SendingStack.start();
    superuser = new Client({ connectionString: stack.database.superuserUrl });
    await superuser.connect();
  });
  afterAll(async () => {
    await superuser.end();
    await stack.close();
  });

  it('reach whoever collects money through outbox and job, once', async () => {
    const [plan, tenant] = [newId<PlanId>(), newId<TenantId>()];
    const since = new Date('2025-01-01T00:00:00Z');
    await superuser.query(
      `INSERT INTO plan (id, code, name, tier, streams, weight, created_at) VALUES ($1, 'fee', 'Fee', 'free', '{MARKETING}', 1, $2)`,
      [plan, since],
    );
    await superuser.query(
      `INSERT INTO plan_price (plan_id, valid_from, base_fee_micro, included_recipients, dedicated_ip_fee_micro, minimum_micro, monotone, source)
       VALUES ($1, $2, 5000000, 0, 0, 0, true, 'test')`,
      [plan, since],
    );
    await superuser.query(
      `INSERT INTO tenant (id, name, plan_id, state, created_at) VALUES ($1, 'Northwind', $2, 'ACTIVE', $3)`,
      [tenant, plan, since],
    );
    await superuser.query('INSERT INTO tenant_plan (tenant_id, plan_id, valid_from) VALUES ($1, $2, $3)', [
      tenant,
      plan,
      since,
    ]);
    const { app } = await stack.startWorker();
    const invoices = app.get(InvoiceService, { strict: false });
    await invoices.draftAll('2026-01');
    await expect(invoices.finaliseAll('2026-01')).resolves.toEqual({ invoices: 1n, totalCents: 500n });
    const [event] = await waitFor(
      async () => {
        const { rows } = await superuser.query<{ type: string; payload: { totalCents: string } }>(
          'SELECT type, payload FROM invoice_event',
        );
        return rows.length > 0 && rows;
      },
      { what: 'the event to be handed over' },
    );
    expect(event).toMatchObject({ type: 'invoice.finalised', payload: { totalCents: '500' } });
    // Its row goes once the job is handed over, and the job may be faster.
    await waitFor(async () => (await superuser.query('SELECT 1 FROM outbox')).rowCount === 0, {
      what: 'the outbox to be empty',
    });
  });
});
