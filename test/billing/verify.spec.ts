import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Client } from 'pg';
import { SQL_INVARIANTS } from '../../libs/billing/src/verify/invariant-sql';
import { statementOf } from '../../libs/billing/src/verify/verify.repository';
import { Books } from '../../tools/billing/books';
import { corrupt } from '../../tools/billing/corruptions';
import { billOfMonth, GENERATED_PAYER } from '../../tools/billing/generated-bill';
import { writeMonth } from '../../tools/billing/generated-month';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { createTestRedis, type TestRedis } from '../support/redis';

const PERIOD = '2026-10';

describe('the books of a month', () => {
  let database: TestDatabase;
  let redis: TestRedis;
  let client: Client;
  let books: Books;
  const folder = mkdtempSync(path.join(tmpdir(), 'postfleet-verify-'));

  beforeAll(async () => {
    [database, redis] = await Promise.all([createTestDatabase(), createTestRedis()]);
    client = new Client({ connectionString: database.superuserUrl });
    await client.connect();
    await writeMonth(client, { period: PERIOD, tenants: 21, messages: 3_000, seed: 7 });
    books = await Books.open(database.urls, redis.url, new Date('2026-11-04T00:00:00Z'));
    await books.seedRates();
    await books.take(PERIOD, 'PROVISIONAL');
    const bill = path.join(folder, 'bill.csv');
    writeFileSync(bill, await billOfMonth(client, PERIOD));
    await books.import(PERIOD, bill, GENERATED_PAYER);
    await books.take(PERIOD, 'FINAL');
  }, 120_000);
  afterAll(async () => {
    await books.close();
    await client.end();
    await redis.close();
    await database.drop();
    rmSync(folder, { recursive: true });
  });

  const violations = async (id: bigint) => {
    const invariant = SQL_INVARIANTS.find((one) => one.id === id);
    if (!invariant) throw new Error(`no statement judges invariant ${String(id)}`);
    const { rows } = await client.query<{ found: string }>(statementOf(invariant), [
      PERIOD,
      '2026-10-01T00:00:00Z',
      '2026-11-01T00:00:00Z',
    ]);
    return rows.map((row) => row.found);
  };

  it('hold all fourteen invariants after a close against a bill that differs', async () => {
    const verdicts = await books.judge.verify(PERIOD);
    expect(verdicts.map((verdict) => verdict.id)).toEqual(Array.from({ length: 14 }, (_, i) => BigInt(i + 1)));
    expect(verdicts.filter((verdict) => verdict.violations > 0n)).toEqual([]);
  });

  it('are not empty: every kind of bearer, source and document is in them', async () => {
    const { rows } = await client.query(
      `SELECT (SELECT array_agg(DISTINCT bearer ORDER BY bearer) FROM allocation) AS bearers,
              (SELECT array_agg(DISTINCT source ORDER BY source) FROM fleet_line) AS sources,
              (SELECT count(*) > 10 FROM invoice) AS invoices, (SELECT count(DISTINCT reason) >= 3 FROM fleet_line) AS reasons,
              (SELECT state FROM billing_period WHERE period = $1) AS state`,
      [PERIOD],
    );
    expect(rows).toEqual([
      {
        bearers: ['IDLE', 'PLATFORM', 'TENANT'],
        sources: ['CUR', 'PROVISIONAL'],
        invoices: true,
        reasons: true,
        state: 'FINAL',
      },
    ]);
  });

  it.each(SQL_INVARIANTS.map(({ id, name }) => [id, name] as const))('show invariant %s red: %s', async (id) => {
    await client.query('BEGIN');
    try {
      await corrupt(client, Number(id), PERIOD);
      await expect(violations(id)).resolves.not.toEqual([]);
    } finally {
      await client.query('ROLLBACK');
    }
    await expect(violations(id)).resolves.toEqual([]);
  });

  it('show invariant 6 red: an invoice whose stored input makes another one', async () => {
    await corrupt(client, 6, PERIOD);
    const verdicts = await books.judge.verify(PERIOD);
    expect(verdicts.filter((verdict) => verdict.violations > 0n)).toMatchObject([{ id: 6n, violations: 1n }]);
  });
});
