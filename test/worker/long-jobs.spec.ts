import { countUsageDay } from '@libs/billing';
import { UnitOfWork } from '@libs/database';
import { Outbox } from '@libs/queueing';
import { Client } from 'pg';
import { waitFor } from '../support/wait-for';
import { SendingStack } from './sending-stack';

const DAYS = Array.from({ length: 31 }, (_, i) => new Date(Date.UTC(2026, 0, 1 + i)).toISOString().slice(0, 10));

describe('while the days of a month are counted again, each for long', () => {
  let stack: SendingStack;
  let slow: Client;
  beforeAll(async () => {
    stack = await SendingStack.start();
    slow = new Client({ connectionString: stack.database.superuserUrl });
    await slow.connect();
  });
  afterAll(async () => {
    await slow.end();
    await stack.close();
  });

  it('mail goes: the counts do not take every connection to the database', async () => {
    const { app } = await stack.startWorker();
    await stack.account();
    const tenant = await stack.tenant('shop');
    // Whoever counts one of these days waits here with its connection, as if the day were large.
    await slow.query('BEGIN');
    await slow.query(
      `SELECT count(pg_advisory_xact_lock(hashtextextended('usage ' || day, 0))) FROM unnest($1::text[]) AS day`,
      [DAYS],
    );
    await app.get(UnitOfWork).forSystem(() =>
      app.get(Outbox).addAll(
        countUsageDay,
        DAYS.map((day) => ({ day })),
      ),
    );
    const waiting = () =>
      slow.query(`SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND database =
        (SELECT oid FROM pg_database WHERE datname = current_database())`);
    await waitFor(async () => ((await waiting()).rowCount ?? 0) >= 2, { what: 'days to be counted' });
    const ids = await stack.accept(tenant, 'shop', 20);
    await waitFor(async () => (await stack.judge(ids)).lost === 0, { what: 'the mail to be sent' });
    await slow.query('ROLLBACK');
  });

  it('one whose database fails for a moment is counted a moment later', async () => {
    const { app } = await stack.startWorker();
    const day = '2026-02-01';
    stack.logLines.length = 0;
    await slow.query('REVOKE SELECT ON usage_day FROM pf_worker');
    await app.get(UnitOfWork).forSystem(() => app.get(Outbox).add(countUsageDay, { day }));
    const failed = () => stack.logLines.some((line) => line.includes('"job":"billing.count-day"'));
    await waitFor(failed, { what: 'the count to fail' });
    await slow.query('GRANT SELECT ON usage_day TO pf_worker');
    const counted = () => slow.query('SELECT FROM usage_day WHERE day = $1', [day]);
    await waitFor(async () => (await counted()).rowCount === 1, { what: 'the day to be counted' });
  });
});
