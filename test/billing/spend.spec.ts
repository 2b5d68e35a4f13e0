import { BillingModule, SpendGuard, TenantBilling, TenantBillingModule, UsageRollUpService } from '@libs/billing';
import { UnitOfWork } from '@libs/database';
import type { TenantId } from '@libs/kernel';
import { Log, Metrics, ObservabilityModule } from '@libs/observability';
import { FleetFactsWriter, type AccountFacts } from './fleet-facts';
import { InvoicingProcess } from './invoicing-process';

const by = { actor: 'key:test' };
const usd = (dollars: bigint) => dollars * 1_000_000n;
const MONTH_END = new Date('2026-12-01T00:00:00.000Z');

describe('the spending of a running month', () => {
  let process: InvoicingProcess;
  let facts: FleetFactsWriter;
  let account: AccountFacts;
  let billing: TenantBilling;
  let guard: SpendGuard;
  let ann: TenantId;
  let bob: TenantId;

  beforeEach(async () => {
    const log = new Log({ name: 'test', level: 'silent' });
    process = await InvoicingProcess.start([
      ObservabilityModule.forRoot(log, new Metrics('test')),
      BillingModule,
      TenantBillingModule,
    ]);
    facts = await FleetFactsWriter.open(process.database.superuserUrl);
    account = await facts.account();
    const plan = await process.plan('Growth', {
      baseFeeMicro: usd(10n),
      includedRecipients: 10n,
      dedicatedIpFeeMicro: usd(30n),
      tiers: [[0n, usd(1n), 1n]],
    });
    [ann, bob] = [await process.tenant(plan, 'Ann'), await process.tenant(plan, 'Bob')];
    billing = process.inApi(TenantBilling);
    guard = process.inWorker(SpendGuard);
  });
  afterEach(async () => {
    await facts.close();
    await process.close();
  });

  const sent = (tenant: TenantId, recipients: number, time: string, mode: 'LIVE' | 'TEST' = 'LIVE') =>
    facts.message(tenant, account, recipients, [{ state: 'SENT', endedAt: new Date(time) }], mode);
  const holds = () => process.query('SELECT tenant_id, stream, until FROM stream_hold ORDER BY tenant_id');
  const told = async (tenant: TenantId) =>
    (await billing.events(tenant)).map(({ data }) => {
      const { kind, thresholdUsd } = data as { kind: string; thresholdUsd: string };
      return `${kind} ${thresholdUsd}`;
    });

  it('is roll-ups and the attempts after them, the same before a day is counted and after', async () => {
    await sent(ann, 12, '2026-11-20T23:59:59Z');
    await sent(ann, 3, '2026-11-21T00:00:00Z');
    await sent(ann, 4, '2026-11-22T11:00:00Z');
    await sent(ann, 50, '2026-11-22T11:00:00Z', 'TEST');
    await sent(ann, 40, '2026-10-31T23:00:00Z');
    await facts.message(ann, account, 7, [
      { state: 'SENT', endedAt: new Date('2026-11-22T10:00:00Z') },
      { state: 'SENT', endedAt: new Date('2026-11-22T10:30:00Z') },
    ]);
    await facts.message(ann, account, 9, [{ state: 'REJECTED' }]);
    await sent(bob, 1, '2026-11-22T11:00:00Z');
    const pool = await facts.lane(account.id, 'POOL', ann);
    await facts.ip(account.id, pool, new Date('2026-11-21T12:00:00Z'));
    await facts.ip(account.id, pool, new Date('2026-11-19T00:00:00Z'), new Date('2026-11-20T06:00:00Z'));
    const before = await billing.currentMonth(ann);
    expect([before.recipients, before.ipMs]).toEqual([26n, BigInt((24 + 30) * 3_600_000)]);
    expect(before.soFar.totalMicro).toBe(usd(10n) + usd(16n) + (usd(30n) * 54n) / 720n);
    expect((await billing.currentMonth(bob)).recipients).toBe(1n);

    for (const day of ['2026-11-19', '2026-11-20', '2026-11-21'])
      await process.inWorker(UsageRollUpService).rollUp(day);
    expect(await process.query('SELECT 1 FROM usage_rollup')).not.toEqual([]);
    expect(await billing.currentMonth(ann)).toEqual(before);
  });

  it('is projected at its own pace and with the IPs of now', async () => {
    await sent(ann, 43, '2026-11-02T12:00:00Z');
    await facts.ip(account.id, await facts.lane(account.id, 'POOL', ann), new Date('2026-11-22T12:00:00Z'));
    const { projected } = await billing.currentMonth(ann);
    // 21.5 of 30 days have passed: 43 become 60, of which 10 are included; the IP stays for 8.5 days.
    expect(projected.totalMicro).toBe(usd(10n) + usd(50n) + usd(30n * 17n) / 60n);
  });

  it('is told at each alert once a month, to nobody else, and stops marketing at the cap until the next month', async () => {
    await billing.updateSpend(ann, { alertsMicro: [usd(20n), usd(15n)], hardCapMicro: usd(25n) }, by);
    await billing.updateSpend(bob, { alertsMicro: [usd(11n)], hardCapMicro: usd(1_000n) }, by);
    await sent(ann, 10 + 5, '2026-11-22T11:00:00Z');
    await guard.check();
    await guard.check();
    expect(await told(ann)).toEqual(['ALERT 15']);
    expect([await holds(), await told(bob)]).toEqual([[], []]);

    // Attempts come when they begin: what has been looked at is not read again.
    await sent(ann, 10, '2026-11-22T11:59:00Z');
    await guard.check();
    await guard.check();
    expect(await told(ann)).toEqual(['ALERT 15', 'ALERT 20', 'HARD_CAP 25']);
    expect(await holds()).toEqual([{ tenant_id: ann, stream: 'MARKETING', until: MONTH_END }]);
    expect(await billing.spend(ann)).toMatchObject({ marketingStoppedUntil: MONTH_END });

    process.moveTo('2026-12-01T00:00:00Z');
    expect(await billing.spend(ann)).toMatchObject({ marketingStoppedUntil: null });
    await guard.check();
    expect([await holds(), await told(ann)]).toEqual([[], []]);
  });

  it('goes on at once when the cap is raised or taken away, and stops at once when it is lowered', async () => {
    await sent(ann, 20, '2026-11-22T11:00:00Z');
    await billing.updateSpend(ann, { hardCapMicro: usd(20n) }, by);
    expect(await holds()).toHaveLength(1);
    await billing.updateSpend(ann, { alertsMicro: [usd(1n)] }, by);
    expect(await holds()).toHaveLength(1);
    await billing.updateSpend(ann, { hardCapMicro: usd(20n) + 1n }, by);
    expect(await holds()).toEqual([]);
    await billing.updateSpend(ann, { hardCapMicro: usd(1n) }, by);
    expect(await billing.updateSpend(ann, { hardCapMicro: null }, by)).toEqual({
      alertsMicro: [usd(1n)],
      hardCapMicro: null,
      marketingStoppedUntil: null,
    });
    expect(
      await process.query(`SELECT detail FROM audit_log WHERE action = 'spend.update' ORDER BY seq LIMIT 1`),
    ).toEqual([{ detail: { from: { alertsUsd: [], hardCapUsd: null }, to: { alertsUsd: [], hardCapUsd: '20' } } }]);
  });

  it('is guarded for the others when the plan of one has no price', async () => {
    await billing.updateSpend(ann, { hardCapMicro: usd(11n) }, by);
    await billing.updateSpend(bob, { hardCapMicro: usd(11n) }, by);
    await sent(bob, 11, '2026-11-22T11:00:00Z');
    await process.query(`INSERT INTO plan (id, code, name, tier, streams, weight, created_at)
      VALUES ('00000000-0000-0000-0000-00000000000f', 'unpriced', 'Unpriced', 'free', '{MARKETING}', 1, now())`);
    await process.query(
      `UPDATE tenant_plan SET plan_id = '00000000-0000-0000-0000-00000000000f' WHERE tenant_id = $1`,
      [ann],
    );
    await guard.check();
    expect(await holds()).toMatchObject([{ tenant_id: bob }]);
  });

  it('shows a tenant the leases of its own IPs and no others', async () => {
    await facts.ip(account.id, await facts.lane(account.id, 'POOL', ann), new Date('2026-11-21T12:00:00Z'));
    await facts.ip(account.id, await facts.lane(account.id, 'POOL', bob), new Date('2026-11-21T12:00:00Z'));
    await facts.ip(account.id, null, new Date('2026-11-21T12:00:00Z'));
    const uow = process.inApi(UnitOfWork);
    const seen = await uow.forTenant(ann, () => uow.query('SELECT owner_tenant_id FROM ip_lease'));
    expect(seen).toEqual([{ owner_tenant_id: ann }]);
  });
});
