import { BillingModule, TenantBillingModule, UsageRollUpService } from '@libs/billing';
import { UnitOfWork } from '@libs/database';
import type { MessageId, TenantId } from '@libs/kernel';
import { Log, Metrics, ObservabilityModule } from '@libs/observability';
import fc from 'fast-check';
import { parsePeriod } from '../../libs/billing/src/billing-period.policy';
import { LiveUsageRepository } from '../../libs/billing/src/spend/live-usage.repository';
import type { UsageNotCounted } from '../../libs/billing/src/spend/month-so-far.service';
import { WatchedUsageRepository } from '../../libs/billing/src/spend/watched-usage.repository';
import { FleetFactsWriter, type AccountFacts } from './fleet-facts';
import { InvoicingProcess } from './invoicing-process';

const MINUTE = 60_000;
const month = parsePeriod('2026-11');

describe('the usage of watched tenants', () => {
  let process: InvoicingProcess;
  let facts: FleetFactsWriter;
  let account: AccountFacts;
  let tenants: TenantId[];
  let now: Date;

  beforeEach(async () => {
    const log = new Log({ name: 'test', level: 'silent' });
    process = await InvoicingProcess.start([
      ObservabilityModule.forRoot(log, new Metrics('test')),
      BillingModule,
      TenantBillingModule,
    ]);
    facts = await FleetFactsWriter.open(process.database.superuserUrl);
    account = await facts.account();
    tenants = [await facts.tenant(), await facts.tenant()];
    goTo(new Date('2026-11-22T12:00:00Z'));
  });
  afterEach(async () => {
    await facts.close();
    await process.close();
  });

  const goTo = (time: Date) => {
    now = time;
    process.moveTo(now.toISOString());
  };
  const pass = (minutes: number) => {
    goTo(new Date(now.getTime() + minutes * MINUTE));
  };
  const usedBy = async (source: UsageNotCounted) => {
    const used: Record<string, string> = {};
    for (const [tenant, days] of await source.ofTenants(month, tenants, now)) {
      for (const { day, recipients, ipMs } of days) used[`${tenant} ${day}`] = `${recipients} ${ipMs}`;
    }
    return used;
  };
  const watched = () => process.inWorker(WatchedUsageRepository);
  const uow = () => process.inWorker(UnitOfWork);
  const both = () =>
    uow().forSystem(async () => [await usedBy(watched()), await usedBy(process.inWorker(LiveUsageRepository))]);
  const counted = () => process.query('SELECT sum(recipients)::text AS recipients FROM spend_usage');

  /** Another attempt of a message, now. */
  const tryAgain = (message: MessageId, state: string) =>
    facts.query(
      `INSERT INTO attempt (tenant_id, id, message_id, attempt_no, batch_id, sending_account_id, lane_id, mode, stream, n_rcpt, bytes, state,
                            created_at, ended_at)
       SELECT tenant_id, gen_random_uuid(), message_id, attempt_no + 1, batch_id, sending_account_id, lane_id, mode, stream, n_rcpt, bytes,
              $2, $3, $3 FROM attempt WHERE message_id = $1 ORDER BY attempt_no DESC LIMIT 1`,
      [message, state, now],
    );
  const settle = (message: MessageId) =>
    facts.query(
      `UPDATE attempt SET state = CASE state WHEN 'REJECTED' THEN state ELSE 'SENT' END, send_event_at = created_at WHERE message_id = $1`,
      [message],
    );

  it('is what their attempts say at every moment, whatever turns out late and whatever is counted meanwhile', async () => {
    const state = fc.constantFrom('SENT', 'SENT', 'SENT', 'NOT_SENT', 'IN_DOUBT', 'REJECTED', 'INTENT');
    const steps = fc.sample(
      fc.record({
        tenant: fc.nat(1),
        recipients: fc.integer({ min: 1, max: 50 }),
        states: fc.array(state, { minLength: 1, maxLength: 2 }),
        again: fc.option(fc.tuple(fc.nat(1_000), state)),
        settled: fc.option(fc.nat(1_000)),
        minutes: fc.constantFrom(0, 1, 4, 10, 90, 600),
        rollUp: fc.nat(4).map((n) => n === 0),
        look: fc.boolean(),
      }),
      { numRuns: 90, seed: 5 },
    );
    const messages: MessageId[] = [];
    const seen = { late: 0, days: new Set<string>() };
    for (const { tenant, recipients, states, again, settled, minutes, rollUp, look } of steps) {
      const attempts = states.map((one) => ({ state: one as 'SENT', endedAt: now }));
      messages.push(await facts.message(tenants[tenant]!, account, recipients, attempts));
      if (again) await tryAgain(messages[again[0] % messages.length]!, again[1]);
      if (settled !== null) await settle(messages[settled % messages.length]!);
      pass(minutes);
      const yesterday = new Date(now.getTime() - 26 * 60 * MINUTE).toISOString().slice(0, 10);
      if (rollUp && yesterday >= '2026-11-22') {
        for (let day = 22; `2026-11-${day}` <= yesterday && day <= 30; day += 1)
          await process.inWorker(UsageRollUpService).rollUp(`2026-11-${day}`);
      }
      if (!look || now >= month.end) continue;
      const [kept, read] = await both();
      expect(kept).toEqual(read);
      seen.late += settled === null ? 0 : 1;
      for (const name of Object.keys(read!)) seen.days.add(name);
    }
    expect(seen.late).toBeGreaterThan(5);
    expect(seen.days.size).toBeGreaterThan(6);
  });

  it('is read once: a look takes in what is new, and counts it once when two look at the same time', async () => {
    const [ann] = tenants;
    await facts.message(ann!, account, 3, [{ state: 'SENT', endedAt: now }]);
    pass(10);
    await Promise.all([1, 2, 3].map(() => both()));
    expect(await counted()).toEqual([{ recipients: '3' }]);
    // What was read is not read again: without its attempts the tenant has used what it had used.
    await facts.query('DELETE FROM attempt');
    await facts.message(ann!, account, 4, [{ state: 'SENT', endedAt: now }]);
    expect((await both())[0]).toEqual({ [`${ann!} 2026-11-22`]: '7 0' });
    expect(await counted()).toEqual([{ recipients: '3' }]);
  });

  it('is as it was when a look breaks off, and is made anew when it is thrown away', async () => {
    const [ann] = tenants;
    await facts.message(ann!, account, 3, [{ state: 'SENT', endedAt: now }]);
    pass(10);
    const broken = uow().forSystem(async () => {
      await usedBy(watched());
      throw new Error('killed');
    });
    await expect(broken).rejects.toThrow('killed');
    expect(await counted()).toEqual([{ recipients: null }]);
    const [kept] = await both();
    await process.query('TRUNCATE spend_cursor, spend_usage, spend_open');
    expect((await both())[0]).toEqual(kept);
    expect(kept).toEqual({ [`${ann!} 2026-11-22`]: '3 0' });
  });
});
