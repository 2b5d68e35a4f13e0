import { InvoiceService } from '@libs/billing';
import type { TenantId } from '@libs/kernel';
import { InvoicingProcess, LONG_AGO } from './invoicing-process';

const MONTH_MS = 30n * 86_400_000n;

describe('invoices of a month', () => {
  let process: InvoicingProcess;
  let invoices: InvoiceService;

  beforeEach(async () => {
    process = await InvoicingProcess.start();
    invoices = process.inWorker(InvoiceService);
  });
  afterEach(() => process.close());

  const growth = () =>
    process.plan('Growth', {
      baseFeeMicro: 99_000_000n,
      includedRecipients: 100_000n,
      dedicatedIpFeeMicro: 39_000_000n,
      tiers: [[0n, 400_001n, 1_000n]],
    });
  const issued = () =>
    process.query(
      `SELECT number, tenant_id, state, kind, total_micro, carried_in_micro, rounding_micro, total_cents FROM invoice ORDER BY number`,
    );
  const linesOf = (tenant: TenantId) =>
    process.query(
      `SELECT l.sku, l.quantity, l.amount_micro FROM invoice_line l JOIN invoice i ON i.tenant_id = l.tenant_id AND i.id = l.invoice_id
        WHERE l.tenant_id = $1 ORDER BY i.number, l.no`,
      [tenant],
    );

  it('are drafted from what was rolled up, and issued with fee, inclusion, overage, IPs and rounding', async () => {
    const ann = await process.tenant(await growth());
    await process.used(ann, '2026-11-03', 100_000n, MONTH_MS);
    await process.used(ann, '2026-11-04', 1_001n);
    await process.used(ann, '2026-10-31', 5n);
    await expect(invoices.draftAll('2026-11')).resolves.toEqual({ drafts: 1n, totalMicro: 138_400_401n });
    expect(await issued()).toEqual([]);
    process.moveTo('2026-12-02T08:00:00Z');
    await expect(invoices.finaliseAll('2026-11')).resolves.toEqual({ invoices: 1n, totalCents: 13_840n });
    expect(await linesOf(ann)).toEqual([
      { sku: 'plan.base_fee', quantity: '2592000000', amount_micro: '99000000' },
      { sku: 'plan.included_recipients', quantity: '100000', amount_micro: '0' },
      { sku: 'plan.recipients', quantity: '1001', amount_micro: '400401' },
      { sku: 'plan.dedicated_ip', quantity: '2592000000', amount_micro: '39000000' },
      { sku: 'invoice.rounding', quantity: '1', amount_micro: '-401' },
    ]);
    expect(await issued()).toMatchObject([{ number: 'INV-2026-000001', state: 'FINAL', total_cents: '13840' }]);
  });

  it('are none for a tenant without usage and fees, also when it lost them after the draft', async () => {
    const free = await process.plan('Free', {});
    await process.tenant(free, 'Silent');
    const ann = await process.tenant(free);
    await process.used(ann, '2026-11-03', 7n);
    await expect(invoices.draftAll('2026-11')).resolves.toMatchObject({ drafts: 1n });
    await process.query('DELETE FROM usage_rollup');
    await expect(invoices.draftAll('2026-11')).resolves.toEqual({ drafts: 0n, totalMicro: 0n });
    expect(await process.query('SELECT * FROM invoice_draft')).toEqual([]);
  });

  it('follow changes of plan and price in mid-month, and bill corrections of an earlier month in the one they are booked in', async () => {
    const plan = await growth();
    const premium = await process.plan('Premium', { baseFeeMicro: 300_000_000n, includedRecipients: 1_000_000n });
    const ann = await process.tenant(plan);
    await process.changePlan(ann, premium, new Date('2026-11-16T00:00:00Z'));
    await process.price(premium, { baseFeeMicro: 600_000_000n }, new Date('2026-11-26T00:00:00Z'));
    await process.used(ann, '2026-10-31', 10n, 0n, '2026-11');
    await process.used(ann, '2026-11-15', 50_000n);
    await process.used(ann, '2026-11-16', 9n);
    await process.used(ann, '2026-11-27', 333_400n);
    await invoices.draftAll('2026-11');
    process.moveTo('2026-12-02T08:00:00Z');
    await invoices.finaliseAll('2026-11');
    expect((await linesOf(ann)).map((line) => [line['sku'], line['quantity'], line['amount_micro']])).toEqual([
      ['plan.base_fee', '1296000000', '49500000'],
      ['plan.included_recipients', '50000', '0'],
      ['plan.recipients', '10', '4000'],
      ['plan.base_fee', '864000000', '100000000'],
      ['plan.base_fee', '432000000', '100000000'],
      ['plan.included_recipients', '333334', '0'],
      ['plan.recipients', '75', '0'],
      ['invoice.rounding', '1', '-4000'],
    ]);
  });

  it('drafted twice are drafted once; issued twice are issued once, and later drafts leave them alone', async () => {
    const plan = await growth();
    const ann = await process.tenant(plan);
    const draft = () => process.query('SELECT tenant_id, input_hash FROM invoice_draft');
    await invoices.draftAll('2026-11');
    const first = await draft();
    await invoices.draftAll('2026-11');
    expect(await draft()).toEqual(first);
    process.moveTo('2026-12-02T08:00:00Z');
    await invoices.finaliseAll('2026-11');
    const done = await issued();
    await process.used(ann, '2026-11-30', 1_000_000n);
    await expect(invoices.draftAll('2026-11')).resolves.toMatchObject({ drafts: 0n });
    await expect(invoices.finaliseAll('2026-11')).resolves.toEqual({ invoices: 0n, totalCents: 0n });
    expect(await issued()).toEqual(done);
  });

  it('are issued once, also when a draft was made while they were', async () => {
    await process.tenant(await growth());
    await invoices.draftAll('2026-11');
    await process.query('CREATE TABLE late AS SELECT * FROM invoice_draft');
    process.moveTo('2026-12-02T08:00:00Z');
    await invoices.finaliseAll('2026-11');
    await process.query('INSERT INTO invoice_draft SELECT * FROM late');
    await process.tenant(await growth());
    await expect(invoices.finaliseAll('2026-11')).resolves.toEqual({ invoices: 0n, totalCents: 0n });
    expect(await issued()).toHaveLength(1);
    expect(await process.query('SELECT * FROM invoice_draft')).toEqual([]);
  });

  it('are not issued before the month is over, and say so', async () => {
    await process.tenant(await growth());
    await invoices.draftAll('2026-11');
    process.moveTo('2026-11-30T23:59:59.999Z');
    await expect(invoices.finaliseAll('2026-11')).rejects.toMatchObject({
      issues: [{ code: 'CONFLICT', path: ['period'] }],
    });
    process.moveTo('2026-12-01T00:00:00Z');
    await expect(invoices.finaliseAll('2026-11')).resolves.toMatchObject({ invoices: 1n });
  });

  it('are numbered without a gap over pages, months and a failure half-way, anew each year, and carry rounding on', async () => {
    const plan = await process.plan('Odd', { baseFeeMicro: 1_004_999n });
    const other = await process.tenant(plan);
    const tenants = [other, ...(await Promise.all(['a', 'b'].map((name) => process.tenant(plan, name))))].sort();
    for (const period of ['2026-10', '2026-11']) await invoices.draftAll(period);
    process.moveTo('2026-12-02T00:00:00Z');
    // What stops the unit after the numbers were taken gives them back.
    await process.query(`ALTER TABLE invoice_line ADD CONSTRAINT planted CHECK (sku <> 'plan.base_fee')`);
    await expect(invoices.finaliseAll('2026-10')).rejects.toMatchObject({ code: '23514' });
    await process.query('ALTER TABLE invoice_line DROP CONSTRAINT planted');
    await invoices.finaliseAll('2026-10');
    await invoices.finaliseAll('2026-11');
    await invoices.draftAll('2026-12');
    process.moveTo('2027-01-02T00:00:00Z');
    await invoices.finaliseAll('2026-12');
    const found = await issued();
    const number = (series: string, count: number) => `${series}-00000${count}`;
    expect(found.map((row) => [row['number'], row['tenant_id']])).toEqual([
      ...[0, 1, 2, 0, 1, 2].map((at, index) => [number('INV-2026', index + 1), tenants[at]]),
      ...[0, 1, 2].map((at) => [number('INV-2027', at + 1), tenants[at]]),
    ]);
    // 1.004999 each: 1.00 and 0.004999 carried; 1.01 (the sum is 1.009998) and -0.000002; 1.00 again.
    const ofOther = found.filter((row) => row['tenant_id'] === other);
    expect(ofOther.map((row) => [row['carried_in_micro'], row['total_cents'], row['rounding_micro']])).toEqual([
      ['0', '100', '-4999'],
      ['4999', '101', '2'],
      ['-2', '100', '-4997'],
    ]);
  });

  it('are refused where a plan has no price, naming plan and time', async () => {
    const plan = await process.plan('Late', { baseFeeMicro: 1n }, new Date('2026-11-05T00:00:00Z'));
    await process.tenant(plan, 'Early', LONG_AGO);
    await expect(invoices.draftAll('2026-11')).rejects.toThrow(/"Late" at 2026-11-01T00:00:00.000Z/);
  });

  it('tell how far they are', async () => {
    const plan = await growth();
    for (let i = 0; i < 3; i += 1) await process.tenant(plan);
    const told: unknown[] = [];
    await invoices.draftAll('2026-11', (progress) => void told.push(progress));
    expect(told).toEqual([{ done: 3n, total: 3n }]);
  });
});
