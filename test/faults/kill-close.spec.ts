import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { CLOSE_FAILPOINTS, type CloseGoal } from '@libs/billing';
import { SystemClock } from '@libs/kernel';
import { startSimulator, type RunningSimulator } from '../../apps/simulator/src';
import { BillingProcesses, by } from '../billing/billing-processes';
import { waitFor } from '../support/wait-for';

const ROOT = path.resolve(__dirname, '../..');
const MAIN = path.join(ROOT, 'dist/apps/worker/src/main.js');
const MONTH = '2026-11';
const AFTER = '2026-12-03T00:00:00.000Z';

describe('killing the worker with SIGKILL while it closes a month', () => {
  let billing: BillingProcesses;
  let simulator: RunningSimulator;

  beforeAll(async () => {
    if (!existsSync(MAIN)) throw new Error('build the worker first: npm run build');
    [billing, simulator] = await Promise.all([BillingProcesses.start(), startSimulator()]);
    const { write } = billing;
    const account = await write.account();
    const pool = await write.lane(account.id, 'POOL');
    await write.ip(account.id, pool, new Date('2026-11-01T00:00:00Z'));
    for (const recipients of [30, 11, 7]) {
      await write.message(await write.tenant(), account, recipients, [
        { state: 'SENT', lane: pool },
        { state: 'SENT' },
      ]);
    }
    billing.goTo(AFTER);
  });
  afterAll(async () => {
    await billing.close();
    await simulator.close();
  });

  /** Ends with the process; with a failpoint it dies by its own hand. */
  function worker(failpoint?: string) {
    const child = spawn(process.execPath, [MAIN], {
      env: {
        NODE_ENV: 'test',
        DATABASE_WORKER_URL: billing.api.database.urls.worker,
        REDIS_URL: billing.redis.url,
        PUBLIC_URL: 'http://127.0.0.1:9',
        AWS_ENDPOINT_URL: simulator.endpoint,
        AWS_ACCESS_KEY_ID: 'AKIAPOSTFLEETHUB0001',
        AWS_SECRET_ACCESS_KEY: 'not-a-secret-of-anybody',
        RECORDER_DIR: billing.folder,
        WORKER_PORT: '0',
        LOG_LEVEL: 'error',
        ENGINE_CLOCK_OFFSET_MS: String(Date.parse(AFTER) - new SystemClock().nowMs()),
        ...(failpoint === undefined ? {} : { FAILPOINT: failpoint }),
      },
      stdio: 'inherit',
    });
    const ended = new Promise<NodeJS.Signals | null>((resolve) =>
      child.once('exit', (_, signal) => {
        resolve(signal);
      }),
    );
    return { child, ended };
  }

  async function untilReached(goal: CloseGoal) {
    const { child, ended } = worker();
    await waitFor(async () => (await billing.periods.status(MONTH))?.goal === null, {
      what: `the month to be ${goal}`,
      withinMs: 120_000,
      everyMs: 200,
    });
    child.kill('SIGKILL');
    await ended;
  }

  it('row 30: ends the same, whichever step it died after', async () => {
    await billing.periods.ask(MONTH, 'PROVISIONAL', by);
    await untilReached('PROVISIONAL');
    await billing.import(await billing.bill(MONTH, (line, i) => [{ ...line, ...(i === 0 ? { cost: '1' } : {}) }]), {
      period: MONTH,
    });
    await untilReached('RECONCILED');
    expect((await billing.periods.status(MONTH))?.state).toBe('RECONCILED');
    const once = await billing.contents(MONTH);
    const drafted = await billing.write.query(
      'SELECT tenant_id, input_hash, total_micro::text FROM invoice_draft ORDER BY 1',
    );
    for (const place of CLOSE_FAILPOINTS) {
      await billing.periods.ask(MONTH, isFinal(place) ? 'FINAL' : 'RECONCILED', by);
      expect(await worker(place).ended).toBe('SIGKILL');
      if (isFinal(place)) continue;
      // Another worker goes on with it; in this process, because to start one takes longer than a close.
      await (await billing.worker()).run(MONTH);
      expect(await billing.contents(MONTH)).toEqual(once);
    }
    // It died after invoices were issued, and again after the month was sealed.
    expect(await billing.periods.status(MONTH)).toMatchObject({ state: 'FINAL', goal: null, step: null });
    expect((await billing.contents(MONTH)).lines).toEqual(once.lines);
    const issued = await billing.write.query(
      'SELECT count(*)::int AS n, count(DISTINCT tenant_id)::int AS tenants FROM invoice',
    );
    expect(issued.rows).toEqual([{ n: drafted.rows.length, tenants: drafted.rows.length }]);
  }, 300_000);
});

function isFinal(place: string): boolean {
  return place === 'close-finalise-invoices' || place === 'close-seal';
}
