import { newId, toPublicId, type EventId, type SendingAccountId, type TenantId } from '../../libs/kernel/src';
import { FleetFactsWriter } from '../billing/fleet-facts';
import { startApi, type ApiUnderTest } from './api-under-test';
import { givenFleet, type GivenFleet, type GivenTenant } from './given';
import { issueInvoices, THIS_MONTH, used } from './given-invoices';

let api: ApiUnderTest;
let fleet: GivenFleet;
let acme: GivenTenant;
let rival: GivenTenant;

beforeAll(async () => {
  api = await startApi();
  fleet = await givenFleet(api);
  await api.sql(`UPDATE plan SET streams = '{TRANSACTIONAL,MARKETING}'`);
  await api.sql(`INSERT INTO plan_price_tier SELECT id, 0, 400000, 1000 FROM plan_price`);
  await api.sql(`INSERT INTO plan_price_tier SELECT id, 1000000, 300000, 1000 FROM plan_price`);
  acme = await fleet.tenant('Acme', 'acme.example');
  rival = await fleet.tenant('Rival & Sons', 'rival.example');
  await used(api, acme, 10_000n);
  await used(api, rival, 70_000n);
});
afterAll(() => api.close());

const ask = async <Data>(tenant: GivenTenant, query: string, variables: object = {}): Promise<Data> => {
  const answer = await api.customer(tenant.liveKey, query, variables);
  expect(answer.errors).toEqual([]);
  return answer.data as unknown as Data;
};
const setSpend = async (tenant: GivenTenant, input: object) =>
  (
    await ask<{ updateSpendSettings: Record<string, unknown> }>(
      tenant,
      `mutation ($input: UpdateSpendSettingsInput!) { updateSpendSettings(input: $input) {
        spend { alertsUsd hardCapUsd marketingStoppedUntil } userErrors { code path message } } }`,
      { input },
    )
  ).updateSpendSettings;
const setProfile = async (tenant: GivenTenant, input: object) =>
  (
    await ask<{ updateBillingProfile: Record<string, unknown> }>(
      tenant,
      `mutation ($input: UpdateBillingProfileInput!) { updateBillingProfile(input: $input) {
        profile { legalName address taxId email } userErrors { code path } } }`,
      { input },
    )
  ).updateBillingProfile;

describe('the month that runs', () => {
  it('says what was used, what it costs so far and by its end, and at which prices', async () => {
    const facts = await FleetFactsWriter.open(api.database.superuserUrl);
    const [account] = await api.sql<{ id: SendingAccountId; lane: never }>(
      `SELECT s.id, l.id AS lane FROM sending_account s JOIN lane l ON l.sending_account_id = s.id WHERE s.mode = 'LIVE'`,
    );
    const today = { id: account!.id, sharedLane: account!.lane };
    await facts
      .message(acme.uuid as TenantId, today, 50, [{ state: 'SENT', endedAt: new Date() }])
      .finally(() => facts.close());
    const { billing } = await ask<{ billing: Record<string, unknown> }>(
      acme,
      `{ billing { period recipients dedicatedIpHours charge projectedCharge spend { alertsUsd hardCapUsd marketingStoppedUntil }
           events { id } profile { legalName } lines { sku description quantity unit price { amount per } amount }
           plan { name baseFee includedRecipients overage { from amount per } dedicatedIpFee minimum } } }`,
    );
    expect(billing).toMatchObject({
      period: THIS_MONTH,
      recipients: '10050',
      dedicatedIpHours: '0',
      charge: '4.02',
      lines: [
        {
          sku: 'plan.recipients',
          description: 'Growth: recipients',
          quantity: '10050',
          unit: 'recipient',
          price: { amount: '0.4', per: '1000' },
          amount: '4.02',
        },
      ],
      plan: {
        name: 'Growth',
        baseFee: '0',
        includedRecipients: '0',
        overage: [
          { from: '0', amount: '0.4', per: '1000' },
          { from: '1000000', amount: '0.3', per: '1000' },
        ],
        dedicatedIpFee: '0',
        minimum: '0',
      },
      spend: { alertsUsd: [], hardCapUsd: null, marketingStoppedUntil: null },
      events: [],
      profile: null,
    });
    expect(Number(billing['projectedCharge'])).toBeGreaterThanOrEqual(4.02);
    expect(await ask(rival, '{ billing { recipients charge } }')).toEqual({
      billing: { recipients: '70000', charge: '28' },
    });
  });

  it('is estimated at the price of the tenant, and refuses what nobody sends', async () => {
    const query = `query ($recipients: BigInt!, $ips: Int!) { billingEstimate(recipients: $recipients, dedicatedIps: $ips) {
      charge lines { sku amount } } }`;
    expect(await ask(acme, query, { recipients: '1500000', ips: 0 })).toEqual({
      billingEstimate: {
        charge: '550',
        lines: [
          { sku: 'plan.recipients', amount: '400' },
          { sku: 'plan.recipients', amount: '150' },
        ],
      },
    });
    const refused = await api.customer(acme.liveKey, query, { recipients: '-1', ips: -1 });
    expect(refused.errors.map(({ extensions }) => extensions.code)).toEqual(['INVALID_INPUT']);
  });
});

describe('spend settings', () => {
  const send = (stream: string, key = acme.liveKey) =>
    api.customer(
      key,
      `mutation ($input: SendEmailInput!) { sendEmail(input: $input) { message { id wait { limit } } userErrors { code path retryAt docsUrl } } }`,
      {
        input: {
          idempotencyKey: newId<EventId>(),
          email: {
            from: { email: 'hi@acme.example' },
            to: [{ email: 'ann@example.com' }],
            content: { inline: { subject: 's', text: 't' } },
            stream,
          },
        },
      },
    );

  it('are told everything that is wrong with them, and stay as they were then', async () => {
    expect(await setSpend(acme, { alertsUsd: ['5', '5', '0'], hardCapUsd: '-1' })).toMatchObject({
      spend: null,
      userErrors: [
        { code: 'INVALID_INPUT', path: ['input', 'alertsUsd', '1'] },
        { code: 'INVALID_INPUT', path: ['input', 'alertsUsd', '2'] },
        { code: 'INVALID_INPUT', path: ['input', 'hardCapUsd'] },
      ],
    });
    expect(await setSpend(acme, { alertsUsd: ['0.1234567'] })).toMatchObject({
      userErrors: [{ path: ['input', 'alertsUsd', '0'] }],
    });
    expect(await ask(acme, '{ billing { spend { alertsUsd hardCapUsd } } }')).toEqual({
      billing: { spend: { alertsUsd: [], hardCapUsd: null } },
    });
  });

  it('stop marketing mail at the cap, and nothing else', async () => {
    const { spend } = await setSpend(acme, { alertsUsd: ['100', '2.5'], hardCapUsd: '4' });
    const until = (spend as { marketingStoppedUntil: string }).marketingStoppedUntil;
    expect(spend).toEqual({ alertsUsd: ['2.5', '100'], hardCapUsd: '4', marketingStoppedUntil: until });
    expect(until).toMatch(/-01T00:00:00.000Z$/);

    const marketing = await send('MARKETING');
    expect(marketing.data).toEqual({
      sendEmail: {
        message: null,
        userErrors: [
          {
            code: 'SPEND_CAP_REACHED',
            path: ['input', 'email', 'stream'],
            retryAt: until,
            docsUrl: '/docs/errors/SPEND_CAP_REACHED',
          },
        ],
      },
    });
    expect((await fetch(`${api.url}/docs/errors/SPEND_CAP_REACHED`)).status).toBe(200);
    for (const answer of [await send('TRANSACTIONAL'), await send('MARKETING', acme.testKey)]) {
      expect(answer.data).toMatchObject({ sendEmail: { message: { id: expect.stringMatching(/^msg_/) as string } } });
    }
    const forecast = await ask<{ forecast: { firstAt: string } }>(
      acme,
      '{ forecast(recipients: 1, stream: MARKETING) { firstAt bindingLimit } }',
    );
    expect(forecast).toMatchObject({ forecast: { bindingLimit: 'SPEND_CAP' } });
    expect(forecast.forecast.firstAt >= until).toBe(true);
    expect(await ask(rival, '{ billing { spend { hardCapUsd marketingStoppedUntil } } }')).toEqual({
      billing: { spend: { hardCapUsd: null, marketingStoppedUntil: null } },
    });

    expect(await setSpend(acme, { hardCapUsd: null })).toMatchObject({
      spend: { alertsUsd: ['2.5', '100'], hardCapUsd: null, marketingStoppedUntil: null },
    });
    expect((await send('MARKETING')).data).toMatchObject({ sendEmail: { userErrors: [] } });
  });

  it('hold waiting mail that says so', async () => {
    const sent = await send('MARKETING');
    const { id } = (sent.data as unknown as { sendEmail: { message: { id: string } } }).sendEmail.message;
    await setSpend(acme, { hardCapUsd: '1' });
    expect(await ask(acme, 'query ($id: ID!) { message(id: $id) { wait { limit estimatedSendAt } } }', { id })).toEqual(
      {
        message: { wait: { limit: 'SPEND_CAP', estimatedSendAt: expect.stringMatching(/-01T/) as string } },
      },
    );
    await setSpend(acme, { hardCapUsd: null });
  });

  it('are told about as events of the tenant, found by id by nobody else', async () => {
    const event = newId<EventId>();
    await api.sql(
      `INSERT INTO tenant_event (tenant_id, dedupe_key, id, type, at, summary, data) VALUES ($1, 'k', $2, 'usage.threshold_reached', now(), 'Reached.', '{"thresholdUsd":"1"}')`,
      [acme.uuid, event],
    );
    const { billing } = await ask<{ billing: { events: { id: string }[] } }>(
      acme,
      '{ billing { events { id type summary data message { id } recipient } } }',
    );
    const id = toPublicId('event', event);
    expect(billing.events).toEqual([
      {
        id,
        type: 'usage.threshold_reached',
        summary: 'Reached.',
        data: { thresholdUsd: '1' },
        message: null,
        recipient: null,
      },
    ]);
    const query = 'query ($id: ID!) { node(id: $id) { __typename id } }';
    expect(await ask(acme, query, { id })).toEqual({ node: { __typename: 'Event', id } });
    expect(await ask(rival, query, { id })).toEqual({ node: null });
    const reader = { ...acme, liveKey: await fleet.key(acme.id, ['read']) };
    expect(await ask(reader, query, { id })).toEqual({ node: null });
    expect(await ask(rival, '{ billing { events { id } } }')).toEqual({ billing: { events: [] } });
  });
});

describe('the billing profile', () => {
  it('is kept, audited, and put on invoices; what is wrong is told at once', async () => {
    const wrong = await setProfile(acme, { legalName: ' ', address: [], email: 'x' });
    expect(wrong).toMatchObject({
      profile: null,
      userErrors: [{ path: ['input', 'legalName'] }, { path: ['input', 'address'] }, { path: ['input', 'email'] }],
    });
    const input = { legalName: 'Acme Corporation GmbH', address: ['Weg 1', '10115 Berlin', 'Germany'], taxId: 'DE123' };
    const profile = { ...input, email: null };
    expect(await setProfile(acme, input)).toEqual({ profile, userErrors: [] });
    const query = '{ billing { profile { legalName address taxId email } } }';
    expect([await ask(acme, query), await ask(rival, query)]).toEqual([
      { billing: { profile } },
      { billing: { profile: null } },
    ]);
    const audited = await api.sql(
      `SELECT detail FROM audit_log WHERE action = 'billing-profile.update' AND tenant_id = $1`,
      [acme.uuid],
    );
    expect(audited).toEqual([{ detail: { changed: ['legalName', 'address', 'taxId', 'email'] } }]);
  });
});

describe('invoices', () => {
  let invoice: string;
  let creditNote: string;
  let foreign: string;

  beforeAll(async () => {
    const issued = await issueInvoices(api, acme);
    [invoice, creditNote, foreign] = [issued.invoiceOf(acme), issued.creditNote, issued.invoiceOf(rival)];
  });

  const get = (file: string, key = acme.liveKey) =>
    fetch(`${api.url}/invoices/${file}`, { headers: { authorization: `Bearer ${key}` } });

  it('are listed newest first, a page at a time, each with its lines, notes and addresses', async () => {
    const query = `query ($first: Int, $after: String) { invoices(first: $first, after: $after) { nodes {
      id kind state number period total currency corrects { id } creditNotes { id total } lines { sku amount } downloads { pdf focus } }
      pageInfo { hasNextPage hasPreviousPage endCursor } } }`;
    type Listed = { invoices: { nodes: object[]; pageInfo: { endCursor: string; hasNextPage: boolean } } };
    const first = await ask<Listed>(acme, query, { first: 1 });
    expect(first.invoices.nodes).toMatchObject([
      { id: creditNote, kind: 'CREDIT_NOTE', total: '-1.5', corrects: { id: invoice }, creditNotes: [] },
    ]);
    expect(first.invoices.pageInfo.hasNextPage).toBe(true);
    const second = await ask<Listed>(acme, query, { first: 1, after: first.invoices.pageInfo.endCursor });
    expect(second.invoices.nodes).toMatchObject([
      {
        id: invoice,
        kind: 'INVOICE',
        state: 'FINAL',
        period: THIS_MONTH,
        total: '4',
        currency: 'USD',
        corrects: null,
        creditNotes: [{ id: creditNote, total: '-1.5' }],
        lines: [{ sku: 'plan.recipients', amount: '4' }],
        downloads: { pdf: `/invoices/${invoice}.pdf`, focus: `/invoices/${invoice}.focus.csv` },
      },
    ]);
    expect(second.invoices.pageInfo).toMatchObject({ hasNextPage: false, hasPreviousPage: true });
    const cursor = { first: 50, after: first.invoices.pageInfo.endCursor };
    expect((await ask<Listed>(rival, query, cursor)).invoices.nodes).not.toContainEqual(
      expect.objectContaining({ id: invoice }),
    );
  });

  it('of another tenant answer as those that never existed, and their drafts are nobody’s', async () => {
    const query = 'query ($id: ID!) { invoice(id: $id) { number } node(id: $id) { id } }';
    for (const id of [foreign, toPublicId('invoice', newId<EventId>()), 'inv_x']) {
      expect(await ask(acme, query, { id })).toEqual({ invoice: null, node: null });
    }
    expect(await ask(acme, query, { id: invoice })).toMatchObject({ node: { id: invoice } });
  });

  it('are downloaded in every format, the same bytes each time', async () => {
    const expected: [string, string, RegExp][] = [
      [`${invoice}.pdf`, 'application/pdf', /^%PDF-/],
      [`${invoice}.csv`, 'text/csv; charset=utf-8', /^invoice,kind,.*\r\nINV-/],
      [`${invoice}.json`, 'application/json', /"bodyHash":"[0-9a-f]{64}"/],
      [`${invoice}.focus.csv`, 'text/csv; charset=utf-8', /^AllocatedMethodId,BilledCost/],
      [`${creditNote}.pdf`, 'application/pdf', /^%PDF-/],
    ];
    for (const [file, type, start] of expected) {
      const [one, other] = [await get(file), await get(file)];
      expect([file, one.status, one.headers.get('content-type')]).toEqual([file, 200, type]);
      expect(one.headers.get('content-disposition')).toMatch(
        /^attachment; filename="(INV|CN)-\d{4}-\d{6}\.(focus\.)?\w+"$/,
      );
      expect(one.headers.get('cache-control')).toBe('private, no-store');
      const bytes = Buffer.from(await one.arrayBuffer());
      expect(bytes.toString('latin1')).toMatch(start);
      expect(bytes.equals(Buffer.from(await other.arrayBuffer()))).toBe(true);
    }
    expect(await (await get(`${invoice}.json`)).text()).toContain('Acme Corporation GmbH');
  });

  it('are downloaded by nobody else, and say so in the same words as for what is not there', async () => {
    const unknown = toPublicId('invoice', newId<EventId>());
    const refused = async (response: Response) => {
      const { errors } = (await response.json()) as { errors: { message: string; extensions: { code: string } }[] };
      return [response.status, errors[0]?.extensions.code, errors[0]?.message];
    };
    const missing = await refused(await get(`${unknown}.pdf`));
    expect(missing.slice(0, 2)).toEqual([404, 'NOT_FOUND']);
    expect(await refused(await get(`${foreign}.pdf`))).toEqual(missing);
    for (const file of ['x.pdf', `${invoice}.exe`, invoice, `${invoice}.pdf%2F..`, '..%2F..%2Fetc%2Fpasswd']) {
      expect((await get(file)).status).toBe(404);
    }
    const strangers: [string, number][] = [
      ['', 401],
      [`pf_live_${'a'.repeat(36)}`, 401],
      [await fleet.key(acme.id, ['read', 'send']), 403],
      [fleet.operatorKey, 403],
    ];
    for (const [key, status] of strangers) expect((await get(`${invoice}.pdf`, key)).status).toBe(status);
    expect((await fetch(`${api.url}/invoices/${invoice}.pdf`)).status).toBe(401);
  });

  it('that were tampered with are not shown as if they were right', async () => {
    await api.sql('ALTER TABLE invoice DISABLE TRIGGER USER');
    await api.sql(`UPDATE invoice SET input = jsonb_set(input, '{buyer,name}', '"Somebody"') WHERE tenant_id = $1`, [
      rival.uuid,
    ]);
    await api.sql('ALTER TABLE invoice ENABLE TRIGGER USER');
    expect((await get(`${foreign}.pdf`, rival.liveKey)).status).toBe(500);
    const shown = await api.customer(rival.liveKey, 'query ($id: ID!) { invoice(id: $id) { number } }', {
      id: foreign,
    });
    expect(shown.errors.map(({ extensions }) => extensions.code)).toEqual(['INTERNAL']);
  });
});
