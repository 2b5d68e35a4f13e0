import { InvoiceCorrections, InvoiceService, InvoicingModule } from '../../libs/billing/src';
import { createDataSource } from '../../libs/database/src';
import { toPublicId, type InvoiceId, type TenantId } from '../../libs/kernel/src';
import { QueueingModule } from '../../libs/queueing/src';
import { invoicing } from '../billing/invoicing-process';
import { createTestRedis } from '../support/redis';
import { assemble } from '../tenancy/api-process';
import type { ApiUnderTest } from './api-under-test';
import type { GivenTenant } from './given';

/** The month that runs: what a tenant that has just been made can be charged for. */
export const THIS_MONTH = new Date().toISOString().slice(0, 7);

/** Recipients of a day of this month, rolled up. */
export async function used(api: ApiUnderTest, tenant: GivenTenant, recipients: bigint): Promise<void> {
  await api.sql(
    `INSERT INTO usage_rollup (day, revision, tenant_id, sending_account_id, sku, hour, qty, booked_at, period)
     VALUES ($1, 0, $2, gen_random_uuid(), 'ses.recipient', -1, $3, now(), $4)`,
    [`${THIS_MONTH}-01`, tenant.uuid, recipients.toString(), THIS_MONTH],
  );
}

/**
 * The invoices of this month as the worker issues them once it is over, and one credit note to that of a tenant.
 * @returns their public ids
 */
export async function issueInvoices(
  api: ApiUnderTest,
  credited: GivenTenant,
): Promise<{ readonly invoiceOf: (tenant: GivenTenant) => string; readonly creditNote: string }> {
  const redis = await createTestRedis();
  const [worker, admin] = await Promise.all(
    [api.database.urls.worker, api.database.urls.admin].map((url) =>
      createDataSource({ url, applicationName: 'test-issuing', poolSize: 2 }).initialize(),
    ),
  );
  const modules = () => [QueueingModule.forRoot({ redisUrl: redis.url }), InvoicingModule.forRoot(invoicing)];
  const issuing = await assemble({ worker: worker! }, modules());
  const correcting = await assemble({ admin: admin! }, modules());
  try {
    const later = new Date(`${THIS_MONTH}-28T00:00:00Z`).getTime() + 5 * 86_400_000;
    for (const { clock } of [issuing, correcting]) clock.advance(later - clock.now().getTime());
    const invoices = issuing.module.get(InvoiceService);
    await invoices.draftAll(THIS_MONTH);
    await invoices.finaliseAll(THIS_MONTH);
    const rows = await api.sql<{ tenant_id: string; id: InvoiceId }>('SELECT tenant_id, id FROM invoice');
    const idOf = (tenant: GivenTenant) => rows.find((row) => row.tenant_id === tenant.uuid)!.id;
    const note = await correcting.module
      .get(InvoiceCorrections)
      .creditNote(
        credited.uuid as TenantId,
        idOf(credited),
        { reason: 'late mail', lines: [{ description: 'Late mail', amountMicro: 1_500_000n, lineNo: null }] },
        { actor: 'operator:test' },
      );
    return {
      invoiceOf: (tenant) => toPublicId('invoice', idOf(tenant)),
      creditNote: toPublicId('invoice', note),
    };
  } finally {
    await Promise.all([issuing.module.close(), correcting.module.close()]);
    await Promise.all([worker!.destroy(), admin!.destroy()]);
    await redis.close();
  }
}
