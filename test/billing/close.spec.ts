import { CloseFailpoints } from '@libs/billing';
import type { TenantId } from '@libs/kernel';
import { waitFor } from '../support/wait-for';
import { BillingProcesses, by, cur, dollars } from './billing-processes';
import { FleetFactsWriter, type AccountFacts } from './fleet-facts';

const MONTH = '2026-11';

// A close counts every day since the fleet began.
jest.setTimeout(90_000);

describe('the close of a month', () => {
  let billing: BillingProcesses;
  let account: AccountFacts;
  let ann: TenantId;
  let bob: TenantId;

  beforeEach(async () => {
    billing = await BillingProcesses.start();
    const { write } = billing;
    account = await write.account();
    const pro = await write.account({ pricingPlan: 'PRO' });
    [ann, bob] = [await write.tenant(), await write.tenant()];
    const pool = await write.lane(account.id, 'POOL');
    await write.ip(account.id, pool, new Date('2026-11-01T00:00:00Z'));
    await write.message(ann, account, 30, [{ state: 'SENT', lane: pool }]);
    await write.message(bob, account, 11, [{ state: 'SENT', lane: pool }, { state: 'SENT' }]);
    await write.message(bob, pro, 7, [{ state: 'SENT' }]);
    billing.goTo('2026-12-03T00:00:00Z');
  });
  afterEach(() => billing.close());

  it('stores what the month cost, line by line, and who bears it, to the last micro-dollar', async () => {
    const closed = await billing.take(MONTH, 'PROVISIONAL');
    expect(closed).toMatchObject({ state: 'PROVISIONAL', goal: null, step: null, failure: null });
    const { ours, borne, deltas } = await billing.sums(MONTH);
    expect(ours).toBe(24_950_000n + 52n * 100n + 105_000_000n + 7n * 220n);
    expect({ borne, deltas }).toEqual({ borne: ours, deltas: 0n });
    const { rows } = await billing.write.query(
      `SELECT DISTINCT method_id, cardinality(rate_ids) AS rates FROM fleet_line WHERE rate_source <> ''`,
    );
    expect(rows).toEqual(
      expect.arrayContaining([
        { method_id: 'by-recipients', rates: 1 },
        { method_id: 'by-pool-hours', rates: 1 },
      ]),
    );
  });

  it('is the same when it is done twice, or by two workers at once', async () => {
    await billing.take(MONTH, 'PROVISIONAL');
    const once = await billing.contents(MONTH);
    await billing.take(MONTH, 'PROVISIONAL');
    expect(await billing.contents(MONTH)).toEqual(once);
    await billing.periods.ask(MONTH, 'PROVISIONAL', by);
    const [one, two] = [await billing.worker(), await billing.worker()];
    await Promise.all([one.run(MONTH), two.run(MONTH)]);
    expect(await billing.contents(MONTH)).toEqual(once);
  });

  it.each([
    'close-roll-up',
    'close-costs',
    'close-reconcile',
    'close-draft-invoices',
    'close-finalise-invoices',
    'close-seal',
  ])('ends the same when it is broken off after %s and started again', async (place) => {
    await billing.take(MONTH, 'PROVISIONAL');
    await billing.import(await billing.bill(MONTH, (line, i) => [{ ...line, ...(i === 1 ? { cost: '0.02' } : {}) }]), {
      period: MONTH,
    });
    await (await billing.worker()).run(MONTH);
    expect((await billing.periods.status(MONTH))?.state).toBe('RECONCILED');
    const reconciled = await billing.contents(MONTH);
    await billing.periods.ask(MONTH, 'FINAL', by);
    const crash = new Error(`crash ${place}`);
    const dying = await billing.worker(
      new CloseFailpoints((reached) => {
        if (reached === place) throw crash;
      }),
    );
    await expect(dying.run(MONTH)).rejects.toBe(crash);
    const again = await (await billing.worker()).run(MONTH);
    expect(again).toMatchObject({ state: 'FINAL', goal: null, step: null });
    const { lines } = await billing.contents(MONTH);
    expect(lines).toEqual(reconciled.lines);
  });

  it('takes in what a count that began before its invoices go out books while they do', async () => {
    await billing.take(MONTH, 'PROVISIONAL');
    await billing.write.message(ann, account, 9, [{ state: 'SENT' }]);
    const held = await FleetFactsWriter.open(billing.api.database.superuserUrl);
    await held.query('BEGIN');
    await held.query('SELECT FROM usage_day FOR UPDATE');
    const count = billing.rollUp('2026-11-22');
    await waitFor(() => billing.someoneWaits(), { what: 'the count to wait' });
    const closing = billing.take(MONTH, 'FINAL', { withoutBill: true });
    await waitFor(async () => (await billing.periods.status(MONTH))?.step === 'FINALISE_INVOICES', {
      what: 'invoices to go out',
      withinMs: 30_000,
    });
    await held.query('COMMIT');
    await held.close();
    await count;
    expect(await closing).toMatchObject({ state: 'FINAL' });
    const { rows } = await billing.write.query(
      `SELECT (SELECT sum(qty) FROM usage_rollup WHERE period = '${MONTH}' AND sku = 'ses.recipient')::text AS counted,
              (SELECT sum(quantity) FROM fleet_line WHERE period = '${MONTH}' AND sku = 'ses.recipient')::text AS priced,
              (SELECT sum(quantity) FROM invoice_line WHERE unit = 'recipient')::text AS invoiced`,
    );
    expect(rows).toEqual([{ counted: '68', priced: '68', invoiced: '57' }]);
  });

  it('is refused before the month is over, and FINAL without a bill unless somebody says so', async () => {
    await expect(billing.periods.ask('2026-12', 'PROVISIONAL', by)).rejects.toMatchObject({ name: 'PeriodNotOver' });
    await expect(billing.periods.ask('2026-13', 'PROVISIONAL', by)).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    await billing.take(MONTH, 'PROVISIONAL');
    await expect(billing.periods.ask(MONTH, 'FINAL', by)).rejects.toMatchObject({ name: 'PeriodNotReconciled' });
    expect(await billing.take(MONTH, 'FINAL', { withoutBill: true })).toMatchObject({ state: 'FINAL' });
    await expect(billing.periods.ask(MONTH, 'RECONCILED', by)).rejects.toMatchObject({ name: 'PeriodFinal' });
    expect(await billing.take(MONTH, 'FINAL')).toMatchObject({ state: 'FINAL' });
  });

  it('keeps the lines of the running month up to date without closing it', async () => {
    const worker = await billing.worker();
    await worker.refresh('2026-12');
    const early = await billing.sums('2026-12');
    await billing.write.message(ann, account, 50, [{ state: 'SENT', endedAt: new Date('2026-12-02T00:00:00Z') }]);
    await worker.refresh('2026-12');
    expect((await billing.sums('2026-12')).ours - early.ours).toBe(5_000n);
    expect(await billing.periods.status('2026-12')).toMatchObject({ state: 'OPEN', goal: null, step: null });
  });

  it('says how many sends are in doubt, and goes on', async () => {
    const message = await billing.write.message(ann, account, 4, [{ state: 'IN_DOUBT' }]);
    await billing.write.query(
      `INSERT INTO in_doubt (tenant_id, message_id, attempt_no, attempt_id, sending_account_id, stream, policy, started_at, ended_at, expires_at)
       SELECT tenant_id, message_id, attempt_no, id, sending_account_id, stream, 'HOLD', created_at, created_at, created_at
         FROM attempt WHERE message_id = $1`,
      [message],
    );
    expect(await billing.take(MONTH, 'PROVISIONAL')).toMatchObject({ inDoubtMessages: 1n, inDoubtRecipients: 4n });
    expect(billing.logged.join()).toContain('in doubt');
  });

  it('cannot be changed once it is FINAL, not even by the owner of the database', async () => {
    await billing.take(MONTH, 'FINAL', { withoutBill: true });
    for (const sql of [
      `UPDATE fleet_line SET cost_micro = 0 WHERE period = '${MONTH}'`,
      `DELETE FROM allocation`,
      `INSERT INTO allocation SELECT id, 'PLATFORM', NULL, 1, 1, 1 FROM fleet_line WHERE sku = 'ses.base_fee_month'`,
      `UPDATE billing_period SET state = 'OPEN', final_at = NULL`,
      `DELETE FROM billing_period`,
    ]) {
      await expect(billing.write.query(sql)).rejects.toMatchObject({ code: 'PF001' });
    }
  });

  describe("with AWS's bill", () => {
    const bearers = async (where: string) =>
      (
        await billing.write.query(
          `SELECT reason, cost_micro::text AS cost, delta_of IS NOT NULL AS matched FROM fleet_line WHERE ${where} ORDER BY reason`,
        )
      ).rows;

    beforeEach(() => billing.take(MONTH, 'PROVISIONAL'));

    it('is RECONCILED without a difference where AWS agrees', async () => {
      const imported = await billing.import(await billing.bill(MONTH), { period: MONTH });
      const closed = await (await billing.worker()).run(MONTH);
      expect(closed).toMatchObject({ state: 'RECONCILED' });
      const { ours, deltas } = await billing.sums(MONTH);
      expect({ total: imported.totalMicro, deltas }).toEqual({ total: ours, deltas: 0n });
    });

    it('adds a line for every difference, with its reason, borne as the line that it corrects, and alarms', async () => {
      const text = await billing.bill(MONTH, (line, i) => [
        { ...line, ...(line.usage === 'Recipients' && i === 0 ? { quantity: '60', cost: dollars(6_000n) } : {}) },
        ...(i === 0
          ? [
              { ...line, usage: 'USE1-Telepathy', quantity: '1', cost: '3.0000005' },
              { ...line, type: 'Credit', quantity: '0', cost: '-0.001' },
              { ...line, type: 'Tax', usage: '', quantity: '0', cost: '2.5' },
            ]
          : []),
      ]);
      const imported = await billing.import(text, { period: MONTH });
      expect(imported.unknownUsageTypes).toEqual(['USE1-Telepathy']);
      await (await billing.worker()).run(MONTH);
      const { ours, deltas, borne } = await billing.sums(MONTH);
      expect({ actual: ours + deltas, borne }).toEqual({ actual: imported.totalMicro, borne: imported.totalMicro });
      expect(await bearers(`source = 'CUR'`)).toEqual([
        { reason: 'CREDIT', cost: '-1000', matched: false },
        { reason: 'FOREIGN_SENDER', cost: '800', matched: true },
        { reason: 'TAX', cost: '2500000', matched: false },
        { reason: 'UNKNOWN_USAGE', cost: '3000000', matched: false },
      ]);
      const alarms = await billing.write.query('SELECT kind, usage_type FROM billing_alarm ORDER BY kind');
      expect(alarms.rows).toEqual([
        { kind: 'DELTA', usage_type: 'Recipients' },
        { kind: 'UNKNOWN_USAGE', usage_type: 'USE1-Telepathy' },
      ]);
      expect((await billing.metrics.render()).text).toMatch(/postfleet_billing_alarms{[^}]*kind="DELTA"[^}]*} 1/);
      expect(billing.logged.join()).toContain('AWS bills something else');
    });

    it('lets a newer report take the place of the older one, and refuses the very same file', async () => {
      await billing.import(await billing.bill(MONTH), { period: MONTH });
      await (await billing.worker()).run(MONTH);
      const newer = await billing.bill(MONTH, (line, i) => (i === 0 ? [{ ...line, cost: '9' }] : [line]));
      const { totalMicro } = await billing.import(newer, { period: MONTH });
      await (await billing.worker()).run(MONTH);
      const { ours, deltas } = await billing.sums(MONTH);
      expect(ours + deltas).toBe(totalMicro);
      await expect(billing.import(newer, { period: MONTH }, 'again.csv')).rejects.toMatchObject({
        name: 'BillImportedAlready',
        code: 'CONFLICT',
      });
    });

    it('takes a report in again that a wrong one has replaced', async () => {
      const right = await billing.bill(MONTH);
      const wrong = await billing.bill(MONTH, (line) => [{ ...line, cost: '9' }]);
      const first = await billing.import(right, { period: MONTH }, 'right.csv');
      expect(first.replaced).toBeNull();
      expect((await billing.import(wrong, { period: MONTH }, 'wrong.csv')).replaced).toMatchObject({
        fileName: 'right.csv',
        totalMicro: first.totalMicro,
      });
      expect(await billing.import(right, { period: MONTH }, 'right.csv')).toMatchObject({
        totalMicro: first.totalMicro,
        replaced: { fileName: 'wrong.csv' },
      });
      await (await billing.worker()).run(MONTH);
      expect(await billing.sums(MONTH)).toMatchObject({ ours: first.totalMicro, deltas: 0n });
    });

    it.each([
      [
        'of another period',
        () =>
          cur('2026-10', [
            {
              account: '111111111111',
              region: 'us-east-1',
              usage: 'Recipients',
              quantity: '1',
              cost: '1',
              type: 'Usage',
            },
          ]),
        'OTHER_PERIOD',
      ],
      ['cut off in the middle', () => 'bill/PayerAccountId,lineItem/UsageType\n999', 'MISSING_COLUMNS'],
    ])('leaves nothing of a bill %s', async (_, text, fault) => {
      await expect(billing.import(text(), { period: MONTH })).rejects.toMatchObject({ fault });
      const { rows } = await billing.write.query(
        'SELECT (SELECT count(*) FROM bill_import)::int + (SELECT count(*) FROM bill_line)::int AS n',
      );
      expect(rows).toEqual([{ n: 0 }]);
      expect((await billing.periods.status(MONTH))?.goal).toBeNull();
    });

    it('refuses a payer nobody named', async () => {
      const text = await billing.bill(MONTH);
      await expect(billing.import(text, { period: MONTH, payer: '888888888888' })).rejects.toMatchObject({
        fault: 'OTHER_PAYER',
      });
    });

    it('books what AWS charges for a final month in the next one, as a correction', async () => {
      await billing.import(await billing.bill(MONTH), { period: MONTH });
      await billing.take(MONTH, 'FINAL');
      const before = await billing.contents(MONTH);
      const late = await billing.bill(MONTH, (line, i) => (i === 0 ? [{ ...line, cost: dollars(7_000n) }] : [line]));
      const imported = await billing.import(late, { period: MONTH });
      expect(imported.corrections).toMatchObject({ bookedIn: '2026-12', lines: 1n });
      expect(await billing.contents(MONTH)).toEqual(before);
      const { rows } = await billing.write.query(
        `SELECT source, charge_class, corrects, reason, cost_micro::text AS cost FROM fleet_line WHERE period = '2026-12'`,
      );
      expect(rows).toEqual([
        {
          source: 'CORRECTION',
          charge_class: 'Correction',
          corrects: MONTH,
          reason: 'LATE_CHARGE',
          cost: imported.corrections?.costMicro.toString(),
        },
      ]);
      const { ours, deltas } = await billing.sums(MONTH);
      expect(ours + deltas + (imported.corrections?.costMicro ?? 0n)).toBe(imported.totalMicro);
      await (await billing.worker()).refresh('2026-12');
      expect((await billing.sums('2026-12')).deltas).toBe(imported.corrections?.costMicro);
      expect(await billing.wrong(MONTH)).toEqual([]);
      billing.goTo('2027-01-02T00:00:00Z');
      await billing.take('2026-12', 'PROVISIONAL');
      await billing.import(await billing.bill('2026-12'), { period: '2026-12' });
      await billing.take('2026-12', 'FINAL');
      expect([await billing.wrong(MONTH), await billing.wrong('2026-12')]).toEqual([[], []]);
    });

    const lateLines = async () =>
      (
        await billing.write.query(
          `SELECT period, source, corrects, reason, sum(cost_micro)::text AS cost FROM fleet_line
            WHERE charge_class = 'Correction' AND sku = 'ses.recipient' GROUP BY 1, 2, 3, 4 ORDER BY 1, 2`,
        )
      ).rows;
    const comesToLight = async () => {
      await billing.write.message(ann, account, 9, [{ state: 'SENT' }]);
      await billing.rollUp('2026-11-22');
      billing.goTo('2027-01-02T00:00:00Z');
    };

    it('leaves usage that comes to light later to the bill of its own month, which has it', async () => {
      await billing.import(await billing.bill(MONTH), { period: MONTH });
      await billing.take(MONTH, 'FINAL');
      const before = await billing.contents(MONTH);
      await comesToLight();
      await billing.take('2026-12', 'PROVISIONAL');
      await billing.import(await billing.bill('2026-12'), { period: '2026-12' });
      expect(await billing.take('2026-12', 'FINAL')).toMatchObject({ state: 'FINAL' });
      expect(await lateLines()).toEqual([]);
      expect(await billing.contents(MONTH)).toEqual(before);
      expect([await billing.wrong(MONTH), await billing.wrong('2026-12')]).toEqual([[], []]);
      // What it costs the tenant is another matter: that is billed.
      const billed = await billing.write.query(
        `SELECT sum(quantity)::text AS recipients FROM invoice_line JOIN invoice ON id = invoice_id
          WHERE period = '2026-12' AND invoice_line.unit = 'recipient'`,
      );
      expect(billed.rows).toEqual([{ recipients: '9' }]);
    });

    it('charges it in the next month where there is no bill, and once only when the bill comes at last', async () => {
      const bill = await billing.bill(MONTH, (line, i) => (i === 0 ? [{ ...line, cost: dollars(7_000n) }] : [line]));
      await billing.take(MONTH, 'FINAL', { withoutBill: true });
      await comesToLight();
      await billing.take('2026-12', 'FINAL', { withoutBill: true });
      const late = { period: '2026-12', source: 'PROVISIONAL', corrects: MONTH, reason: null, cost: '900' };
      expect(await lateLines()).toEqual([late]);
      const { totalMicro, corrections } = await billing.import(bill, { period: MONTH });
      expect(corrections?.bookedIn).toBe('2027-01');
      const { ours } = await billing.sums(MONTH);
      expect(ours + 900n + (corrections?.costMicro ?? 0n)).toBe(totalMicro);
      expect([await billing.wrong(MONTH), await billing.wrong('2026-12')]).toEqual([[], []]);
    });

    it('does what is asked while it runs, too', async () => {
      await billing.import(await billing.bill(MONTH), { period: MONTH });
      const worker = await billing.worker(
        new CloseFailpoints((place) => {
          if (place === 'close-roll-up') asking ??= billing.periods.ask(MONTH, 'FINAL', by);
        }),
      );
      let asking: Promise<unknown> | undefined;
      expect(await worker.run(MONTH)).toMatchObject({ state: 'RECONCILED' });
      await asking;
      expect(await (await billing.worker()).run(MONTH)).toMatchObject({ state: 'FINAL', goal: null });
    });
  });
});
