import { fromPublicId } from '../../libs/kernel/src';
import { waitFor } from '../support/wait-for';
import { answered, startApi, type ApiUnderTest } from './api-under-test';
import { givenFleet, insertAccount, type GivenFleet, type GivenTenant } from './given';

let api: ApiUnderTest;
let fleet: GivenFleet;
let acme: GivenTenant;

beforeAll(async () => {
  api = await startApi();
  fleet = await givenFleet(api);
  acme = await fleet.tenant('Acme', 'acme.example');
});
afterAll(() => api.close());

const admin = (query: string, variables: object = {}) => api.admin(fleet.operatorKey, query, variables);

describe('the fleet', () => {
  it('is shown with quota, use, rate, state and lanes', async () => {
    const { nodes } = answered<{ nodes: object[] }>(
      await admin(
        '{ sendingAccounts(tier: "growth") { nodes { accountId region mode state quota used rate pricingPlan lanes { kind poolName stream ips { ip } } awsAccount { name state } } } }',
      ),
      'sendingAccounts',
    );
    expect(nodes).toContainEqual({
      accountId: '111111111111',
      region: 'us-east-1',
      mode: 'LIVE',
      state: 'PRODUCTION',
      quota: '50000',
      used: '120',
      rate: expect.stringMatching(/^14(\.0+)?$/) as string,
      pricingPlan: 'NONE',
      lanes: [{ kind: 'SHARED', poolName: 'ses-shared-pool', stream: null, ips: [] }],
      awsAccount: { name: 'test', state: 'ACTIVE' },
    });
  });

  it('gives the role templates of an account, with its external id', async () => {
    const { roleTemplates, externalId } = answered<{
      externalId: string;
      roleTemplates: { cloudFormation: string; terraform: string };
    }>(
      await admin(
        'query ($id: ID!) { awsAccount(id: $id) { externalId roleTemplates { cloudFormation terraform } } }',
        { id: fleet.awsAccountId },
      ),
      'awsAccount',
    );
    expect(roleTemplates.cloudFormation).toContain(externalId);
    expect(roleTemplates.terraform).toContain(externalId);
  });

  it('pages its lists without losing or repeating a row', async () => {
    for (let i = 0; i < 7; i += 1) await fleet.tenant(`Paged ${i}`, `paged-${i}.example`);
    const seen: string[] = [];
    let after: string | null = null;
    do {
      const page: { nodes: { id: string }[]; pageInfo: { hasNextPage: boolean; endCursor: string } } = answered(
        await admin(
          'query ($after: String) { tenants(first: 3, after: $after) { nodes { id } pageInfo { hasNextPage endCursor } } }',
          { after },
        ),
        'tenants',
      );
      seen.push(...page.nodes.map((node) => node.id));
      after = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null;
    } while (after !== null);
    expect(seen).toHaveLength(8);
    expect(new Set(seen).size).toBe(8);
  });

  it('is priced as the cookbook says, and a month adds up', async () => {
    const estimate = async (args: string) =>
      answered<{ total: string }>(await admin(`{ costEstimate(${args}) { total } }`), 'costEstimate').total;
    expect(await estimate('recipientsPerMonth: "1500000"')).toBe('150');
    expect(await estimate('recipientsPerMonth: 1500000, dedicatedIps: 3')).toBe('224.85');
    const costs = answered<{
      fleetMicroUsd: string;
      idleMicroUsd: string;
      platformMicroUsd: string;
      tenants: { costMicroUsd: string }[];
    }>(
      await admin(
        '{ tenantCosts(period: "2026-11") { fleetMicroUsd idleMicroUsd platformMicroUsd tenants { costMicroUsd } } }',
      ),
      'tenantCosts',
    );
    const sum = [
      costs.idleMicroUsd,
      costs.platformMicroUsd,
      ...costs.tenants.map((tenant) => tenant.costMicroUsd),
    ].reduce((all, part) => all + BigInt(part), 0n);
    expect(sum.toString()).toBe(costs.fleetMicroUsd);
    expect((await admin('{ tenantCosts(period: "november") { fleet } }')).errors[0]?.extensions).toMatchObject({
      code: 'INVALID_INPUT',
      field: 'period',
    });
  });
});

describe('a tenant', () => {
  it('takes along, by the preview, only what waits in the mode of the account it would go to', async () => {
    const tenant = await fleet.tenant('Modes', 'modes.example');
    const { sendingAccountId } = await insertAccount(api, '333333333333', 'LIVE');
    const send = (key: string, count: number) =>
      api.customer(
        key,
        `mutation ($input: SendEmailsInput!) { sendEmails(input: $input) { results { message { id } } } }`,
        {
          input: {
            idempotencyKey: 'waiting',
            emails: Array.from({ length: count }, () => ({
              from: { email: 'hi@modes.example' },
              to: [{ email: 'ann@example.com' }],
              content: { inline: { subject: 'Hello', text: 'Hello' } },
            })),
          },
        },
      );
    await send(tenant.liveKey, 2);
    await send(tenant.testKey, 3);
    const preview = await admin(
      `query ($t: ID!, $s: ID!) { previewMove(tenantId: $t, sendingAccountId: $s) { backlog } }`,
      { t: tenant.id, s: sendingAccountId },
    );
    expect(answered<object>(preview, 'previewMove')).toEqual({ backlog: '2' });
  });

  it('is moved only after its effect was shown; the move is kept and audited', async () => {
    const { sendingAccountId } = await insertAccount(api, '222222222222', 'LIVE');
    const preview = answered<{ tierFits: boolean; backlog: string; problems: object[]; utilisation: object[] }>(
      await admin(
        `query ($t: ID!, $s: ID!) { previewMove(tenantId: $t, sendingAccountId: $s) {
          tierFits backlog domainsToVerify problems { code path } warnings utilisation { beforePermille afterPermille sendingAccount { accountId } } } }`,
        { t: acme.id, s: sendingAccountId },
      ),
      'previewMove',
    );
    expect(preview).toMatchObject({ tierFits: true, backlog: '0', domainsToVerify: ['acme.example'], problems: [] });
    expect(preview.utilisation).toHaveLength(2);
    const answer = await admin(
      `mutation ($input: MoveTenantInput!) { moveTenant(input: $input) {
        move { state sendingAccount { accountId } } placements { stream sendingAccount { accountId } } userErrors { code message path } } }`,
      { input: { tenantId: acme.id, sendingAccountId } },
    );
    expect(answered<object>(answer, 'moveTenant')).toMatchObject({
      move: { state: 'PENDING', sendingAccount: { accountId: '222222222222' } },
      userErrors: [],
    });
    expect(await api.audited(answer)).toEqual(['tenant.start-move']);
    const again = await admin(
      'mutation ($input: MoveTenantInput!) { moveTenant(input: $input) { userErrors { code path } } }',
      {
        input: { tenantId: acme.id, sendingAccountId },
      },
    );
    expect(again.data).toEqual({ moveTenant: { userErrors: [{ code: 'CONFLICT', path: ['input', 'tenantId'] }] } });
  });

  it('is put on another plan with an entry in the audit log', async () => {
    const made = await admin('mutation ($input: CreatePlanInput!) { createPlan(input: $input) { plan { id } } }', {
      input: {
        code: 'growth-2',
        name: 'Growth 2',
        tier: 'growth',
        streams: ['TRANSACTIONAL', 'MARKETING'],
        baseFee: '24.95',
      },
    });
    const planId = answered<{ plan: { id: string } }>(made, 'createPlan').plan.id;
    const answer = await admin(
      'mutation ($input: ChangeTenantPlanInput!) { changeTenantPlan(input: $input) { tenant { plan { code baseFee streams } } userErrors { code message } } }',
      { input: { tenantId: acme.id, planId } },
    );
    expect(answer.data).toEqual({
      changeTenantPlan: {
        tenant: { plan: { code: 'growth-2', baseFee: '24.95', streams: ['TRANSACTIONAL', 'MARKETING'] } },
        userErrors: [],
      },
    });
    expect(await api.audited(answer)).toContain('tenant.set-plan');
  });
});

describe('the price of a plan', () => {
  const price = {
    baseFee: '49.5',
    includedRecipients: '100000',
    overage: [
      { from: '0', price: '0.4', per: '1000' },
      { from: '1000000', price: '0.25', per: '1000' },
    ],
    dedicatedIpFee: '39',
    minimum: '10',
    monotone: true,
  };
  const fields =
    'validFrom validTo baseFee includedRecipients overage { from price per } dedicatedIpFee minimum monotone source';

  it('is set with the plan, and followed by the next version from the time it is published for', async () => {
    const made = await admin('mutation ($input: CreatePlanInput!) { createPlan(input: $input) { plan { id } } }', {
      input: { code: 'priced', name: 'Priced', tier: 'growth', streams: ['MARKETING'], ...price },
    });
    const planId = answered<{ plan: { id: string } }>(made, 'createPlan').plan.id;
    const next = { ...price, planId, validFrom: '2999-01-01T00:00:00.000Z', baseFee: '59.5', source: 'list of 2999' };
    const answer = await admin(
      `mutation ($input: PublishPlanPriceInput!) { publishPlanPrice(input: $input) { planPrice { ${fields} } userErrors { code path } } }`,
      { input: next },
    );
    const published = { ...price, baseFee: '59.5', source: next.source, validFrom: next.validFrom, validTo: null };
    expect(answer.data).toEqual({ publishPlanPrice: { planPrice: published, userErrors: [] } });
    expect(await api.audited(answer)).toEqual(['plan-price.publish']);
    const found = await admin(`query ($planId: ID!) { planPrices(planId: $planId) { ${fields} } }`, { planId });
    expect(found.data).toEqual({
      planPrices: [expect.objectContaining({ ...price, validTo: next.validFrom }), published],
    });
    const again = await admin(
      'mutation ($input: PublishPlanPriceInput!) { publishPlanPrice(input: $input) { userErrors { code path } } }',
      { input: next },
    );
    expect(again.data).toEqual({
      publishPlanPrice: { userErrors: [{ code: 'CONFLICT', path: ['input', 'validFrom'] }] },
    });
  });
});

describe('a test message', () => {
  const SEND = `mutation ($input: SendTestEmailInput!) { sendTestEmail(input: $input) {
    testEmail { id state to } userErrors { code message path } } }`;
  const stateOf = async (id: string) =>
    answered<{ state: string }>(
      await admin('query ($id: ID!) { testEmail(id: $id) { state detail } }', { id }),
      'testEmail',
    ).state;

  it("waits for its route, is PENDING until its event is back, and says nothing about tenants' messages", async () => {
    const sending = admin(SEND, { input: { sendingAccountId: fleet.sendingAccountId, from: 'ops@operator.example' } });
    // What the worker does: sets the domain up on the account and finds it verified.
    await waitFor(async () => (await api.sql(`SELECT 1 FROM domain WHERE name = 'operator.example'`)).length > 0, {
      what: 'the domain',
    });
    await api.sql(
      `INSERT INTO domain_identity (tenant_id, domain_id, sending_account_id, state)
       SELECT tenant_id, id, $1, 'VERIFIED' FROM domain WHERE name = 'operator.example'`,
      [fromPublicId('sendingAccount', fleet.sendingAccountId)],
    );
    await api.sql(`UPDATE domain SET state = 'READY' WHERE name = 'operator.example'`);
    const answer = await sending;
    const { testEmail } = answered<{ testEmail: { id: string; state: string; to: string } }>(answer, 'sendTestEmail');
    expect(testEmail).toMatchObject({
      state: 'PENDING',
      to: expect.stringMatching(/^success\+\w+@simulator\.amazonses\.com$/) as string,
    });
    expect(await api.audited(answer)).toContain('test-email.send');
    const id = fromPublicId('message', testEmail.id);
    await api.sql(`UPDATE recipient SET state = 'SENT' WHERE message_id = $1`, [id]);
    expect(await stateOf(testEmail.id)).toBe('PENDING');
    await api.sql(`UPDATE recipient SET state = 'DELIVERED' WHERE message_id = $1`, [id]);
    expect(await stateOf(testEmail.id)).toBe('PASSED');

    const sent = await api.customer(
      (await fleet.tenant('Bystander', 'bystander.example')).liveKey,
      'mutation ($input: SendEmailInput!) { sendEmail(input: $input) { message { id } } }',
      {
        input: {
          idempotencyKey: '1',
          email: {
            from: { email: 'a@bystander.example' },
            to: [{ email: 'b@example.com' }],
            content: { inline: { subject: 'x', text: 'x' } },
          },
        },
      },
    );
    const other = answered<{ message: { id: string } }>(sent, 'sendEmail').message.id;
    expect((await admin('query ($id: ID!) { testEmail(id: $id) { state } }', { id: other })).data).toEqual({
      testEmail: null,
    });
  });

  it("is not sent from a tenant's domain", async () => {
    const answer = await admin(SEND, { input: { sendingAccountId: fleet.sendingAccountId, from: 'ops@acme.example' } });
    expect(answer.data).toMatchObject({
      sendTestEmail: {
        testEmail: null,
        userErrors: [
          {
            code: 'CONFLICT',
            path: ['input', 'from'],
            message: expect.stringContaining('acme.example belongs to a tenant') as string,
          },
        ],
      },
    });
  });
});
