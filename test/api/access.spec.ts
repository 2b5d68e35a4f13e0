import { buildSchema, type GraphQLObjectType, type GraphQLSchema } from 'graphql';
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { ROLE_MATRIX } from '../../apps/api/src/admin/role.matrix';
import { SystemClock } from '../../libs/kernel/src';
import { answered, startApi, type Answer, type ApiUnderTest } from './api-under-test';
import { givenFleet, type GivenFleet, type GivenTenant } from './given';
import { sampleOperation } from './sample-operation';

/** The scope each field needs; a field that is not here fails the test. */
const SCOPES: Readonly<Record<string, string>> = {
  'Query.billing': 'billing:read',
  'Query.billingEstimate': 'billing:read',
  'Query.forecast': 'read',
  'Query.invoice': 'billing:read',
  'Query.invoices': 'billing:read',
  'Query.message': 'read',
  'Query.messages': 'read',
  'Query.node': 'read',
  'Query.suppressions': 'read',
  'Query.usage': 'billing:read',
  'Query.viewer': 'any',
  'Mutation.cancelMessages': 'send',
  'Mutation.createApiKey': 'keys',
  'Mutation.revokeApiKey': 'keys',
  'Mutation.sendEmail': 'send',
  'Mutation.sendEmails': 'send',
  'Mutation.suppressRecipients': 'send',
  'Mutation.updateBillingProfile': 'billing:write',
  'Mutation.updateSpendSettings': 'billing:write',
};

let api: ApiUnderTest;
let fleet: GivenFleet;
let acme: GivenTenant;

beforeAll(async () => {
  api = await startApi({ bucket: { maximum: 1_000_000, restorePerSecond: 1_000_000 } });
  fleet = await givenFleet(api);
  acme = await fleet.tenant('Acme', 'acme.example');
});
afterAll(() => api.close());

describe('without a valid key', () => {
  const query = JSON.stringify({ query: '{ __typename }' });
  const json = { 'content-type': 'application/json' };

  it.each(['/graphql', '/admin/graphql', '/GraphQL', '/graphql/', '/graphql/x'])(
    'nothing at %s is answered, whatever is asked',
    async (path) => {
      const introspection = JSON.stringify({ query: '{ __schema { types { name } } }' });
      const corpus: RequestInit[] = [
        { headers: json, body: query },
        { headers: json, body: introspection },
        { headers: json, body: `[${query},${query}]` },
        { headers: json, body: '{{{' },
        { headers: { 'content-type': 'text/plain' }, body: query },
        { headers: { ...json, 'content-encoding': 'gzip' }, body: gzipSync('0'.repeat(1_000_000)) },
        { headers: { ...json, authorization: 'Basic YTpi' }, body: query },
        { headers: { ...json, authorization: 'Bearer' }, body: query },
        { headers: { ...json, authorization: `Bearer ${acme.liveKey.slice(0, -1)}` }, body: query },
        { headers: { ...json, authorization: `Bearer pf_live_${'a'.repeat(36)}` }, body: query },
        { headers: { ...json, authorization: `Bearer ${'x'.repeat(5_000)}` }, body: query },
        { method: 'GET' },
        { method: 'DELETE' },
      ];
      for (const request of corpus) {
        const answer = await api.post(path, request);
        expect([answer.status, answer.errors[0]?.extensions.code]).toEqual([401, 'UNAUTHENTICATED']);
        expect(answer.headers.get('request-id')).toBe(answer.errors[0]?.extensions.requestId);
        expect(answer.text).not.toMatch(/__schema|Query|stack|at /);
      }
    },
  );

  it('the key in the address or a cookie is not looked at', async () => {
    const address = await api.post(`/graphql?authorization=Bearer%20${acme.liveKey}`, { headers: json, body: query });
    const cookie = await api.post('/graphql', {
      headers: { ...json, cookie: `authorization=${acme.liveKey}` },
      body: query,
    });
    expect([address.status, cookie.status]).toEqual([401, 401]);
  });

  it('a revoked key is refused within a second', async () => {
    const key = await fleet.key(acme.id, ['read']);
    expect((await api.customer(key, '{ viewer { mode } }')).status).toBe(200);
    await api.sql(`UPDATE api_key SET revoked_at = now() WHERE prefix = $1`, [key.slice(0, 12)]);
    await new Promise((resolve) => setTimeout(resolve, 1_050));
    expect((await api.customer(key, '{ viewer { mode } }')).status).toBe(401);
  });
});

describe('each endpoint', () => {
  it('refuses the keys of the other, introspection included', async () => {
    for (const query of ['{ __typename }', '{ __schema { types { name } } }', '{ viewer { mode } }']) {
      const customerAtAdmin = await api.admin(acme.liveKey, query);
      const operatorAtCustomer = await api.customer(fleet.operatorKey, query);
      expect([customerAtAdmin.status, customerAtAdmin.errors[0]?.extensions.code]).toEqual([403, 'FORBIDDEN']);
      expect([operatorAtCustomer.status, operatorAtCustomer.errors[0]?.extensions.code]).toEqual([403, 'FORBIDDEN']);
      expect(customerAtAdmin.text).not.toMatch(/AwsAccount|placement/i);
    }
  });

  it('takes POST with JSON only, once let in', async () => {
    const authorization = `Bearer ${acme.liveKey}`;
    const get = await api.post('/graphql?query=%7B__typename%7D', { method: 'GET', headers: { authorization } });
    expect([get.status, get.headers.get('allow')]).toEqual([405, 'POST']);
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'application/graphql',
    ]) {
      const answer = await api.post('/graphql', {
        headers: { authorization, 'content-type': type },
        body: '{"query":"{__typename}"}',
      });
      expect([type, answer.status]).toEqual([type, 415]);
    }
    const batch = await api.post('/graphql', {
      headers: { authorization, 'content-type': 'application/json' },
      body: '[{"query":"{__typename}"}]',
    });
    expect([batch.status, batch.errors[0]?.extensions.code]).toEqual([400, 'INVALID_INPUT']);
  });

  it('answers as application/graphql-response+json to those who ask for it', async () => {
    const answer = await api.customer(
      acme.liveKey,
      '{ __typename }',
      {},
      { accept: 'application/graphql-response+json' },
    );
    expect(answer.headers.get('content-type')).toMatch(/^application\/graphql-response\+json/);
    const plain = await api.customer(acme.liveKey, '{ __typename }');
    expect(plain.headers.get('content-type')).toMatch(/^application\/json/);
  });

  it('reads the name of the scheme in any case', async () => {
    for (const scheme of ['bearer', 'BEARER', 'Bearer ']) {
      const answer = await api.post('/graphql', {
        headers: { 'content-type': 'application/json', authorization: `${scheme} ${acme.liveKey}` },
        body: JSON.stringify({ query: '{ viewer { mode } }' }),
      });
      expect([scheme, answer.status]).toEqual([scheme, 200]);
    }
  });

  it('has no subscriptions, and says so', async () => {
    for (const answer of [
      await api.customer(acme.liveKey, 'subscription { events { id } }'),
      await api.admin(fleet.operatorKey, 'subscription { __typename }'),
    ]) {
      expect([answer.status, answer.errors[0]?.extensions.code]).toEqual([400, 'INVALID_INPUT']);
      expect(answer.errors[0]?.message).toContain('subscriptions');
    }
  });

  it('does not register persisted queries and shows no page', async () => {
    const extensions = { persistedQuery: { version: 1, sha256Hash: 'a'.repeat(64) } };
    const answer = await api.post('/graphql', {
      headers: { authorization: `Bearer ${acme.liveKey}`, 'content-type': 'application/json' },
      body: JSON.stringify({ extensions }),
    });
    expect(answer.errors[0]?.extensions.code).toBe('INVALID_INPUT');
    const page = await fetch(`${api.url}/graphql`, {
      headers: { accept: 'text/html', authorization: `Bearer ${acme.liveKey}` },
    });
    expect(await page.text()).not.toContain('<html');
  });

  it('keeps a sane request id of the caller and replaces any other', async () => {
    const given = await api.customer(acme.liveKey, '{ __typename }', {}, { 'request-id': 'trace-1234567890' });
    expect(given.headers.get('request-id')).toBe('trace-1234567890');
    const replaced = await api.customer(acme.liveKey, '{ __typename }', {}, { 'request-id': 'x y"z' });
    expect(replaced.headers.get('request-id')).toMatch(/^req_[0-9a-z]{26}$/);
  });
});

describe('scopes', () => {
  const schema = buildSchema(readFileSync('apps/api/schema.customer.graphql', 'utf8'));

  it('open exactly the fields they are written on', async () => {
    const seen: Record<string, string[]> = {};
    for (const scope of ['send', 'read', 'domains', 'webhooks', 'billing:read', 'billing:write', 'keys']) {
      const key = await fleet.key(acme.id, [scope], 'TEST');
      for (const [name, document] of operations(schema)) {
        const answer = await api.customer(key, document);
        if (!isForbidden(answer)) (seen[name] ??= []).push(scope);
      }
    }
    const every = ['send', 'read', 'domains', 'webhooks', 'billing:read', 'billing:write', 'keys'];
    const expected = Object.fromEntries(
      Object.entries(SCOPES).map(([name, scope]) => [name, scope === 'any' ? every : [scope]]),
    );
    expect(seen).toEqual(expected);
  });

  it('are asked for before anything runs, also through a fragment', async () => {
    const key = await fleet.key(acme.id, ['read']);
    const before = await api.sql('SELECT 1 FROM suppression');
    const hidden = `mutation { ...hidden } fragment hidden on Mutation { suppressRecipients(input: { addresses: ["ann@example.com"] }) { added } }`;
    const answer = await api.customer(key, hidden);
    expect([answer.status, answer.errors[0]?.extensions.code, answer.data]).toEqual([403, 'FORBIDDEN', undefined]);
    expect(await api.sql('SELECT 1 FROM suppression')).toEqual(before);
  });

  it('never let a key make a wider one', async () => {
    const key = await fleet.key(acme.id, ['keys', 'read'], 'TEST');
    const make =
      'mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { key userErrors { code path } } }';
    const wider = await api.customer(key, make, { input: { name: 'wider', mode: 'LIVE', scopes: ['send'] } });
    expect(wider.data).toEqual({
      createApiKey: {
        key: null,
        userErrors: [
          { code: 'FORBIDDEN', path: ['input', 'scopes', '0'] },
          { code: 'FORBIDDEN', path: ['input', 'mode'] },
        ],
      },
    });
    const equal = await api.customer(key, make, { input: { name: 'equal', mode: 'TEST', scopes: ['read'] } });
    expect(equal.text).toMatch(/pf_test_[0-9A-Za-z]{36}/);
  });

  it('never let a key make one that outlives it', async () => {
    const make =
      'mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { key userErrors { code path } } }';
    const end = new Date(new SystemClock().nowMs() + 3_600_000).toISOString();
    const input = { name: 'short', mode: 'LIVE', scopes: ['keys', 'read'] };
    const all = await fleet.key(acme.id, ['keys', 'read']);
    const short = await api.customer(all, make, { input: { ...input, expiresAt: end } });
    const { key } = answered<{ key: string }>(short, 'createApiKey');
    const refused = { createApiKey: { key: null, userErrors: [{ code: 'FORBIDDEN', path: ['input', 'expiresAt'] }] } };
    expect((await api.customer(key, make, { input })).data).toEqual(refused);
    expect((await api.customer(key, make, { input: { ...input, expiresAt: end } })).text).toMatch(/pf_live_/);
  });

  it('never let a test key end a live one', async () => {
    const end =
      'mutation ($id: ID!) { revokeApiKey(input: { id: $id }) { apiKey { id } userErrors { code path message } } }';
    const make = `mutation ($input: CreateTenantApiKeyInput!) { createTenantApiKey(input: $input) { id key } }`;
    const made = async (mode: string) => {
      const input = { tenantId: acme.id, name: mode, mode, scopes: ['keys'] };
      const answer = await api.admin(fleet.operatorKey, make, { input });
      return answered<{ id: string; key: string }>(answer, 'createTenantApiKey');
    };
    const [live, test, other] = [await made('LIVE'), await made('TEST'), await made('TEST')];
    expect((await api.customer(test.key, end, { id: live.id })).data).toEqual({
      revokeApiKey: {
        apiKey: null,
        userErrors: [{ code: 'FORBIDDEN', path: ['input', 'id'], message: 'A test key cannot end a live key.' }],
      },
    });
    expect((await api.customer(live.key, '{ viewer { mode } }')).status).toBe(200);
    expect((await api.customer(test.key, end, { id: other.id })).data).toMatchObject({
      revokeApiKey: { apiKey: { id: other.id }, userErrors: [] },
    });
  });
});

describe('roles', () => {
  const schema = buildSchema(readFileSync('apps/api/schema.admin.graphql', 'utf8'));
  const ranks = ['viewer', 'operator', 'owner'] as const;

  it('open exactly the fields the matrix says', async () => {
    const lowest: Record<string, string> = {};
    for (const role of [...ranks].reverse()) {
      const key = await api.operatorKey(role);
      for (const [name, document] of operations(schema)) {
        if (name === 'Mutation.sendTestEmail' && role === 'owner') lowest[name] = role;
        else if (!isForbidden(await api.admin(key, document))) lowest[name] = role;
      }
    }
    expect(lowest).toEqual(ROLE_MATRIX);
  });
});

function operations(schema: GraphQLSchema): [string, string][] {
  return [schema.getQueryType(), schema.getMutationType()].flatMap((root) =>
    Object.values((root as GraphQLObjectType).getFields()).map((field): [string, string] => [
      `${(root as GraphQLObjectType).name}.${field.name}`,
      sampleOperation(root as GraphQLObjectType, field),
    ]),
  );
}

function isForbidden(answer: Answer): boolean {
  const forbidden = answer.status === 403 && answer.errors[0]?.extensions.code === 'FORBIDDEN';
  // Anything else must have got as far as running: a document that does not parse would prove nothing.
  if (!forbidden && answer.status !== 200) throw new Error(`the probe is broken: ${answer.text}`);
  return forbidden;
}
