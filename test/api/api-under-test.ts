import { ApiSettings } from '../../apps/api/src/api.settings';
import { createApi } from '../../apps/api/src/create-api';
import { apiConfig, loadConfig } from '../../libs/config/src';
import { createDataSource } from '../../libs/database/src';
import type { EngineClock } from '../../libs/kernel/src';
import { Log, Metrics } from '../../libs/observability/src';
import { OperatorKeyService, type OperatorRole } from '../../libs/tenancy/src';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { Client } from 'pg';
import request from 'supertest';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { createTestRedis } from '../support/redis';

export interface GraphqlError {
  readonly message: string;
  readonly path?: readonly (string | number)[];
  readonly extensions: Readonly<Record<string, unknown>> & { readonly code: string; readonly requestId: string };
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Anything: each test says what it expects. */
  readonly data: Record<string, never> | null | undefined;
  readonly errors: readonly GraphqlError[];
  readonly extensions: Readonly<Record<string, never>>;
}

/** What a field answered. @throws Error with the whole answer when anything of it failed */
export function answered<T>(answer: Answer, field: string): T {
  if (answer.errors.length > 0 || !answer.data) throw new Error(answer.text);
  return answer.data[field] as T;
}

export interface ApiUnderTest {
  readonly url: string;
  readonly app: NestExpressApplication;
  readonly database: TestDatabase;
  readonly log: string[];
  /** Statements as the superuser, to arrange and to judge. */
  sql<Row extends object>(text: string, parameters?: readonly unknown[]): Promise<Row[]>;
  operatorKey(role: OperatorRole): Promise<string>;
  /** The actions that the audit log has of one request, in alphabetical order. */
  audited(answer: Answer): Promise<string[]>;
  customer(key: string, query: string, variables?: object, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  admin(key: string, query: string, variables?: object, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  post(path: string, init: RequestInit): Promise<Answer>;
  close(): Promise<void>;
}

export interface ApiTestOptions {
  readonly bucket?: { readonly maximum: number; readonly restorePerSecond: number };
  readonly strangers?: { readonly maximum: number; readonly restorePerSecond: number };
  readonly adminFirst?: boolean;
  readonly publicUrl?: string;
  /** Variables beyond those that every test has. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly clock?: EngineClock;
  readonly timeouts?: { readonly headersMs: number; readonly requestMs: number };
}

const PEPPER = 'a pepper of the tests, thirty-two characters long';

/** The real application on real PostgreSQL and Redis, listening on a free port. */
export async function startApi(options: ApiTestOptions = {}): Promise<ApiUnderTest> {
  const database = await createTestDatabase();
  const redis = await createTestRedis();
  const config = loadConfig(apiConfig, {
    NODE_ENV: 'test',
    API_PORT: '0',
    DATABASE_APP_URL: database.urls.app,
    DATABASE_ADMIN_URL: database.urls.admin,
    REDIS_URL: redis.url,
    API_KEY_PEPPER: PEPPER,
    ...options.environment,
  });
  const log: string[] = [];
  const pools = {
    app: createDataSource({ url: config.DATABASE_APP_URL, applicationName: 'test-api', poolSize: 8 }),
    admin: createDataSource({ url: config.DATABASE_ADMIN_URL, applicationName: 'test-api', poolSize: 4 }),
  };
  await Promise.all([pools.app.initialize(), pools.admin.initialize()]);
  const app = await createApi({
    config,
    resources: {
      pools,
      log: new Log({ name: 'api', level: 'warn', write: (line) => log.push(line) }),
      metrics: new Metrics('api'),
      ...(options.clock === undefined ? {} : { clock: options.clock }),
    },
    settings: new ApiSettings(options),
    ...(options.adminFirst === undefined ? {} : { adminFirst: options.adminFirst }),
  });
  await app.listen(0, '127.0.0.1');
  const url = await app.getUrl();
  const judge = new Client({ connectionString: database.superuserUrl });
  await judge.connect();

  const answer = (status: number, headers: Headers, text: string): Answer => {
    const body = (text.startsWith('{') ? JSON.parse(text) : {}) as Partial<Answer>;
    return {
      status,
      headers,
      text,
      data: body.data,
      errors: body.errors ?? [],
      extensions: body.extensions ?? {},
    };
  };
  /** Byte for byte what the test says, for requests that no well-behaved client would make. */
  const post = async (path: string, init: RequestInit): Promise<Answer> => {
    const response = await fetch(`${url}${path}`, { method: 'POST', ...init });
    return answer(response.status, response.headers, await response.text());
  };
  const graphql =
    (path: string) =>
    async (key: string, query: string, variables: object = {}, headers: Readonly<Record<string, string>> = {}) => {
      const response = await request(url)
        .post(path)
        .set({ authorization: `Bearer ${key}`, ...headers })
        .send({ query, variables });
      return answer(response.status, new Headers(response.headers), response.text);
    };
  const sql = async <Row extends object>(text: string, parameters: readonly unknown[] = []): Promise<Row[]> =>
    (await judge.query<Row>(text, [...parameters])).rows;
  return {
    url,
    app,
    database,
    log,
    sql,
    audited: async ({ headers }) => {
      const ofRequest = 'SELECT action FROM audit_log WHERE request_id = $1 ORDER BY action';
      return (await sql<{ action: string }>(ofRequest, [headers.get('request-id')])).map((row) => row.action);
    },
    operatorKey: async (role) =>
      (
        await app
          .get(OperatorKeyService, { strict: false })
          .create({ name: `test ${role}`, role }, { actor: 'operator:test' })
      ).key,
    customer: graphql('/graphql'),
    admin: graphql('/admin/graphql'),
    post,
    close: async () => {
      await app.close();
      await judge.end();
      await Promise.all([pools.app.destroy(), pools.admin.destroy()]);
      await redis.close();
      await database.drop();
    },
  };
}
