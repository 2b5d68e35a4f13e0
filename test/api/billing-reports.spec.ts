import { InvoiceService } from '../../libs/billing/src';
import { fromPublicId } from '../../libs/kernel/src';
import { cur } from '../billing/billing-processes';
import { answered, startApi, type ApiUnderTest } from './api-under-test';
import { givenFleet, type GivenFleet, type GivenTenant } from './given';

/** A month that is over, so that it can be closed. */
const MONTH = '2026-10';
const MONTH_MS = 31 * 86_400_000;
const PAYER = '999999999999';

let api: ApiUnderTest;
let fleet: GivenFleet;
let acme: GivenTenant;
let account: string;

beforeAll(async () => {
  api = await startApi({ bucket: { maximum: 1_000_000, restorePerSecond: 1_000_000 } });
  fleet = await givenFleet(api);
  acme = await fleet.tenant('=Acme', 'acme.example');
  account = fromPublicId('sendingAccount', fleet.sendingAccountId) ?? '';
  await api.sql(`UPDATE sending_account SET created_at = '2026-01-01'`);
  await api.sql(`UPDATE tenant_plan SET valid_from = '2026-01-01'`);
  await api.sql(
    `WITH price AS (
       INSERT INTO plan_price (plan_id, valid_from, valid_to, base_fee_micro, included_recipients, dedicated_ip_fee_micro, minimum_micro, monotone, source)
       SELECT plan_id, '2026-01-01', valid_from, 50000000, 100000, 39000000, 0, true, 'test' FROM plan_price RETURNING id)
     INSERT INTO plan_price_tier (plan_price_id, tier_from, amount_micro, per_units) SELECT id, 0, 400000, 1000 FROM price`,
  );
  await api.sql(
    `INSERT INTO usage_rollup (day, revision, tenant_id, sending_account_id, lane_id, sku, hour, qty, booked_at, period)
     VALUES ('2026-10-05', 0, $1, $2, NULL, 'ses.recipient', -1, 1000000, now(), $3),
            ('2026-10-05', 0, NULL, $2, NULL, 'ses.recipient', -1, 1000, now(), $3),
            ('2026-10-01', 0, NULL, $2, NULL, 'ses.dedicated_ip_month', -1, $4, now(), $3)`,
    [acme.uuid, account, MONTH, MONTH_MS],
  );
});
afterAll(() => api.close());

const admin = (query: string, variables: object = {}) => api.admin(fleet.operatorKey, query, variables);

describe('margin', () => {
  it('is price less cost, line by line with the versions of prices, and adds up', async () => {
    const report = answered<{ rows: { lines: object[] }[] }>(
      await admin(
        `{ margin(period: "${MONTH}") { period state price cost margin
             rows { kind id name price cost margin lines { topic price cost margin skus rateIds planPriceIds methods } } } }`,
      ),
      'margin',
    );
    expect(report).toMatchObject({ period: MONTH, state: 'OPEN', price: '410', cost: '125.05', margin: '284.95' });
    expect(report.rows).toMatchObject([
      { kind: 'IDLE', id: null, name: 'idle', price: '0', cost: '24.95', margin: '-24.95' },
      { kind: 'PLATFORM', id: null, name: 'platform', price: '0', cost: '0.1', margin: '-0.1' },
      { kind: 'TENANT', id: acme.id, name: '=Acme', price: '410', cost: '100', margin: '310' },
    ]);
    expect(report.rows[2]?.lines).toMatchObject([
      {
        topic: 'RECIPIENTS',
        price: '360',
        cost: '100',
        margin: '260',
        rateIds: [expect.stringMatching(/^\d+$/)],
        planPriceIds: [expect.stringMatching(/^\d+$/)],
        methods: ['by-recipients', 'included/by-plan-month@1', 'overage/marginal@1'],
      },
      { topic: 'FEES', price: '50', cost: '0', margin: '50' },
    ]);
  });

  it.each([
    ['TIER', [{ kind: 'IDLE' }, { kind: 'PLATFORM' }, { kind: 'TIER', id: 'growth', name: 'growth', price: '410' }]],
    ['ACCOUNT', [{ kind: 'ACCOUNT', name: '111111111111 us-east-1', price: '410', cost: '125.05' }]],
  ])('is shown by %s with the same sums', async (by, rows) => {
    const query = `{ margin(period: "${MONTH}", by: ${by}) { price cost rows { kind id name price cost } } }`;
    const report = answered<object>(await admin(query), 'margin');
    expect(report).toMatchObject({ price: '410', cost: '125.05', rows });
  });

  it('of a closed month comes from its stored lines, what AWS’s bill says beyond them included', async () => {
    await api.sql(
      `INSERT INTO billing_period (period, state, refreshed_at) VALUES ('2026-09', 'RECONCILED', '2026-10-02')`,
    );
    await api.sql(
      `WITH line AS (
         INSERT INTO fleet_line (period, no, source, aws_account, region, sending_account_id, sku, usage_type, pricing_plan, span_from, span_to,
                                 unit, quantity, cost_micro, rate_ids, rate_source, method_id, charge_category, reason)
         SELECT '2026-09', no, source, '111111111111', 'us-east-1', $1, 'ses.recipient', 'Recipients', 'NONE', '2026-09-01', '2026-10-01',
                'recipient', 10, cost, '{1}', 's', 'by-recipients', category, reason
           FROM (VALUES (1, 'PROVISIONAL', 1000, 'Usage', NULL), (2, 'CUR', -300, 'Credit', 'CREDIT'), (3, 'CUR', 7, 'Usage', 'PRICE'))
                AS made (no, source, cost, category, reason)
         RETURNING id, cost_micro)
       INSERT INTO allocation (fleet_line_id, bearer, tenant_id, weight, quantity, amount_micro)
       SELECT id, 'TENANT', $2, 1, 10, cost_micro FROM line`,
      [account, acme.uuid],
    );
    const data = await admin(
      `{ margin(period: "2026-09") { state asOf cost rows { name cost lines { topic cost } } }
         costWaterfall(period: "2026-09") { fleet steps { kind topic reason amount after } } }`,
    );
    expect(answered<object>(data, 'margin')).toMatchObject({
      state: 'RECONCILED',
      asOf: '2026-10-02T00:00:00.000Z',
      cost: '0.000707',
      rows: [
        {
          name: '=Acme',
          lines: [{ topic: 'RECIPIENTS', cost: '0.001007' }, { topic: 'FEES' }, { topic: 'CREDITS', cost: '-0.0003' }],
        },
      ],
    });
    expect(answered<object>(data, 'costWaterfall')).toEqual({
      fleet: '0.000707',
      steps: [
        { kind: 'TENANTS', topic: 'RECIPIENTS', reason: null, amount: '0.001', after: '0.001' },
        { kind: 'DELTA', topic: null, reason: 'PRICE', amount: '0.000007', after: '0.001007' },
        { kind: 'CREDIT', topic: null, reason: 'CREDIT', amount: '-0.0003', after: '0.000707' },
      ],
    });
  });

  it('names a month that is none', async () => {
    for (const field of ['margin', 'costWaterfall', 'idleCost', 'pricingPlanAdvice', 'billingPeriod']) {
      const answer = await admin(`{ ${field}(period: "october") { period } }`);
      expect([field, answer.errors[0]?.extensions.code]).toEqual([field, 'INVALID_INPUT']);
    }
  });
});

describe('cost', () => {
  it('falls from what tenants used to the fleet’s, step by step', async () => {
    const query = `{ costWaterfall(period: "${MONTH}") { fleet steps { kind topic amount after } } }`;
    expect(answered<object>(await admin(query), 'costWaterfall')).toEqual({
      fleet: '125.05',
      steps: [
        { kind: 'TENANTS', topic: 'RECIPIENTS', amount: '100', after: '100' },
        { kind: 'PLATFORM', topic: 'RECIPIENTS', amount: '0.1', after: '100.1' },
        { kind: 'IDLE', topic: 'DEDICATED_IPS', amount: '24.95', after: '125.05' },
      ],
    });
  });

  it('that nobody used has a place and a hint', async () => {
    const query = `{ idleCost(period: "${MONTH}") { idle fleet rows { sendingAccountId account poolId pool topic idle whole idlePermille hint } } }`;
    expect(answered<object>(await admin(query), 'idleCost')).toEqual({
      idle: '24.95',
      fleet: '125.05',
      rows: [
        {
          sendingAccountId: fleet.sendingAccountId,
          account: '111111111111 us-east-1',
          poolId: null,
          pool: null,
          topic: 'DEDICATED_IPS',
          idle: '24.95',
          whole: '24.95',
          idlePermille: 1_000,
          hint: 'ASSIGN_OR_RETURN_IPS',
        },
      ],
    });
  });
});

describe('advice', () => {
  it('says which pricing plan each account should be on, and what it takes for granted', async () => {
    const advice = answered<{ assumes: string[]; accounts: object[] }>(
      await admin(
        `{ pricingPlanAdvice(period: "${MONTH}") { saving assumes
             accounts { account recipients current best saving options { plan cost costOnManagedIps contains { sku worth } } } } }`,
      ),
      'pricingPlanAdvice',
    );
    expect(advice.assumes.length).toBeGreaterThan(0);
    expect(advice.accounts).toMatchObject([
      {
        account: '111111111111 us-east-1',
        recipients: '1001000',
        current: 'NONE',
        best: 'NONE',
        saving: '0',
        options: [
          { plan: 'NONE', cost: '125.05' },
          { plan: 'ESSENTIALS', cost: '185.11' },
          { plan: 'PRO', cost: '350.17', costOnManagedIps: '325.22' },
          { plan: 'ENTERPRISE', cost: '755.18' },
        ],
      },
    ]);
  });

  it('says when a dedicated IP pays, for a volume and for a tenant at its price', async () => {
    const volume = await admin(
      `{ dedicatedIpAdvice(recipientsPerMonth: "124375") { cheaperOwn standardPaysFrom options { kind extra } atTenantPrice { paysByItself } } }`,
    );
    expect(answered<object>(volume, 'dedicatedIpAdvice')).toEqual({
      cheaperOwn: 'STANDARD',
      standardPaysFrom: '124375',
      options: [
        { kind: 'SHARED', extra: '0' },
        { kind: 'MANAGED', extra: '24.95' },
        { kind: 'STANDARD', extra: '24.95' },
      ],
      atTenantPrice: null,
    });
    const tenant = await admin(
      `query ($id: ID!) { dedicatedIpAdvice(tenantId: $id, period: "${MONTH}", dedicatedIps: 2) {
         recipientsPerMonth dedicatedIps atTenantPrice { priceShared priceWithIps marginShared marginStandard paysByItself } } }`,
      { id: acme.id },
    );
    expect(answered<object>(tenant, 'dedicatedIpAdvice')).toMatchObject({
      recipientsPerMonth: '1000000',
      dedicatedIps: '2',
      atTenantPrice: { marginShared: expect.any(String) as string, paysByItself: false },
    });
    const nobody = await admin('{ dedicatedIpAdvice(tenantId: "ten_00000000000000000000000000") { cheaperOwn } }');
    expect(nobody.errors[0]?.extensions.code).toBe('NOT_FOUND');
    const nothing = await admin('{ dedicatedIpAdvice { cheaperOwn } }');
    expect(nothing.errors[0]?.extensions).toMatchObject({ code: 'INVALID_INPUT', field: 'recipientsPerMonth' });
  });

  it('reckons a month again under other terms', async () => {
    const ask = (terms: string) =>
      admin(
        `query ($plan: ID!) { priceWhatIf(period: "${MONTH}", planId: $plan, terms: ${terms}) {
        before after cost marginBefore marginAfter dearer cheaper rows { tenantId name before after cost marginAfter } } }`,
        {
          plan: fleet.planId,
        },
      );
    const terms = '{ baseFee: "50", includedRecipients: "100000", overage: [{ from: "0", price: "0.50" }] }';
    expect(answered<object>(await ask(terms), 'priceWhatIf')).toEqual({
      before: '410',
      after: '500',
      cost: '100',
      marginBefore: '310',
      marginAfter: '400',
      dearer: '1',
      cheaper: '0',
      rows: [{ tenantId: acme.id, name: '=Acme', before: '410', after: '500', cost: '100', marginAfter: '400' }],
    });
    const refused = await ask('{ overage: [{ from: "5", price: "0.50" }] }');
    expect(refused.errors[0]?.extensions).toMatchObject({ code: 'INVALID_INPUT', field: 'terms.overage.0.from' });
    const noPrice = await ask('{ baseFee: "0.0000001" }');
    expect(noPrice.errors[0]?.extensions).toMatchObject({ code: 'INVALID_INPUT', field: 'terms.baseFee' });
    const noPlan = await admin(
      `{ priceWhatIf(period: "${MONTH}", planId: "plan_00000000000000000000000000", terms: {}) { before } }`,
    );
    expect(noPlan.errors[0]?.extensions).toMatchObject({ code: 'NOT_FOUND', field: 'planId' });
  });
});

describe('prices', () => {
  it('that we are charged are ended and published, audited, and listed by time', async () => {
    const rate = { card: 'aws-a-la-carte', sku: 'ses.recipient', amount: '0.09', perUnits: '1000', source: 'a letter' };
    const at = async (moment: string) => {
      const rates = answered<{ id: string; sku: string; amount: string }[]>(
        await admin(`query ($at: DateTime) { rateCard(card: "aws-a-la-carte", at: $at) { id sku amount } }`, {
          at: moment,
        }),
        'rateCard',
      );
      return rates.filter(({ sku }) => sku === 'ses.recipient');
    };
    const publish = (change: object) =>
      admin(
        `mutation ($input: PublishRateInput!) { publishRate(input: $input) { rate { amount perUnits validTo } userErrors { code path } } }`,
        { input: { ...rate, validFrom: '2028-01-02T00:00:00Z', ...change } },
      );
    const [old] = await at('2027-12-31T00:00:00Z');
    expect(answered<object>(await publish({}), 'publishRate')).toEqual({
      rate: null,
      userErrors: [{ code: 'CONFLICT', path: ['input', 'validFrom'] }],
    });
    const ended = await admin(
      `mutation ($input: EndRateInput!) { endRate(input: $input) { rate { validTo } userErrors { code path } } }`,
      { input: { rateId: old?.id, validTo: '2028-01-01T00:00:00Z' } },
    );
    expect(ended.data).toEqual({ endRate: { rate: { validTo: '2028-01-01T00:00:00.000Z' }, userErrors: [] } });
    expect(await api.audited(ended)).toEqual(['rate-card.end']);
    const published = await publish({});
    expect(answered<object>(published, 'publishRate')).toEqual({
      rate: { amount: '0.09', perUnits: '1000', validTo: null },
      userErrors: [],
    });
    expect(await api.audited(published)).toEqual(['rate-card.add']);
    const amounts = await Promise.all(['2027-12-31T23:59:59Z', '2028-01-01T00:00:00Z', '2028-01-02T00:00:00Z'].map(at));
    expect(amounts.map((rates) => rates.map(({ amount }) => amount))).toEqual([['0.1'], [], ['0.09']]);
    const gaps = await admin('{ rateGaps(period: "2028-01") { card sku from to } }');
    expect(answered<object>(gaps, 'rateGaps')).toEqual([
      { card: rate.card, sku: rate.sku, from: '2028-01-01T00:00:00.000Z', to: '2028-01-02T00:00:00.000Z' },
    ]);
    const typo = await publish({ card: 'aws-a-la-cart', sku: 'ses.recipients' });
    expect(answered<{ userErrors: object[] }>(typo, 'publishRate').userErrors).toEqual(
      ['card', 'sku'].map((field) => ({ code: 'INVALID_INPUT', path: ['input', field] })),
    );
    const wrong = await publish({ source: '', amount: '-1', perUnits: '0', validFrom: '2030-01-01T12:00:00Z' });
    expect(answered<{ userErrors: object[] }>(wrong, 'publishRate').userErrors).toEqual(
      expect.arrayContaining(
        ['source', 'amount', 'perUnits', 'validFrom'].map((field) => ({
          code: 'INVALID_INPUT',
          path: ['input', field],
        })),
      ),
    );
  });
});

describe('invoices', () => {
  const LIST = `query ($period: String, $state: IssuedInvoiceState, $tenantId: ID, $first: Int, $after: String) {
    invoices(period: $period, state: $state, tenantId: $tenantId, first: $first, after: $after) {
      nodes { id number kind state total buyer corrects voidReason lines { sku amount } } pageInfo { hasNextPage endCursor } } }`;
  const list = async (variables: object) =>
    answered<{
      nodes: { id: string; number: string; state: string }[];
      pageInfo: { hasNextPage: boolean; endCursor: string };
    }>(await admin(LIST, variables), 'invoices');

  it('are listed, credited and taken back; each is audited, and what is refused says why', async () => {
    const invoicing = api.app.get(InvoiceService, { strict: false });
    await invoicing.draftAll(MONTH);
    await invoicing.finaliseAll(MONTH);
    const { nodes } = await list({ period: MONTH });
    const [invoice] = nodes;
    expect(nodes).toMatchObject([{ kind: 'INVOICE', state: 'FINAL', total: '410', buyer: '=Acme', corrects: null }]);
    const named = { tenantId: acme.id, invoiceId: invoice!.id };
    const credited = await admin(
      `mutation ($input: IssueCreditNoteInput!) { issueCreditNote(input: $input) { creditNote { kind total corrects } userErrors { code path } } }`,
      { input: { ...named, reason: 'an outage', lines: [{ description: 'three days', amount: '40.5' }] } },
    );
    expect(answered<object>(credited, 'issueCreditNote')).toEqual({
      creditNote: { kind: 'CREDIT_NOTE', total: '-40.5', corrects: invoice!.id },
      userErrors: [],
    });
    expect(await api.audited(credited)).toEqual(['invoice.credit']);
    const voided = (id: string) =>
      admin(
        `mutation ($input: VoidInvoiceInput!) { voidInvoice(input: $input) { invoice { state voidReason } userErrors { code path } } }`,
        { input: { tenantId: acme.id, invoiceId: id, reason: 'a mistake' } },
      );
    expect(answered<object>(await voided(invoice!.id), 'voidInvoice')).toEqual({
      invoice: null,
      userErrors: [{ code: 'CONFLICT', path: ['input', 'invoiceId'] }],
    });
    const first = await list({ tenantId: acme.id, first: 1 });
    const second = await list({ tenantId: acme.id, first: 1, after: first.pageInfo.endCursor });
    expect([first.pageInfo.hasNextPage, second.pageInfo.hasNextPage]).toEqual([true, false]);
    const note = [...first.nodes, ...second.nodes].find(({ id }) => id !== invoice!.id);
    const taken = await voided(note!.id);
    expect(taken.data).toEqual({
      voidInvoice: { invoice: { state: 'VOID', voidReason: 'a mistake' }, userErrors: [] },
    });
    expect(await api.audited(taken)).toEqual(['invoice.void']);
    expect((await list({ state: 'VOID' })).nodes).toMatchObject([{ number: note!.number }]);
    expect((await admin(LIST, { after: 'djE6eA' })).errors[0]?.extensions).toMatchObject({
      code: 'INVALID_INPUT',
      field: 'after',
    });
  });

  it('once issued, are what margin counts', async () => {
    const report = answered<object>(await admin(`{ margin(period: "${MONTH}") { price cost } }`), 'margin');
    expect(report).toEqual({ price: '410', cost: '125.05' });
  });
});

describe('reports as files', () => {
  const get = (name: string, key = fleet.operatorKey) =>
    fetch(`${api.url}/admin/reports/${name}`, { headers: { authorization: `Bearer ${key}` } });

  it.each([
    ['margin', 'price_usd', '410'],
    ['waterfall', 'amount_usd', '125.05'],
    ['invoices', 'total_usd', '410'],
  ])('%s.csv says what the query says, and adds up', async (name, column, total) => {
    const response = await get(`${name}.csv?period=${MONTH}`);
    const text = await response.text();
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/csv; charset=utf-8']);
    expect(response.headers.get('content-disposition')).toBe(`attachment; filename="${name}-${MONTH}.csv"`);
    const [head = '', ...rows] = text.trimEnd().split('\r\n');
    const place = head.split(',').indexOf(column);
    const micro = rows.map((row) => BigInt(Math.round(Number(row.split(',')[place]) * 1e6)));
    expect(micro.reduce((sum, amount) => sum + amount, 0n)).toBe(BigInt(Math.round(Number(total) * 1e6)));
    // A name that a spreadsheet would take for a formula is disarmed.
    if (name !== 'waterfall') expect(text).toContain(`'=Acme`);
  });

  it('are for operators only, and what is asked wrongly is said', async () => {
    expect((await fetch(`${api.url}/admin/reports/margin.csv?period=${MONTH}`)).status).toBe(401);
    expect((await get(`margin.csv?period=${MONTH}`, acme.liveKey)).status).toBe(403);
    expect((await get(`margin.csv?period=${MONTH}`, await api.operatorKey('viewer'))).status).toBe(200);
    expect((await get(`secrets.csv?period=${MONTH}`)).status).toBe(404);
    for (const wrong of ['margin.csv', 'margin.csv?period=x', `margin.csv?period=${MONTH}&by=MOON`]) {
      expect([wrong, (await get(wrong)).status]).toEqual([wrong, 400]);
    }
  });
});

describe('a month', () => {
  const PERIOD = `period { period state goal step inDoubtMessages } userErrors { code path }`;
  const close = (period: string) =>
    admin(`mutation ($input: ClosePeriodInput!) { closePeriod(input: $input) { ${PERIOD} } }`, { input: { period } });
  const finalise = (withoutBill: boolean) =>
    admin(`mutation ($input: FinalisePeriodInput!) { finalisePeriod(input: $input) { ${PERIOD} } }`, {
      input: { period: MONTH, withoutBill },
    });
  const bill = (body: string, query = `period=${MONTH}&payer=${PAYER}&name=cur.csv`, key = fleet.operatorKey) =>
    api.post(`/admin/bills?${query}`, { headers: { authorization: `Bearer ${key}` }, body });
  const line = {
    account: '111111111111',
    region: 'us-east-1',
    usage: 'Recipients',
    quantity: '1001000',
    cost: '100.1',
    type: 'Usage',
  };

  it('is asked to close once it is over; a worker takes it there', async () => {
    const asked = await close(MONTH);
    expect(answered<object>(asked, 'closePeriod')).toEqual({
      period: { period: MONTH, state: 'OPEN', goal: 'PROVISIONAL', step: null, inDoubtMessages: '0' },
      userErrors: [],
    });
    expect(await api.audited(asked)).toEqual(['billing-period.close']);
    const [now] = await api.sql<{ month: string }>(`SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM') AS month`);
    expect(answered<object>(await close(now?.month ?? ''), 'closePeriod')).toMatchObject({
      period: null,
      userErrors: [{ code: 'CONFLICT', path: ['input', 'period'] }],
    });
    expect(answered<object>(await finalise(false), 'finalisePeriod')).toMatchObject({
      period: null,
      userErrors: [{ code: 'CONFLICT', path: ['input', 'period'] }],
    });
    const periods = answered<{ period: string }[]>(await admin('{ billingPeriods { period } }'), 'billingPeriods');
    expect(periods.map(({ period }) => period)).toEqual([MONTH, '2026-09']);
    expect((await admin('{ billingPeriod(period: "2020-01") { period } }')).data).toEqual({ billingPeriod: null });
  });

  it('takes AWS’s bill in over HTTP: all of it or nothing, once', async () => {
    const text = cur(MONTH, [line]);
    expect((await bill(text, undefined, await api.operatorKey('viewer'))).status).toBe(403);
    expect((await api.post('/admin/bills', { body: text })).status).toBe(401);
    const nonsense = await bill('a,b\n1,2\n');
    expect([nonsense.status, nonsense.errors[0]?.extensions.code]).toEqual([400, 'INVALID_INPUT']);
    const other = await bill(cur('2026-08', [line]));
    expect([other.status, other.errors[0]?.message]).toEqual([400, expect.stringContaining('line 2')]);
    const taken = await bill(text, `period=${MONTH}&payer=${PAYER}&name=../../etc/cur%20report.csv`);
    expect([taken.status, JSON.parse(taken.text)]).toEqual([
      201,
      {
        payer: PAYER,
        format: 'CUR',
        lines: '1',
        total: '100.1',
        outside: '0',
        unknownUsageTypes: expect.any(Array) as unknown[],
        replaced: null,
        corrections: null,
      },
    ]);
    expect(await api.audited(taken)).toContain('aws-bill.import');
    const again = await bill(text);
    expect([again.status, again.errors[0]?.extensions.code]).toEqual([409, 'CONFLICT']);
    const month = answered<object>(
      await admin(
        `{ billingPeriod(period: "${MONTH}") { goal imports { payer fileName lines total supersededAt } alarms { kind } } }`,
      ),
      'billingPeriod',
    );
    expect(month).toEqual({
      // A month that is on its way takes its bill along.
      goal: 'PROVISIONAL',
      imports: [{ payer: PAYER, fileName: 'cur_report.csv', lines: '1', total: '100.1', supersededAt: null }],
      alarms: [],
    });
  });

  it('shows what its books were worth when they were last judged', async () => {
    await api.sql(
      `INSERT INTO billing_verdict (period, invariant, name, violations, examples, judged_at)
       VALUES ($1, 11, 'IP-hours', 0, '{}', '2026-11-05T03:00:00Z'), ($1, 2, 'the fleet', 12, '{one,two}', '2026-11-05T03:00:00Z')`,
      [MONTH],
    );
    const query = `{ billingPeriod(period: "${MONTH}") { verdicts { invariant name violations examples judgedAt } } }`;
    const judgedAt = '2026-11-05T03:00:00.000Z';
    expect(answered<{ verdicts: object[] }>(await admin(query), 'billingPeriod').verdicts).toEqual([
      { invariant: '2', name: 'the fleet', violations: '12', examples: ['one', 'two'], judgedAt },
      { invariant: '11', name: 'IP-hours', violations: '0', examples: [], judgedAt },
    ]);
  });

  it('shows its alarms, dearest first', async () => {
    await api.sql(
      `INSERT INTO billing_alarm (period, kind, aws_account, region, usage_type, ours_micro, billed_micro, raised_at)
       VALUES ($1, 'DELTA', '111111111111', 'us-east-1', 'Recipients', 1000000, 1500000, now()),
              ($1, 'UNKNOWN_USAGE', '111111111111', 'us-east-1', 'Moon', 0, 2000000, now())`,
      [MONTH],
    );
    const query = `{ billingPeriod(period: "${MONTH}") { alarms { kind usageType ours billed } } }`;
    expect(answered<object>(await admin(query), 'billingPeriod')).toEqual({
      alarms: [
        { kind: 'UNKNOWN_USAGE', usageType: 'Moon', ours: '0', billed: '2' },
        { kind: 'DELTA', usageType: 'Recipients', ours: '1', billed: '1.5' },
      ],
    });
  });

  it('is made final on an owner’s word only', async () => {
    const operator = await api.operatorKey('operator');
    const refused = await api.admin(
      operator,
      `mutation { finalisePeriod(input: { period: "${MONTH}" }) { userErrors { code } } }`,
    );
    expect(refused.errors[0]?.extensions.code).toBe('FORBIDDEN');
    const asked = answered<object>(await finalise(true), 'finalisePeriod');
    expect(asked).toMatchObject({ period: { goal: 'FINAL' }, userErrors: [] });
  });
});
