import { fromPublicId, toPublicId } from '@libs/kernel';
import { Pool } from 'undici';
import { API_NODE_FLAGS } from '../tools/local-stack/applications';
import type { Child } from '../tools/local-stack/child';
import { GraphqlClient } from '../tools/local-stack/graphql-client';
import { isHealthy } from '../tools/local-stack/reachable';
import { makeOperatorKey } from '../tools/local-stack/seed';
import { CustomerClient } from './customer-client';
import type { BenchDatabase, Lab } from './lab';
import { monotonicUs } from './monotonic';
import { htmlOf, type SeededTenant, type Stream } from './seed';

/** Keep-alive connections of the customers to one process, all together; what does not fit waits, and its wait counts. */
const CONNECTIONS = 64;

/** Where the recipient goes. */
const PLACE = '<recipient>';

/** A message that the api has acknowledged; times by CLOCK_MONOTONIC. */
export interface Accepted {
  /** Uuid, as the sink sees it. */
  readonly id: string;
  readonly askedUs: number;
  readonly ackUs: number;
}

/** An api process and the customers' connections to it. */
interface Front {
  readonly url: string;
  readonly child: Child;
  readonly pool: Pool;
}

/** The real api in front of an engine arm's database, with a live key for every tenant; batches go to its processes in turns. */
export class ApiArm {
  private readonly keys = new Map<string, string>();
  /** What surrounds the recipient in the JSON of a message, by tenant, stream and size. */
  private readonly emails = new Map<string, readonly string[]>();
  private calls = 0;
  private turns = 0;

  private constructor(
    private readonly lab: Lab,
    private readonly fronts: readonly Front[],
    private readonly run: string,
  ) {}

  static async start(
    lab: Lab,
    database: BenchDatabase,
    tenants: readonly SeededTenant[],
    processes = 1,
  ): Promise<ApiArm> {
    const fronts: Front[] = [];
    for (let n = 1; n <= processes; n += 1) fronts.push(await startFront(lab, database, n === 1 ? 'api' : `api-${n}`));
    const arm = new ApiArm(lab, fronts, database.name);
    const operator = await makeOperatorKey({ databaseUrls: database.urls, secrets: lab.secrets });
    const admin = new GraphqlClient(`${fronts[0]?.url}/admin/graphql`, operator);
    for (const { id } of tenants) {
      const input = { tenantId: toPublicId('tenant', id), name: 'benchmark', mode: 'LIVE', scopes: ['send', 'read'] };
      const { key } = await admin.mutate<{ key: string }>('createTenantApiKey', input, 'key');
      arm.keys.set(id, key);
    }
    return arm;
  }

  /** One mutation with one message, to the first process. @throws when the api refuses it */
  async sendOne(tenant: SeededTenant, stream: Stream, bodyBytes: number): Promise<Accepted> {
    const input = `{"idempotencyKey":"${this.nextKey()}","email":${this.email(tenant, stream, bodyBytes)}}`;
    const askedUs = monotonicUs();
    const { message } = await this.clientOf(tenant, this.fronts[0]).mutate<{ message: { id: string } }>(
      'sendEmail',
      input,
      'message { id }',
    );
    return { id: uuidOf(message.id), askedUs, ackUs: monotonicUs() };
  }

  /** One mutation with that many messages. Answers how many were accepted. @throws when any is refused */
  async sendBatch(tenant: SeededTenant, stream: Stream, bodyBytes: number, count: number): Promise<number> {
    const emails = Array.from({ length: count }, () => this.email(tenant, stream, bodyBytes));
    const input = `{"idempotencyKey":"${this.nextKey()}","emails":[${emails.join(',')}]}`;
    const front = this.fronts[this.turns % this.fronts.length];
    this.turns += 1;
    const { results } = await this.clientOf(tenant, front).mutate<{ results: { message: { id: string } | null }[] }>(
      'sendEmails',
      input,
      'results { message { id } }',
    );
    const accepted = results.filter(({ message }) => message !== null).length;
    if (accepted !== count) throw new Error(`the api refused ${count - accepted} of ${count} messages`);
    return accepted;
  }

  async stop(): Promise<void> {
    for (const { child, pool } of this.fronts) {
      await pool.destroy();
      await this.lab.stop(child);
    }
  }

  /** JSON of a message to a recipient of its own. */
  private email(tenant: SeededTenant, stream: Stream, bodyBytes: number): string {
    this.calls += 1;
    const name = `${tenant.id} ${stream} ${bodyBytes}`;
    let parts = this.emails.get(name);
    if (!parts) {
      const email = {
        from: { email: `news@${tenant.domain}` },
        to: [{ email: PLACE }],
        content: { inline: { subject: 'Benchmark', html: htmlOf(bodyBytes) } },
        stream,
      };
      parts = JSON.stringify(email).split(PLACE);
      this.emails.set(name, parts);
    }
    return parts.join(`r${this.calls}@inbox.example`);
  }

  private nextKey(): string {
    this.calls += 1;
    return `${this.run}/${this.calls}`;
  }

  private clientOf(tenant: SeededTenant, front: Front | undefined): CustomerClient {
    const key = this.keys.get(tenant.id);
    if (key === undefined || !front) throw new Error('a tenant without a key');
    return new CustomerClient(front.pool, key);
  }
}

async function startFront(lab: Lab, database: BenchDatabase, name: string): Promise<Front> {
  const url = `http://127.0.0.1:${await lab.port(name)}`;
  const child = await lab.start(name, 'apps/api/src/main.js', {
    env: {
      // As the image runs it: in development GraphQL looks twice at every field.
      NODE_ENV: 'production',
      SELLER_ADDRESS: 'Benchmark',
      API_HOST: '127.0.0.1',
      API_PORT: new URL(url).port,
      DATABASE_APP_URL: database.urls.app,
      DATABASE_ADMIN_URL: database.urls.admin,
      REDIS_URL: lab.redisUrl,
      API_KEY_PEPPER: lab.secrets.apiKeyPepper,
      PUBLIC_URL: url,
      LOG_LEVEL: 'warn',
    },
    nodeFlags: API_NODE_FLAGS,
    isReady: () => isHealthy(`${url}/health/ready`),
  });
  return { url, child, pool: new Pool(url, { connections: CONNECTIONS }) };
}

function uuidOf(publicId: string): string {
  const id = fromPublicId('message', publicId);
  if (id === undefined) throw new Error(`not the id of a message: ${publicId}`);
  return id;
}

/**
 * Calls `work` at an even rate whether or not earlier calls have ended, as arriving customers do; catches up when the loop
 * was late. Resolves when the last call has ended. @throws the first error of any call
 */
export async function atRate(
  lab: Lab,
  perSecond: number,
  seconds: number,
  work: (n: number) => Promise<unknown>,
): Promise<void> {
  const started = performance.now();
  const calls: Promise<unknown>[] = [];
  const total = Math.round(perSecond * seconds);
  let failed: unknown;
  while (calls.length < total && failed === undefined) {
    const due = Math.min(total, Math.floor(((performance.now() - started) / 1_000) * perSecond) + 1);
    while (calls.length < due) {
      const call = work(calls.length);
      call.catch((error: unknown) => (failed ??= error));
      calls.push(call);
    }
    await lab.wait(0.002);
  }
  await Promise.all(calls);
}
