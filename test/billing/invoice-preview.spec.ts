import { BillingProfiles, InvoicePreviews, InvoiceService } from '@libs/billing';
import type { TenantId } from '@libs/kernel';
import { FleetFactsWriter } from './fleet-facts';
import { InvoicingProcess } from './invoicing-process';

const by = { actor: 'key:test' };

describe('the running month of a tenant', () => {
  let process: InvoicingProcess;
  let write: FleetFactsWriter;
  let tenant: TenantId;

  beforeEach(async () => {
    process = await InvoicingProcess.start();
    write = await FleetFactsWriter.open(process.database.superuserUrl);
    const plan = await process.plan('Growth', { baseFeeMicro: 99_000_000n, tiers: [[0n, 1_000n, 1n]] });
    tenant = await process.tenant(plan);
  });
  afterEach(async () => {
    await write.close();
    await process.close();
  });

  it('is what was rolled up and what was sent since, each once, and goes on as it went', async () => {
    const account = await write.account();
    await process.used(tenant, '2026-11-03', 1_000n);
    await process.query(
      `INSERT INTO usage_day (day, revision, rolled_at, attempts, recipients, in_doubt, src_hash)
       SELECT day, 0, day + interval '1 day 3 hours', 1, 1, 0, '' FROM generate_series('2026-11-01'::timestamptz, '2026-11-20', '1 day') day`,
    );
    await write.message(tenant, account, 9, [{ state: 'SENT', endedAt: new Date('2026-11-20T10:00:00Z') }]);
    await write.message(tenant, account, 10, [{ state: 'SENT', endedAt: new Date('2026-11-22T11:00:00Z') }]);
    await write.message(tenant, account, 7, [{ state: 'SENT', endedAt: new Date('2026-11-22T11:00:00Z') }], 'TEST');
    const preview = await process.inApi(InvoicePreviews).preview(tenant);
    const recipients = (body: typeof preview.soFar) =>
      body.lines.find((line) => line.sku === 'plan.recipients')?.quantity;
    expect(preview).toMatchObject({ period: '2026-11', soFar: { issue: null, totalCents: '10001' } });
    expect(recipients(preview.soFar)).toBe('1010');
    // 21.5 days have passed, 8.5 are to come.
    expect(recipients(preview.projected)).toBe('1409');
  });

  it('is empty of usage at first, and is nobody else’s to see', async () => {
    const preview = await process.inApi(InvoicePreviews).preview(tenant);
    expect(preview.projected.lines.map((line) => line.sku)).toEqual(['plan.base_fee']);
    await expect(
      process.inApi(InvoicePreviews).preview('01930000-0000-7000-8000-000000000009' as TenantId),
    ).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });

  it('is made out to whom its profile says, from the next draft on', async () => {
    const profiles = process.inApi(BillingProfiles);
    const profile = { legalName: 'Northwind Bank AG', address: ['Straße 1', '10623 Berlin'], taxId: null, email: null };
    await expect(profiles.get(tenant)).resolves.toBeNull();
    await expect(profiles.set(tenant, { ...profile, legalName: '' }, by)).rejects.toMatchObject({
      issues: [{ path: ['legalName'] }],
    });
    await profiles.set(tenant, { ...profile, legalName: 'Northwind' }, by);
    await profiles.set(tenant, profile, by);
    await expect(profiles.get(tenant)).resolves.toEqual(profile);
    await process.inWorker(InvoiceService).draftAll('2026-11');
    const [draft] = await process.query(`SELECT input->'buyer'->>'name' AS name FROM invoice_draft`);
    expect(draft).toEqual({ name: 'Northwind Bank AG' });
    expect(await process.query(`SELECT actor FROM audit_log WHERE action = 'billing-profile.set'`)).toHaveLength(2);
  });
});
