import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { once } from 'node:events';
import path from 'node:path';
import { z } from 'zod';
import { Client } from 'pg';
import { Books } from '../../tools/billing/books';
import { LARGE_DAY, MONTH } from './seed-books';

/**
 * What B16 times, in a process of its own so that its memory is its own: either the close of a month, its recomputation and a
 * large bill, or a large day's roll-up beside writes. One JSON object on stdout.
 */
const settings = z
  .object({
    part: z.enum(['month', 'day']),
    urls: z.object({ migrate: z.string(), app: z.string(), admin: z.string(), worker: z.string() }),
    superuserUrl: z.string(),
    redisUrl: z.string(),
    folder: z.string(),
    billLines: z.number(),
  })
  .parse(JSON.parse(process.argv[2] ?? '{}'));

const PAYER = '399999999999';
/** Attempts that are written every 100 ms while the day is rolled up. */
const WRITTEN = 100;

async function main(): Promise<void> {
  const client = new Client({ connectionString: settings.superuserUrl });
  await client.connect();
  const books = await Books.open(settings.urls, settings.redisUrl, new Date('2026-11-20T00:00:00Z'));
  const figures = settings.part === 'month' ? await month(books, client) : await day(books, client);
  process.stdout.write(`${JSON.stringify(figures)}\n`);
  await books.close();
  await client.end();
}

async function month(books: Books, client: Client) {
  await books.seedRates();
  say('closing the month');
  const closeSeconds = await timed(() => books.take(MONTH, 'PROVISIONAL'));
  const first = await contents(client);
  const closeMb = peakMb();
  say('closing it once more');
  await books.take(MONTH, 'PROVISIONAL');
  const recomputedEqual = JSON.stringify(first) === JSON.stringify(await contents(client));

  say(`writing a bill of ${settings.billLines} lines`);
  const bill = path.join(settings.folder, 'bill.csv');
  await writeBill(bill);
  say('taking it in');
  const importSeconds = await timed(() => books.import(MONTH, bill, PAYER));
  return { closeSeconds, closeMb, recomputedEqual, importSeconds, billMb: peakMb(), ...first };
}

async function day(books: Books, client: Client) {
  say('rolling a day up while others write');
  const writer = keepWriting(client);
  const rollUpSeconds = await timed(() => books.rollUp(LARGE_DAY));
  return { rollUpSeconds, ...(await writer.stop()), rollUpMb: peakMb() };
}

/** The most memory that this process has had, MiB. */
function peakMb(): number {
  return process.resourceUsage().maxRSS / 1_024;
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return (performance.now() - began) / 1_000;
}

/** What a recomputation must give again, to the byte. */
async function contents(client: Client): Promise<Record<string, string>> {
  const { rows } = await client.query<Record<string, string>>(
    `SELECT (SELECT count(*) FROM fleet_line WHERE period = $1)::text AS lines,
            (SELECT md5(string_agg(concat_ws('|', l.no, l.sku, l.quantity, l.cost_micro, l.method_id, l.rate_ids), ',' ORDER BY l.no)) FROM fleet_line l
              WHERE l.period = $1) AS "lineHash",
            (SELECT count(*)::text FROM allocation) AS allocations,
            (SELECT md5(string_agg(concat_ws('|', l.no, a.bearer, a.tenant_id, a.weight, a.amount_micro), ',' ORDER BY l.no, a.bearer, a.tenant_id))
               FROM allocation a JOIN fleet_line l ON l.id = a.fleet_line_id WHERE l.period = $1) AS "allocationHash",
            (SELECT count(*) FROM invoice_draft WHERE period = $1)::text AS drafts,
            (SELECT md5(string_agg(encode(input_hash, 'hex'), ',' ORDER BY tenant_id)) FROM invoice_draft WHERE period = $1) AS "draftHash"`,
    [MONTH],
  );
  return rows[0] ?? {};
}

async function writeBill(file: string): Promise<void> {
  const out = createWriteStream(file);
  out.write(
    'bill/PayerAccountId,bill/BillingPeriodStartDate,lineItem/UsageAccountId,lineItem/LineItemType,lineItem/ProductCode,' +
      'lineItem/UsageType,lineItem/UsageAmount,lineItem/CurrencyCode,lineItem/UnblendedCost,product/region\n',
  );
  for (let line = 0; line < settings.billLines; line += 1) {
    const text = `${PAYER},${MONTH}-01T00:00:00Z,${String(310_000_000_000 + (line % 20))},Usage,AmazonSES,USE1-Recipients,100.0000000000,USD,0.0100000001,us-east-1\n`;
    if (!out.write(text)) await once(out, 'drain');
  }
  out.end();
  await finished(out);
}

/** Writes attempts as an engine would, until it is stopped; answers how many, and how long the slowest write took. */
function keepWriting(client: Client): { stop: () => Promise<{ slowestWriteMs: number; written: number }> } {
  const ending = new AbortController();
  let slowest = 0;
  let written = 0;
  const loop = (async () => {
    while (!ending.signal.aborted) {
      const began = performance.now();
      await client.query(
        `INSERT INTO attempt (tenant_id, id, message_id, attempt_no, batch_id, sending_account_id, lane_id, mode, stream, n_rcpt, bytes, state, created_at, ended_at)
         SELECT tenant_id, gen_random_uuid(), gen_random_uuid(), 1, batch_id, sending_account_id, lane_id, mode, stream, 1, bytes, 'SENT',
                created_at + interval '20 days', ended_at + interval '20 days'
           FROM (SELECT * FROM attempt LIMIT $1) a`,
        [WRITTEN],
      );
      slowest = Math.max(slowest, performance.now() - began);
      written += WRITTEN;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  })();
  return {
    stop: async () => {
      ending.abort();
      await loop;
      return { slowestWriteMs: slowest, written };
    },
  };
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exit(1);
  },
);
