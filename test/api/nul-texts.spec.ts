import { readFileSync } from 'node:fs';
import {
  buildSchema,
  getNamedType,
  getNullableType,
  isEnumType,
  isInputObjectType,
  isLeafType,
  isListType,
  isRequiredArgument,
  isRequiredInputField,
  type GraphQLField,
  type GraphQLInputType,
} from 'graphql';
import { startApi, type Answer, type ApiUnderTest } from './api-under-test';
import { givenFleet } from './given';

/** PostgreSQL takes no text with such a character: whoever lets one through to a statement answers INTERNAL. */
const WITH_NUL = 'a\0b';
const TEXTS: readonly string[] = ['String', 'ID', 'EmailAddress', 'URL'];

/** What fields of a type or a name may well hold, so that a call gets as far as it can. */
const OF_TYPE: Readonly<Record<string, unknown>> = {
  Int: 1,
  Float: 1,
  Boolean: true,
  BigInt: '1',
  Decimal: '1',
  DateTime: '2999-01-01T00:00:00Z',
};
const OF_NAME: Record<string, unknown> = {
  accountId: '222222222222',
  addresses: ['ann@example.com'],
  base64: 'eA==',
  card: 'aws-pro',
  domains: ['next.example'],
  email: 'hi@acme.example',
  from: 'hi@acme.example',
  period: '2026-10',
  regions: ['us-east-1'],
  scopes: ['read'],
  sku: 'ses.recipient',
  tier: 'growth',
};

let api: ApiUnderTest;
let ask: Readonly<Record<string, (query: string, variables: object) => Promise<Answer>>>;

beforeAll(async () => {
  api = await startApi({ bucket: { maximum: 1e6, restorePerSecond: 1e6 } });
  const fleet = await givenFleet(api);
  const { operatorKey, planId, sendingAccountId, awsAccountId } = fleet;
  const acme = await fleet.tenant('Acme', 'acme.example');
  Object.assign(OF_NAME, { planId, sendingAccountId, awsAccountId, tenantId: acme.id });
  ask = {
    admin: (query, variables) => api.admin(operatorKey, query, variables),
    customer: (query, variables) => api.customer(acme.liveKey, query, variables),
  };
});
afterAll(() => api.close());

function plausible(name: string, given: GraphQLInputType): unknown {
  const type = getNullableType(given);
  if (isInputObjectType(type)) {
    const fields = Object.values(type.getFields());
    const filled = type.isOneOf ? fields.slice(0, 1) : fields.filter(isRequiredInputField);
    return Object.fromEntries(filled.map((field) => [field.name, plausible(field.name, field.type)]));
  }
  if (name in OF_NAME) return OF_NAME[name];
  if (isListType(type)) return [plausible(name, type.ofType)];
  if (isEnumType(type)) return type.getValues()[0]?.name;
  return OF_TYPE[type.name] ?? 'x';
}

/** Plausible values of that type, each with a NUL in another one of its texts; and where. */
function withNul(name: string, given: GraphQLInputType): { path: string; value: unknown }[] {
  const type = getNullableType(given);
  if (isListType(type)) return withNul(name, type.ofType).map(({ path, value }) => ({ path, value: [value] }));
  if (!isInputObjectType(type)) return TEXTS.includes(type.name) ? [{ path: name, value: WITH_NUL }] : [];
  const others = type.isOneOf ? {} : (plausible(name, type) as object);
  return Object.values(type.getFields()).flatMap((field) =>
    withNul(field.name, field.type).map(({ path, value }) => ({
      path: `${name}.${path}`,
      value: { ...others, [field.name]: value },
    })),
  );
}

function documentOf(kind: string, field: GraphQLField<unknown, unknown>, used: readonly string[]): string {
  const args = field.args.filter(({ name }) => used.includes(name));
  const declared = args.map(({ name, type }) => `$${name}: ${String(type)}`).join(', ');
  const given = args.map(({ name }) => `${name}: $${name}`).join(', ');
  return `${kind} (${declared}) { ${field.name}(${given}) ${isLeafType(getNamedType(field.type)) ? '' : '{ __typename }'} }`;
}

it.each(['customer', 'admin'])('a NUL in any text of the %s API is a wrong value, not a fault', async (name) => {
  const schema = buildSchema(readFileSync(`apps/api/schema.${name}.graphql`, 'utf8'));
  const roots = { query: schema.getQueryType(), mutation: schema.getMutationType() };
  const calls = Object.entries(roots).flatMap(([kind, root]) =>
    Object.values(root?.getFields() ?? {}).flatMap((field) =>
      field.args.flatMap((odd) => {
        const others = field.args.filter((arg) => arg !== odd && isRequiredArgument(arg));
        const document = documentOf(
          kind,
          field,
          [odd, ...others].map((arg) => arg.name),
        );
        const given = Object.fromEntries(others.map((arg) => [arg.name, plausible(arg.name, arg.type)]));
        return withNul(odd.name, odd.type).map(({ path, value }) => ({
          place: `${field.name}(${path})`,
          document,
          variables: { ...given, [odd.name]: value },
        }));
      }),
    ),
  );
  expect(calls.length).toBeGreaterThan(70);
  const faults: string[] = [];
  for (const { place, document, variables } of calls) {
    const { errors, data } = await ask[name]!(document, variables);
    // Whatever is wrong with a call besides, it got as far as its resolver.
    if (data === undefined || errors.some(({ extensions }) => extensions.code === 'INTERNAL')) faults.push(place);
  }
  expect(faults).toEqual([]);
});
