import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
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

/** Fleets of any size, the same in every run; the first is large enough to have something of everything. */
const FLEETS = [
  { tenants: 21, messages: 3_000, seed: 7 },
  ...fc.sample(
    fc.record({
      tenants: fc.integer({ min: 2, max: 40 }),
      messages: fc.integer({ min: 300, max: 2_000 }),
      seed: fc.integer({ min: 8, max: 1_000_000 }),
    }),
    { numRuns: 2, seed: 14 },
  ),
];

describe.each(FLEETS)('the books of a month of $tenants tenants and $messages messages (seed $seed)', (fleet) => {
  let database: TestDatabase;
  let redis: TestRedis;
  let client: Client;
  let books: Books;
  const again: [unknown, unknown][] = [];
  const folder = mkdtempSync(path.join(tmpdir(), 'postfleet-verify-'));

  beforeAll(async () => {
    [database, redis] = await Promise.all([createTestDatabase(), createTestRedis()]);
    client = new Client({ connectionString: database.superuserUrl });
    await client.connect();
    await writeMonth(client, { period: PERIOD, ...fleet });
    books = await Books.open(database.urls, redis.url, new Date('2026-11-04T00:00:00Z'));
    await books.seedRates();
    await books.take(PERIOD, 'PROVISIONAL');
    const once = await contents();
    await books.take(PERIOD, 'PROVISIONAL');
    again.push([once, await contents()]);
    const bill = path.join(folder, 'bill.csv');
    writeFileSync(bill, await billOfMonth(client, PERIOD));
    await books.import(PERIOD, bill, GENERATED_PAYER);
    await books.take(PERIOD, 'FINAL');
    const sealed = await contents();
    await books.take(PERIOD, 'FINAL');
    again.push([sealed, await contents()]);
  }, 240_000);
  afterAll(async () => {
    await books.close();
    await client.end();
    await redis.close();
    await database.drop();
    rmSync(folder, { recursive: true });
  });

  /** Everything that a close writes, but ids and the time it was written. */
  const contents = async () =>
    (
      await client.query<Record<string, unknown>>(
        `SELECT (SELECT md5(string_agg(concat_ws('|', l.no, l.source, l.sku, l.quantity, l.cost_micro, l.method_id, l.rate_ids, l.reason), ',' ORDER BY l.source, l.no))
                   FROM fleet_line l WHERE l.period = $1) AS lines,
                (SELECT md5(string_agg(concat_ws('|', l.source, l.no, a.bearer, a.tenant_id, a.weight, a.amount_micro), ',' ORDER BY l.source, l.no, a.bearer, a.tenant_id))
                   FROM allocation a JOIN fleet_line l ON l.id = a.fleet_line_id WHERE l.period = $1) AS shares,
                (SELECT md5(string_agg(d.tenant_id || encode(d.input_hash, 'hex'), ',' ORDER BY d.tenant_id)) FROM invoice_draft d WHERE d.period = $1) AS drafts,
                (SELECT md5(string_agg(i.number || i.tenant_id || encode(i.body_hash, 'hex'), ',' ORDER BY i.number)) FROM invoice i WHERE i.period = $1) AS invoices`,
        [PERIOD],
      )
    ).rows;

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

  it('are the same after a second close, before and after they are sealed', () => {
    expect(again).toHaveLength(2);
    for (const [once, twice] of again) expect(twice).toEqual(once);
  });

  it('are not empty: every kind of bearer, source and document is in them', async () => {
    const { rows } = await client.query(
      `SELECT (SELECT array_agg(DISTINCT bearer ORDER BY bearer) FROM allocation) AS bearers,
              (SELECT array_agg(DISTINCT source ORDER BY source) FROM fleet_line) AS sources,
              (SELECT count(*) > 0 FROM invoice) AS invoices, (SELECT count(DISTINCT reason) >= 2 FROM fleet_line) AS reasons,
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
