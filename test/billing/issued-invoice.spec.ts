import {
  InvoiceCorrections,
  InvoiceHandover,
  InvoiceRecords,
  InvoiceService,
  handOverInvoiceEvent,
} from '@libs/billing';
import { UnitOfWork } from '@libs/database';
import { newId, type InvoiceId, type TenantId } from '@libs/kernel';
import { Client } from 'pg';
import { InvoiceRepository } from '../../libs/billing/src/invoice/invoice.repository';
import { InvoicingProcess } from './invoicing-process';

const by = { actor: 'operator:test' };

describe('an issued invoice', () => {
  let process: InvoicingProcess;
  let records: InvoiceRecords;
  let corrections: InvoiceCorrections;
  let tenant: TenantId;
  let id: InvoiceId;

  beforeEach(async () => {
    process = await InvoicingProcess.start();
    records = process.inApi(InvoiceRecords);
    corrections = process.inApi(InvoiceCorrections);
    const plan = await process.plan('Growth', { baseFeeMicro: 10_001_234n, tiers: [[0n, 400_001n, 1_000n]] });
    tenant = await process.tenant(plan);
    await process.used(tenant, '2026-11-03', 1_000n);
    const invoices = process.inWorker(InvoiceService);
    await invoices.draftAll('2026-11');
    process.moveTo('2026-12-02T08:00:00Z');
    await invoices.finaliseAll('2026-11');
    id = (await records.page(tenant, { limit: 10 })).rows[0]!.id;
  });
  afterEach(() => process.close());

  const outbox = async () =>
    (await process.query('SELECT payload FROM outbox WHERE job = $1 ORDER BY id', [handOverInvoiceEvent.name])).map(
      (row) => row['payload'],
    );
  const credit = (amountMicro: bigint, reason = 'late mail') =>
    corrections.creditNote(tenant, id, { reason, lines: [{ description: 'Late mail', amountMicro, lineNo: 2n }] }, by);

  it('says number, dates, parties, lines and total, to its tenant and to nobody else', async () => {
    const invoice = await records.get(tenant, id);
    expect(invoice).toMatchObject({ number: 'INV-2026-000001', state: 'FINAL', totalCents: 1_040n });
    expect(invoice.body).toMatchObject({
      issue: {
        issuedAt: '2026-12-02T08:00:00.000Z',
        dueAt: '2026-12-16T08:00:00.000Z',
        seller: { name: 'Postfleet Operations Ltd' },
      },
      buyer: { name: 'Northwind Bank' },
      totalMicro: '10401235',
      roundingMicro: '-1235',
    });
    const other = await process.tenant(await process.plan('Other', {}));
    await expect(records.get(other, id)).rejects.toMatchObject({ issues: [{ code: 'NOT_FOUND' }] });
    await expect(records.get(tenant, 'x' as InvoiceId)).rejects.toMatchObject({ issues: [{ code: 'NOT_FOUND' }] });
    await expect(records.page(other, { limit: 10 })).resolves.toMatchObject({ rows: [] });
  });

  it.each([
    ['UPDATE invoice SET total_cents = total_cents + 1'],
    [`UPDATE invoice SET input = '{}'`],
    [`UPDATE invoice SET state = 'VOID', voided_at = issued_at, void_reason = 'r', number = 'X'`],
    ['DELETE FROM invoice'],
    ['UPDATE invoice_line SET amount_micro = 0'],
    ['DELETE FROM invoice_line'],
    ['TRUNCATE invoice, invoice_line CASCADE'],
  ])('is refused a change by the database itself, to the engine, the operators and the superuser: %s', async (sql) => {
    for (const url of [process.database.urls.worker, process.database.urls.admin, process.database.urls.app]) {
      const role = new Client({ connectionString: url });
      await role.connect();
      await expect(role.query(sql)).rejects.toMatchObject({ code: '42501' });
      await role.end();
    }
    await expect(process.query(sql)).rejects.toMatchObject({ code: 'PF001' });
  });

  it('never gets another line, and stays void once it is', async () => {
    const another = `INSERT INTO invoice_line SELECT tenant_id, invoice_id, no + 10, sku, description, 0, unit, 0, cites FROM invoice_line`;
    await expect(process.asWorker(another)).rejects.toMatchObject({ code: 'PF001' });
    await corrections.void(tenant, id, 'wrong buyer', by);
    const back = `UPDATE invoice SET state = 'FINAL', voided_at = NULL, void_reason = NULL`;
    await expect(process.asWorker(back)).rejects.toMatchObject({ code: 'PF001' });
  });

  it('tells whoever changes it through the product that it was issued', async () => {
    await corrections.void(tenant, id, 'wrong buyer', by);
    const [uow, repository] = [process.inApi(UnitOfWork), process.inApi(InvoiceRepository)];
    const again = uow.forSystem(() => repository.void(tenant, id, new Date('2026-12-03T00:00:00Z'), 'again'));
    await expect(again).rejects.toMatchObject({ name: 'InvoiceIssued', code: 'CONFLICT' });
  });

  it('is made again the same after prices changed, and what was tampered with is found', async () => {
    await process.query(`ALTER TABLE plan_price DISABLE TRIGGER frozen`);
    await process.query('UPDATE plan_price SET base_fee_micro = 1');
    await process.query(`UPDATE tenant SET name = 'Another'`);
    await process.query('DELETE FROM usage_rollup');
    await expect(records.differing('2026-11')).resolves.toEqual([]);
    await expect(records.get(tenant, id)).resolves.toMatchObject({
      totalCents: 1_040n,
      body: { buyer: { name: 'Northwind Bank' } },
    });
    await process.query('ALTER TABLE invoice DISABLE TRIGGER issued');
    await process.query(`UPDATE invoice SET input = jsonb_set(input, '{segments,0,recipients}', '"999"')`);
    await expect(records.differing('2026-11')).resolves.toEqual(['INV-2026-000001']);
    await expect(records.get(tenant, id)).rejects.toThrow(/INV-2026-000001/);
  });

  it('is voided with a reason, keeps its number, and the month is invoiced anew with the next one', async () => {
    await expect(corrections.void(tenant, id, ' ', by)).rejects.toMatchObject({ issues: [{ path: ['reason'] }] });
    await corrections.void(tenant, id, 'wrong buyer', by);
    await expect(corrections.void(tenant, id, 'again', by)).rejects.toMatchObject({ issues: [{ code: 'CONFLICT' }] });
    const invoices = process.inWorker(InvoiceService);
    await invoices.draftAll('2026-11');
    await invoices.finaliseAll('2026-11');
    expect(
      (await records.page(tenant, { limit: 10 })).rows.map((one) => [
        one.number,
        one.state,
        one.voidReason,
        one.body.carriedInMicro,
      ]),
    ).toEqual([
      ['INV-2026-000002', 'FINAL', null, '0'],
      ['INV-2026-000001', 'VOID', 'wrong buyer', '0'],
    ]);
    const [entry] = await process.query(`SELECT actor, detail FROM audit_log WHERE action = 'invoice.void'`);
    expect(entry).toEqual({ actor: 'operator:test', detail: { number: 'INV-2026-000001', reason: 'wrong buyer' } });
  });

  it('is corrected by credit notes, up to what it charged, and what rounding leaves goes to the next invoice', async () => {
    await expect(credit(10_401_236n)).rejects.toMatchObject({ issues: [{ code: 'INVALID_INPUT', path: ['lines'] }] });
    await expect(credit(0n, '')).rejects.toMatchObject({
      issues: [{ path: ['reason'] }, { path: ['lines', '0', 'amount'] }],
    });
    const note = await credit(401_235n);
    await expect(records.get(tenant, note)).resolves.toMatchObject({
      number: 'CN-2026-000001',
      kind: 'CREDIT_NOTE',
      period: '2026-12',
      corrects: id,
      totalCents: -40n,
      body: { totalMicro: '-401235', roundingMicro: '1235', corrects: { number: 'INV-2026-000001' } },
    });
    await expect(credit(10_000_001n)).rejects.toMatchObject({ issues: [{ path: ['lines'] }] });
    await expect(corrections.void(tenant, id, 'r', by)).rejects.toMatchObject({ issues: [{ code: 'CONFLICT' }] });
    await expect(
      corrections.creditNote(
        tenant,
        note,
        { reason: 'r', lines: [{ description: 'd', amountMicro: 1n, lineNo: null }] },
        by,
      ),
    ).rejects.toMatchObject({ issues: [{ path: ['invoiceId'] }, { path: ['lines'] }] });
    await corrections.void(tenant, note, 'mistake', by);
    await credit(10_401_235n);
  });

  it('carries the head of its tenant’s audit log, which vouches for every entry before it', async () => {
    await corrections.void(tenant, id, 'wrong buyer', by);
    const invoices = process.inWorker(InvoiceService);
    await invoices.draftAll('2026-11');
    await invoices.finaliseAll('2026-11');
    const {
      rows: [latest],
    } = await records.page(tenant, { limit: 1 });
    const [head] = await process.query(`SELECT encode(hash, 'hex') AS hash, seq FROM audit_head WHERE tenant_id = $1`, [
      tenant,
    ]);
    expect(latest?.body.issue?.auditHead).toBe(head?.['hash']);
    await credit(1n).catch(() => undefined);
    const broken = `SELECT id FROM (SELECT *, lag(hash, 1, '') OVER (PARTITION BY tenant_id ORDER BY seq) AS before FROM audit_log WHERE tenant_id IS NOT NULL) l
       WHERE prev_hash <> before OR hash <> audit_hash(prev_hash, seq, id, at, actor, action, subject, tenant_id, request_id, detail)`;
    expect(await process.query(broken)).toEqual([]);
    await process.query(`UPDATE audit_log SET actor = 'operator:other' WHERE action = 'invoice.void'`);
    expect(await process.query(broken)).toHaveLength(1);
  });

  it('tells whoever collects money through the outbox, each event once', async () => {
    const note = await credit(1_000n);
    await corrections.void(tenant, note, 'mistake', by);
    expect(await outbox()).toEqual([
      { tenantId: tenant, invoiceId: id, type: 'invoice.finalised' },
      { tenantId: tenant, invoiceId: note, type: 'credit_note.issued' },
      { tenantId: tenant, invoiceId: note, type: 'invoice.voided' },
    ]);
    const handover = process.inWorker(InvoiceHandover);
    process.payments.failing = true;
    await expect(handover.handOver(tenant, id, 'invoice.finalised')).rejects.toThrow('the provider is down');
    process.payments.failing = false;
    await expect(handover.remind()).resolves.toBe(0n);
    await process.query('DELETE FROM outbox');
    process.moveTo('2026-12-02T20:00:00.001Z');
    await expect(handover.remind()).resolves.toBe(3n);
    expect(await outbox()).toHaveLength(3);
    await handover.handOver(tenant, id, 'invoice.finalised');
    await handover.handOver(tenant, id, 'invoice.finalised');
    await expect(handover.remind()).resolves.toBe(2n);
    expect(process.payments.told).toMatchObject([
      { number: 'INV-2026-000001', totalCents: 1_040n, type: 'invoice.finalised' },
    ]);
    const [event] = await process.query('SELECT idempotency_key, payload FROM invoice_event');
    expect(event).toMatchObject({
      idempotency_key: expect.stringMatching(/^invoice\.finalised:inv_/) as string,
      payload: { totalCents: '1040', number: 'INV-2026-000001' },
    });
    await expect(handover.handOver(tenant, newId<InvoiceId>(), 'invoice.voided')).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });

  it('is handed out as PDF, CSV, JSON and FOCUS, byte for byte the same each time', async () => {
    for (const format of ['PDF', 'CSV', 'JSON', 'FOCUS'] as const) {
      const file = await records.export(tenant, id, format);
      expect(file.name).toMatch(/^INV-2026-000001\./);
      expect(file.content.equals((await records.export(tenant, id, format)).content)).toBe(true);
    }
    const pdf = await records.export(tenant, id, 'PDF');
    expect(pdf.content.subarray(0, 5).toString()).toBe('%PDF-');
    await corrections.void(tenant, id, 'wrong buyer', by);
    expect(pdf.content.equals((await records.export(tenant, id, 'PDF')).content)).toBe(false);
  });

  it('is part of its month’s FOCUS file unless it is void', async () => {
    const file = async () => {
      let text = '';
      for await (const part of records.focusOf('2026-11')) text += part;
      return text.trimEnd().split('\r\n');
    };
    expect(await file()).toHaveLength(4);
    await corrections.void(tenant, id, 'wrong buyer', by);
    expect(await file()).toHaveLength(1);
  });
});
