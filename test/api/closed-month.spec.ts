import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { Client } from 'pg';
import { parseUsd, toPublicId } from '../../libs/kernel/src';
import { Books } from '../../tools/billing/books';
import { billOfMonth, GENERATED_PAYER } from '../../tools/billing/generated-bill';
import { writeMonth } from '../../tools/billing/generated-month';
import { createTestRedis, type TestRedis } from '../support/redis';
import { answered, startApi, type ApiUnderTest } from './api-under-test';

/** What operators see of a month with usage of every kind, while it is closed against a bill that differs. */
const MONTH = '2026-10';
const TENANTS = 12;

let api: ApiUnderTest;
let redis: TestRedis;
let books: Books;
let client: Client;
let owner: string;

beforeAll(async () => {
  api = await startApi({ bucket: { maximum: 1_000_000, restorePerSecond: 1_000_000 } });
  redis = await createTestRedis();
  client = new Client({ connectionString: api.database.superuserUrl });
  await client.connect();
  await writeMonth(client, { period: MONTH, tenants: TENANTS, messages: 1_500, seed: 3 });
  books = await Books.open(api.database.urls, redis.url, new Date('2026-11-04T00:00:00Z'));
  await books.seedRates();
  owner = await api.operatorKey('owner');
}, 120_000);
afterAll(async () => {
  await books.close();
  await client.end();
  await redis.close();
  await api.close();
});

const admin = (query: string, variables: object = {}) => api.admin(owner, query, variables);
const get = (path: string, key = owner) => fetch(`${api.url}${path}`, { headers: { authorization: `Bearer ${key}` } });

const sum = (amounts: readonly string[]) => amounts.reduce((all, amount) => all + parseUsd(amount), 0n);

interface Amounts {
  readonly price: string;
  readonly cost: string;
  readonly margin: string;
}
interface Margin extends Amounts {
  readonly state: string;
  readonly rows: readonly (Amounts & { readonly kind: string; readonly lines: readonly Amounts[] })[];
}

const margin = async (by: string) =>
  answered<Margin>(
    await admin(
      `{ margin(period: "${MONTH}", by: ${by}) { state price cost margin rows { kind price cost margin lines { price cost margin } } } }`,
    ),
    'margin',
  );

/** Lines add up to rows, rows to the report, and the report to what is stored. */
async function expectSound(state: string): Promise<void> {
  const [stored] = await api.sql<{ micro: string }>(
    'SELECT sum(cost_micro)::text AS micro FROM fleet_line WHERE period = $1',
    [MONTH],
  );
  const reports = await Promise.all(['TENANT', 'TIER', 'ACCOUNT'].map(margin));
  for (const report of reports) {
    expect(report.state).toBe(state);
    expect(parseUsd(report.cost)).toBe(BigInt(stored!.micro));
    for (const field of ['price', 'cost', 'margin'] as const) {
      expect(sum(report.rows.map((row) => row[field]))).toBe(parseUsd(report[field]));
      for (const row of report.rows) expect(sum(row.lines.map((line) => line[field]))).toBe(parseUsd(row[field]));
    }
  }
  expect(new Set(reports.map(({ price }) => price)).size).toBe(1);
  const { fleet, steps } = answered<{ fleet: string; steps: { amount: string }[] }>(
    await admin(`{ costWaterfall(period: "${MONTH}") { fleet steps { amount } } }`),
    'costWaterfall',
  );
  expect([parseUsd(fleet), sum(steps.map(({ amount }) => amount))]).toEqual([
    BigInt(stored!.micro),
    BigInt(stored!.micro),
  ]);
}

describe('before it is closed', () => {
  it('its cost policy can be read and set, audited, and moves cost', async () => {
    const read = `{ costPolicy(period: "${MONTH}") { period fees idle } }`;
    expect(answered<object>(await admin(read), 'costPolicy')).toEqual({
      period: MONTH,
      fees: 'BY_VOLUME',
      idle: 'PLATFORM',
    });
    const idle = async () =>
      answered<{ idle: string }>(await admin(`{ idleCost(period: "${MONTH}") { idle } }`), 'idleCost').idle;
    const before = await idle();
    const set = (policy: object) =>
      admin(
        `mutation ($input: SetCostPolicyInput!) { setCostPolicy(input: $input) { costPolicy { fees idle } userErrors { code path } } }`,
        { input: { period: MONTH, ...policy } },
      );
    const done = await set({ fees: 'EVEN', idle: 'TENANTS' });
    expect(answered<object>(done, 'setCostPolicy')).toEqual({
      costPolicy: { fees: 'EVEN', idle: 'TENANTS' },
      userErrors: [],
    });
    expect(await api.audited(done)).toEqual(['cost-policy.set']);
    expect(answered<object>(await admin(read), 'costPolicy')).toMatchObject({ fees: 'EVEN', idle: 'TENANTS' });
    expect(parseUsd(await idle())).toBeLessThan(parseUsd(before));
    await set({ fees: 'BY_VOLUME', idle: 'PLATFORM' });
    expect(await idle()).toBe(before);
    const nonsense = await set({ period: 'october', fees: 'EVEN', idle: 'TENANTS' });
    expect(answered<object>(nonsense, 'setCostPolicy')).toEqual({
      costPolicy: null,
      userErrors: [{ code: 'INVALID_INPUT', path: ['input', 'period'] }],
    });
  });

  it('where a price is missing, reports say which, since when, and what to do', async () => {
    await client.query("SET session_replication_role = 'replica'"); // past the guard of published prices
    const hide = (sql: string) => client.query(sql);
    const conflict = { code: 'CONFLICT', field: 'period' };
    for (const [from, to, named] of [
      [
        "UPDATE rate SET sku = 'x' || sku WHERE sku = 'ses.recipient'",
        "UPDATE rate SET sku = substr(sku, 2) WHERE sku LIKE 'x%'",
        'No price of ses.recipient',
      ],
      [
        "UPDATE plan_price SET valid_from = valid_from + 365 * interval '1 day'",
        "UPDATE plan_price SET valid_from = valid_from - 365 * interval '1 day'",
        'had no price then: publish one',
      ],
    ] as const) {
      await hide(from);
      const refused = await admin(`{ margin(period: "${MONTH}") { cost } }`);
      await hide(to);
      expect(refused.errors[0]).toMatchObject({
        message: expect.stringContaining(named) as string,
        extensions: conflict,
      });
    }
    await client.query('RESET session_replication_role');
  });

  it('a day is counted on demand by a worker, and shown', async () => {
    const days = async () =>
      answered<{ day: string; revision: string; recipients: string }[]>(
        await admin(`{ usageDays(period: "${MONTH}") { day revision countedAt attempts recipients inDoubt hash } }`),
        'usageDays',
      );
    expect(await days()).toEqual([]);
    const count = (day: string) =>
      admin(
        `mutation ($input: CountUsageDayInput!) { countUsageDay(input: $input) { usageDay { day } userErrors { code path } } }`,
        { input: { day } },
      );
    const asked = await count('2026-10-05');
    expect(answered<object>(asked, 'countUsageDay')).toEqual({ usageDay: null, userErrors: [] });
    expect(await api.audited(asked)).toEqual(['usage.count']);
    expect(await api.sql(`SELECT payload FROM outbox WHERE job = 'billing.count-day'`)).toEqual([
      { payload: { day: '2026-10-05' } },
    ]);
    await books.rollUp('2026-10-05'); // what the worker does with that job
    expect(await days()).toMatchObject([{ day: '2026-10-05', revision: '0' }]);
    expect(answered<object>(await count('2026-10-05'), 'countUsageDay')).toMatchObject({
      usageDay: { day: '2026-10-05' },
    });
    for (const day of ['2999-01-01', '2026-02-31', 'today']) {
      expect([day, answered<object>(await count(day), 'countUsageDay')]).toEqual([
        day,
        { usageDay: null, userErrors: [{ code: 'INVALID_INPUT', path: ['input', 'day'] }] },
      ]);
    }
  });
});

describe('provisional', () => {
  beforeAll(() => books.take(MONTH, 'PROVISIONAL'));

  it('its margins are the stored lines, whoever they are shown by', () => expectSound('PROVISIONAL'));

  it('its drafts are listed by pages, and can be looked at as files', async () => {
    interface Page {
      readonly nodes: { tenantId: string; total: string; pdf: string; lines: { amount: string }[] }[];
      readonly pageInfo: { hasNextPage: boolean; endCursor: string | null };
    }
    const page = async (after: string | null) =>
      answered<Page>(
        await admin(
          `query ($after: String) { invoiceDrafts(period: "${MONTH}", first: 5, after: $after) {
             nodes { tenantId period buyer total draftedAt pdf lines { sku amount } } pageInfo { hasNextPage endCursor } } }`,
          { after },
        ),
        'invoiceDrafts',
      );
    const drafts: Page['nodes'] = [];
    for (let after: string | null = null; ;) {
      const { nodes, pageInfo } = await page(after);
      drafts.push(...nodes);
      if (!pageInfo.hasNextPage) break;
      after = pageInfo.endCursor;
    }
    expect(drafts).toHaveLength(TENANTS);
    expect(new Set(drafts.map(({ tenantId }) => tenantId)).size).toBe(TENANTS);
    for (const { lines, total } of drafts) expect(sum(lines.map(({ amount }) => amount))).toBe(parseUsd(total));
    const pdf = await get(drafts[0]!.pdf);
    expect([pdf.status, pdf.headers.get('content-type'), (await pdf.text()).slice(0, 5)]).toEqual([
      200,
      'application/pdf',
      '%PDF-',
    ]);
    expect((await get(drafts[0]!.pdf.replace(MONTH, '2026-09'))).status).toBe(404);
    expect((await get(`/admin/drafts/october/${drafts[0]!.tenantId}.pdf`)).status).toBe(400);
    expect((await get(`/admin/drafts/${MONTH}/nobody.pdf`)).status).toBe(404);
  });
});

describe('reconciled', () => {
  it('takes a bill in several parts that were put behind one another', async () => {
    const [head = '', ...lines] = (await billOfMonth(client, MONTH)).trimEnd().split('\n');
    const parts = [lines.slice(0, 20), lines.slice(20)].map((some) => gzipSync([head, ...some, ''].join('\n')));
    const answer = await api.post(`/admin/bills?period=${MONTH}&payer=${GENERATED_PAYER}&name=cur.csv.gz`, {
      headers: { authorization: `Bearer ${owner}` },
      body: new Uint8Array(Buffer.concat(parts)),
    });
    expect([answer.status, JSON.parse(answer.text)]).toMatchObject([
      201,
      { lines: String(lines.length), replaced: null },
    ]);
    await books.take(MONTH, 'RECONCILED');
    await expectSound('RECONCILED');
  });

  it.each([
    ['idle', 'idle_usd', 'idleCost', 'idle'],
    ['plan-advice', 'saving_usd', 'pricingPlanAdvice', 'saving'],
  ])('%s.csv says what the query says, and adds up', async (file, column, query, field) => {
    const text = await (await get(`/admin/reports/${file}.csv?period=${MONTH}`)).text();
    const asked = answered<Record<string, string>>(await admin(`{ ${query}(period: "${MONTH}") { ${field} } }`), query);
    expect(sum(columnOf(text, column))).toBe(parseUsd(asked[field]!));
  });

  it('what-if.csv takes its terms from the address, and says which of them is wrong', async () => {
    const what = (terms: string) => get(`/admin/reports/what-if.csv?period=${MONTH}${terms}`);
    const text = await (await what('&baseFee=50&includedRecipients=10&overage=0:0.40&overage=100:0.20:1000')).text();
    const asked = answered<{ after: string }>(
      await admin(
        `{ priceWhatIf(period: "${MONTH}", terms: { baseFee: "50", includedRecipients: "10",
             overage: [{ from: "0", price: "0.40" }, { from: "100", price: "0.20", per: "1000" }] }) { after } }`,
      ),
      'priceWhatIf',
    );
    expect(sum(columnOf(text, 'after_usd'))).toBe(parseUsd(asked.after));
    for (const [terms, status, field] of [
      ['&baseFee=much', 400, 'terms.baseFee'],
      ['&monotone=no', 400, 'terms.monotone'],
      ['&overage=0', 400, 'terms.overage.0'],
      ['&overage=5:1', 400, 'terms.overage.0.from'],
      ['&minimum=1&minimum=2', 400, 'terms.minimum'],
      ['&bonus=1', 400, 'bonus'],
      ['&planId=plan_00000000000000000000000000', 404, 'planId'],
    ] as const) {
      const refused = await what(terms);
      const { errors } = (await refused.json()) as { errors: { extensions: { field?: string } }[] };
      expect([terms, refused.status, errors[0]?.extensions.field]).toEqual([terms, status, field]);
    }
  });
});

describe('final', () => {
  beforeAll(() => books.take(MONTH, 'FINAL'));

  it('its margins are what was invoiced less what AWS billed', async () => {
    await expectSound('FINAL');
    const [{ micro } = { micro: '' }] = await api.sql<{ micro: string }>(
      `SELECT sum(total_micro)::text AS micro FROM invoice WHERE period = $1 AND state = 'FINAL'`,
      [MONTH],
    );
    expect(parseUsd((await margin('TENANT')).price)).toBe(BigInt(micro));
  });

  it('its cost policy stands', async () => {
    const refused = await admin(
      `mutation { setCostPolicy(input: { period: "${MONTH}", fees: EVEN, idle: TENANTS }) { userErrors { code path } } }`,
    );
    expect(answered<object>(refused, 'setCostPolicy')).toEqual({
      userErrors: [{ code: 'CONFLICT', path: ['input', 'period'] }],
    });
  });

  it('its invoices are made again with the same hashes after prices and names have changed', async () => {
    const prove = async (number: string) =>
      answered<Record<string, string> & { isAsIssued: boolean }>(
        await admin(
          `query ($number: String!) { invoiceProof(number: $number) {
             number isAsIssued rulesVersion storedInputHash inputHash storedBodyHash bodyHash input body } }`,
          { number },
        ),
        'invoiceProof',
      );
    const before = await prove('INV-2026-000001');
    await api.sql(`UPDATE tenant SET name = 'Renamed'`);
    await api.sql(`UPDATE plan SET name = 'Another ' || code`);
    const [plan] = await api.sql<{ id: string }>('SELECT id FROM plan LIMIT 1');
    const published = await admin(
      `mutation ($input: PublishPlanPriceInput!) { publishPlanPrice(input: $input) { userErrors { message } } }`,
      {
        input: {
          planId: toPublicId('plan', plan!.id),
          baseFee: '9999',
          validFrom: '2031-01-01T00:00:00Z',
          source: 'a rise',
        },
      },
    );
    expect(answered<object>(published, 'publishPlanPrice')).toEqual({ userErrors: [] });
    const after = await prove('INV-2026-000001');
    expect(after).toEqual(before);
    expect(after).toMatchObject({ isAsIssued: true, rulesVersion: '1' });
    // An auditor needs nothing of ours but sha-256.
    const sha256 = (text = '') => createHash('sha256').update(text).digest('hex');
    expect([sha256(after['input']), sha256(after['body'])]).toEqual([after['inputHash'], after['bodyHash']]);
    expect([after['storedInputHash'], after['storedBodyHash']]).toEqual([after['inputHash'], after['bodyHash']]);
    for (const none of ['INV-2026-999999', 'INV-2026-000001\u0000', '']) {
      const unknown = await admin('query ($none: String!) { invoiceProof(number: $none) { number } }', { none });
      expect(unknown.errors[0]?.extensions).toMatchObject({ code: 'NOT_FOUND', field: 'number' });
    }
  });

  it('an invoice that somebody has tampered with is proven wrong, and not handed out', async () => {
    const number = 'INV-2026-000002';
    await client.query("SET session_replication_role = 'replica'");
    await client.query(
      `UPDATE invoice SET input = jsonb_set(input, '{buyer,name}', '"Somebody else"') WHERE number = $1`,
      [number],
    );
    await client.query('RESET session_replication_role');
    const proof = answered<object>(await admin(`{ invoiceProof(number: "${number}") { isAsIssued } }`), 'invoiceProof');
    expect(proof).toEqual({ isAsIssued: false });
    expect((await get(`/admin/invoices/${number}.pdf`)).status).toBe(500);
  });

  it('anybody’s invoice is a file for operators, and for nobody else', async () => {
    const viewer = await api.operatorKey('viewer');
    for (const [ending, type] of [
      ['pdf', 'application/pdf'],
      ['csv', 'text/csv; charset=utf-8'],
      ['json', 'application/json'],
      ['focus.csv', 'text/csv; charset=utf-8'],
    ]) {
      const response = await get(`/admin/invoices/INV-2026-000001.${ending!}`, viewer);
      expect([ending, response.status, response.headers.get('content-type')]).toEqual([ending, 200, type]);
    }
    expect((await get('/admin/invoices/INV-2026-000001.pdf', 'pf_live_x')).status).toBe(401);
    expect((await get('/admin/invoices/INV-2026-999999.pdf')).status).toBe(404);
    expect((await get('/admin/invoices/INV-2026-000001.exe')).status).toBe(404);
  });
});

function columnOf(csv: string, column: string): string[] {
  const [head = '', ...rows] = csv.trimEnd().split('\r\n');
  const place = head.split(',').indexOf(column);
  return rows.map((row) => row.split(',')[place] ?? '');
}
