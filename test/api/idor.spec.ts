import { buildSchema, type GraphQLField, type GraphQLObjectType } from 'graphql';
import { readFileSync } from 'node:fs';
import { newId, toPublicId, type MessageId, type PublicKind } from '../../libs/kernel/src';
import { startApi, type Answer, type ApiUnderTest } from './api-under-test';
import { givenFleet, type GivenFleet, type GivenTenant } from './given';
import { issueInvoices, used } from './given-invoices';
import { idPaths, sampleOperation } from './sample-operation';

/** Every place of the customers' schema that takes an id, and the kinds of things it names. A new one must be listed here. */
const ID_PLACES: Readonly<Record<string, readonly PublicKind[]>> = {
  'Query.message id': ['message'],
  'Query.node id': ['message', 'event', 'suppression', 'apiKey', 'tenant', 'invoice'],
  'Query.invoice id': ['invoice'],
  'Mutation.cancelMessages input.ids.0': ['message'],
  'Mutation.revokeApiKey input.id': ['apiKey'],
};

const SELECTION: Readonly<Record<string, string>> = {
  'Query.message':
    'id state subject recipients { address } timeline { nodes { id summary data } } wait { explanation } cost',
  'Query.node': `id __typename ... on Message { subject to { email } } ... on Event { summary data message { id subject } }
    ... on Suppression { address reason cause { id } } ... on ApiKey { name prefix } ... on Invoice { number lines { description } } ... on Tenant { name }`,
  'Query.invoice': 'id number lines { description } corrects { id } creditNotes { id }',
  'Mutation.cancelMessages': 'canceledCount userErrors { code message path }',
  'Mutation.revokeApiKey': 'apiKey { id name } userErrors { code message path }',
};

const schema = buildSchema(readFileSync('apps/api/schema.customer.graphql', 'utf8'));
const CANARY = 'canary-of-b';

let api: ApiUnderTest;
let fleet: GivenFleet;
let a: GivenTenant;
let b: GivenTenant;
let invoiceOf: (tenant: GivenTenant) => string;

beforeAll(async () => {
  api = await startApi();
  fleet = await givenFleet(api);
  a = await fleet.tenant('Tenant A', 'a.example');
  b = await fleet.tenant(`Tenant ${CANARY}`, 'b.example');
  await api.sql('INSERT INTO plan_price_tier SELECT id, 0, 1000000, 1 FROM plan_price');
  for (const tenant of [a, b]) await used(api, tenant, 7n);
  ({ invoiceOf } = await issueInvoices(api, b));
});
afterAll(() => api.close());

type Ids = Readonly<Record<string, string>>;

/** One of each kind of thing, with the canary wherever it can carry text. */
async function things(tenant: GivenTenant, text: string): Promise<Ids> {
  const sent = await api.customer(
    tenant.liveKey,
    'mutation ($input: SendEmailInput!) { sendEmail(input: $input) { message { id timeline { nodes { id } } } } }',
    {
      input: {
        idempotencyKey: `${text}-${newId<MessageId>()}`,
        email: {
          from: { email: `hi@${tenant.domain}` },
          to: [{ email: `${text}@example.com` }],
          content: { inline: { subject: text, text } },
        },
      },
    },
  );
  const { message } = (
    sent.data as unknown as { sendEmail: { message: { id: string; timeline: { nodes: { id: string }[] } } } }
  ).sendEmail;
  await api.customer(
    tenant.liveKey,
    'mutation ($input: SuppressRecipientsInput!) { suppressRecipients(input: $input) { added } }',
    { input: { addresses: [`no-${newId<MessageId>()}@example.com`], reason: text } },
  );
  const listed = await api.customer(tenant.liveKey, '{ suppressions(first: 1) { nodes { id } } }');
  const made = await api.customer(
    tenant.liveKey,
    'mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { apiKey { id } } }',
    { input: { name: text, mode: 'LIVE', scopes: ['read'] } },
  );
  return {
    message: message.id,
    event: message.timeline.nodes[0]?.id ?? '',
    suppression:
      (listed.data as unknown as { suppressions: { nodes: { id: string }[] } }).suppressions.nodes[0]?.id ?? '',
    apiKey: (made.data as unknown as { createApiKey: { apiKey: { id: string } } }).createApiKey.apiKey.id,
    tenant: tenant.id,
    invoice: invoiceOf(tenant),
  };
}

/** Everything of B that is in the database, to see whether a byte of it moved. */
async function rowsOfB(): Promise<string> {
  const tables = [
    'message',
    'recipient',
    'message_tag',
    'message_event',
    'suppression',
    'domain',
    'placement',
    'idempotency',
  ];
  const rows: unknown[] = await api.sql('SELECT id, name, state, paused_reason FROM tenant WHERE id = $1', [b.uuid]);
  for (const table of tables)
    rows.push(await api.sql(`SELECT * FROM ${table} WHERE tenant_id = $1 ORDER BY 1, 2`, [b.uuid]));
  rows.push(
    await api.sql('SELECT id, name, scopes, revoked_at FROM api_key WHERE tenant_id = $1 ORDER BY id', [b.uuid]),
  );
  return JSON.stringify(rows);
}

/** What was answered, without what differs between any two requests. */
function essence(answer: Answer): string {
  const errors = answer.errors.map(({ extensions, ...rest }) => ({ ...rest, code: extensions.code }));
  return JSON.stringify({ status: answer.status, data: answer.data, errors });
}

function roots(): GraphQLObjectType[] {
  return [schema.getQueryType(), schema.getMutationType()] as GraphQLObjectType[];
}

function fieldOf(place: string): { root: GraphQLObjectType; field: GraphQLField<unknown, unknown>; name: string } {
  const [name = ''] = place.split(' ');
  const [rootName, fieldName = ''] = name.split('.');
  const root = roots().find((one) => one.name === rootName);
  const field = root?.getFields()[fieldName];
  if (!root || !field) throw new Error(`${place} is gone from the schema`);
  return { root, field, name };
}

it('knows every place that takes an id', () => {
  const places = roots().flatMap((root) =>
    Object.values(root.getFields()).flatMap((field) =>
      idPaths(field).map((path) => `${root.name}.${field.name} ${path}`),
    ),
  );
  expect(places.sort()).toEqual(Object.keys(ID_PLACES).sort());
});

const probes = Object.entries(ID_PLACES).flatMap(([place, kinds]) => kinds.map((kind) => [place, kind] as const));

it.each(probes)(
  "%s: another tenant's %s answers as one that never existed, and stays as it was",
  async (place, kind) => {
    const own = await things(a, 'own');
    const foreign = await things(b, CANARY);
    const before = await rowsOfB();
    const { root, field, name } = fieldOf(place);
    const path = place.split(' ')[1] ?? '';
    const ask = (id: string) =>
      api.customer(
        a.liveKey,
        sampleOperation(root, field, SELECTION[name], (at) => (at.join('.') === path ? `"${id}"` : undefined)),
      );

    const foreignAnswer = await ask(foreign[kind] ?? '');
    const unknownAnswer = await ask(toPublicId(kind, newId<MessageId>()));
    const brokenAnswer = await ask('not-an-id');
    expect(essence(foreignAnswer)).toBe(essence(unknownAnswer));
    expect(essence(brokenAnswer)).toBe(essence(unknownAnswer));
    expect(foreignAnswer.text).not.toContain(CANARY);
    expect(foreignAnswer.text).not.toContain(foreign[kind] ?? 'nothing');
    expect(await rowsOfB()).toBe(before);

    // The same question about one's own must succeed: otherwise all of the above proves nothing.
    expect(essence(await ask(own[kind] ?? ''))).not.toBe(essence(unknownAnswer));
  },
);

it('never mixes tenants in lists, whoever asks first', async () => {
  await things(b, CANARY);
  const everything = `{ viewer { tenant { id name } } messages(first: 100) { nodes { subject recipients { address } timeline { nodes { data } } } }
    suppressions(first: 100) { nodes { address reason } } invoices(first: 100) { nodes { id downloads { pdf } lines { description } } }
    billing { recipients profile { legalName } events { data } } usage(from: "2020-01-01T00:00:00Z", to: "2030-01-01T00:00:00Z") { recipients } }`;
  const first = await api.customer(b.liveKey, everything);
  const second = await api.customer(a.liveKey, everything);
  expect(first.text).toContain(CANARY);
  expect(second.text).not.toContain(CANARY);
  expect(second.errors).toEqual([]);
});

it('does not take a cursor into another tenant', async () => {
  const foreign = await things(b, CANARY);
  const all = await api.customer(b.liveKey, '{ messages(first: 1) { pageInfo { endCursor } } }');
  const cursor = (all.data as unknown as { messages: { pageInfo: { endCursor: string } } }).messages.pageInfo.endCursor;
  const answer = await api.customer(
    a.liveKey,
    'query ($after: String) { messages(first: 100, after: $after) { nodes { id subject } } }',
    { after: cursor },
  );
  expect(answer.status).toBe(200);
  expect(answer.text).not.toContain(CANARY);
  expect(answer.text).not.toContain(foreign['message'] ?? 'nothing');
});

it('shows a test key test mail and a live key live mail, also by id', async () => {
  const live = await things(a, 'own');
  const query = 'query ($id: ID!) { message(id: $id) { id } node(id: $id) { id } }';
  const mutation =
    'mutation ($input: CancelMessagesInput!) { cancelMessages(input: $input) { canceledCount userErrors { code } } }';
  expect((await api.customer(a.testKey, query, { id: live['message'] })).data).toEqual({ message: null, node: null });
  const event = 'query ($id: ID!) { node(id: $id) { id } }';
  expect((await api.customer(a.testKey, event, { id: live['event'] })).data).toEqual({ node: null });
  expect((await api.customer(a.liveKey, event, { id: live['event'] })).data).toEqual({ node: { id: live['event'] } });
  const canceled = await api.customer(a.testKey, mutation, { input: { ids: [live['message']] } });
  expect(canceled.data).toEqual({ cancelMessages: { canceledCount: 0, userErrors: [{ code: 'NOT_FOUND' }] } });
  expect((await api.customer(a.liveKey, mutation, { input: { ids: [live['message']] } })).data).toEqual({
    cancelMessages: { canceledCount: 1, userErrors: [] },
  });
});
