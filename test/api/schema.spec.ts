import { ERROR_CODES } from '../../libs/kernel/src';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { GraphQLSchemaHost } from '@nestjs/graphql';
import {
  buildClientSchema,
  buildSchema,
  getIntrospectionQuery,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
  lexicographicSortSchema,
  printSchema,
  type GraphQLSchema,
  type IntrospectionQuery,
} from 'graphql';
import { ROLE_MATRIX } from '../../apps/api/src/admin/role.matrix';
import { accessOf } from '../../apps/api/src/auth/access.decorator';
import { driftedSchemas, printSchemas } from '../../apps/api/src/graphql/schema-files';
import { startApi, type ApiUnderTest } from './api-under-test';
import { givenFleet } from './given';

/** What both endpoints may know: words of the trade and the shapes of answers, nothing of the other's business. */
const SHARED = [
  'BigInt',
  'DateTime',
  'Decimal',
  'EmailAddress',
  'ErrorCode',
  'InDoubtPolicy',
  'Mode',
  'Mutation',
  'PageInfo',
  'Query',
  'Stream',
  'Tenant', // one word, two types: the customer's has an id and a name
  'URL',
  'UserError',
];

describe('the committed schemas', () => {
  let schemas: Map<string, GraphQLSchema>;

  beforeAll(async () => {
    schemas = new Map((await printSchemas()).map(({ file, text }) => [file, buildSchema(text)]));
  });

  it('equal what the code says', async () => {
    expect(await driftedSchemas()).toEqual([]);
  });

  it('share nothing but the words on the list', () => {
    const [customer, admin] = ['schema.customer.graphql', 'schema.admin.graphql'].map((file) =>
      ownTypes(schemas.get(file)),
    );
    expect(customer?.filter((name) => admin?.includes(name)).sort()).toEqual(SHARED);
  });

  it('describe every type, field, argument and input, and say which inputs take exactly one', () => {
    for (const schema of schemas.values()) expect(undescribed(schema)).toEqual([]);
    const text = readFileSync('apps/api/schema.customer.graphql', 'utf8');
    expect([...text.matchAll(/input (\w+) @oneOf/g)].map((match) => match[1])).toEqual([
      'AttachmentSourceInput',
      'CancelMessagesInput',
      'ContentInput',
    ]);
  });

  it('name in ErrorCode exactly the codes that have a page', () => {
    const codes = schemas.get('schema.customer.graphql')?.getType('ErrorCode');
    const names = isEnumType(codes) ? codes.getValues().map((value) => value.name) : [];
    expect(names.sort()).toEqual(Object.keys(ERROR_CODES).sort());
    for (const name of names) {
      const page = path.join('docs/errors', `${name}.md`);
      expect([name, existsSync(page)]).toEqual([name, true]);
      for (const heading of [`# ${name}`, '## Cause', '## Fix', '## Example'])
        expect(readFileSync(page, 'utf8')).toContain(heading);
    }
  });

  it('give every mutation one input and a payload with userErrors', () => {
    for (const schema of schemas.values()) {
      for (const field of Object.values(schema.getMutationType()?.getFields() ?? {})) {
        expect([field.name, field.args.map((argument) => argument.name)]).toEqual([field.name, ['input']]);
        const payload = schema.getType(`${field.name.charAt(0).toUpperCase()}${field.name.slice(1)}Payload`);
        expect(isObjectType(payload) && String(payload.getFields()['userErrors']?.type)).toBe('[UserError!]!');
      }
    }
  });
});

describe.each([
  ['customer first', false],
  ['admin first', true],
])('the schemas that are served, %s', (_order, adminFirst) => {
  let api: ApiUnderTest;

  beforeAll(async () => {
    api = await startApi({ adminFirst });
  });
  afterAll(() => api.close());

  it('are the committed ones, and introspection shows each to its own callers', async () => {
    const fleet = await givenFleet(api);
    const acme = await fleet.tenant('Acme', 'acme.example');
    const seen = async (answer: Promise<{ data: unknown }>) =>
      printSchema(lexicographicSortSchema(buildClientSchema((await answer).data as IntrospectionQuery)));
    const committed = (file: string) =>
      printSchema(lexicographicSortSchema(buildSchema(readFileSync(`apps/api/${file}`, 'utf8'))));
    const query = getIntrospectionQuery({ inputValueDeprecation: false, specifiedByUrl: true, oneOf: true });
    expect(await seen(api.customer(acme.liveKey, query))).toBe(committed('schema.customer.graphql'));
    expect(await seen(api.admin(fleet.operatorKey, query))).toBe(committed('schema.admin.graphql'));
  });

  it('decide for every field of the admin endpoint exactly what the role matrix says', () => {
    const admin = servedSchema(api, 'registerAwsAccount');
    const decided = rootFields(admin).map(([name, access]) => [
      name,
      access && 'role' in access ? access.role : undefined,
    ]);
    expect(Object.fromEntries(decided)).toEqual(ROLE_MATRIX);
  });
});

function servedSchema(api: ApiUnderTest, mutation: string): GraphQLSchema {
  const hosts = api.app.get<GraphQLSchemaHost>(GraphQLSchemaHost, { strict: false, each: true });
  const schema = hosts
    .map((host) => host.schema)
    .find((one) => one.getMutationType()?.getFields()[mutation] !== undefined);
  if (!schema) throw new Error(`no served schema has ${mutation}`);
  return schema;
}

function rootFields(schema: GraphQLSchema) {
  return [schema.getQueryType(), schema.getMutationType()].flatMap((root) =>
    Object.values(root?.getFields() ?? {}).map(
      (field) => [`${root?.name ?? ''}.${field.name}`, accessOf(field)] as const,
    ),
  );
}

function ownTypes(schema: GraphQLSchema | undefined): string[] {
  const builtIn = ['Boolean', 'Float', 'ID', 'Int', 'String'];
  return Object.keys(schema?.getTypeMap() ?? {}).filter((name) => !name.startsWith('__') && !builtIn.includes(name));
}

function undescribed(schema: GraphQLSchema): string[] {
  const bare: string[] = [];
  const need = (name: string, description: string | null | undefined) => {
    if (!description) bare.push(name);
  };
  for (const name of ownTypes(schema)) {
    const type = schema.getType(name);
    if (name !== 'Query' && name !== 'Mutation') need(name, type?.description);
    if (isInputObjectType(type)) {
      for (const field of Object.values(type.getFields())) need(`${name}.${field.name}`, field.description);
    } else if (isObjectType(type) || isInterfaceType(type)) {
      for (const field of Object.values(type.getFields())) {
        need(`${name}.${field.name}`, field.description);
        for (const argument of field.args) need(`${name}.${field.name}(${argument.name})`, argument.description);
      }
    }
  }
  return bare;
}
