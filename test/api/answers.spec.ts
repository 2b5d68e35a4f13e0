import { readFileSync } from 'node:fs';
import { Client } from 'pg';
import { EngineClock, ERROR_CODES, ManualClock, SystemClock } from '../../libs/kernel/src';
import { startApi, type ApiUnderTest } from './api-under-test';
import { givenFleet, type GivenFleet, type GivenTenant } from './given';

let api: ApiUnderTest;
let fleet: GivenFleet;
let acme: GivenTenant;

beforeAll(async () => {
  api = await startApi();
  fleet = await givenFleet(api);
  acme = await fleet.tenant('Acme', 'acme.example');
});
afterAll(() => api.close());

describe('a fault of ours', () => {
  it('is shown as INTERNAL with the request id and nothing else, and logged once with the cause', async () => {
    await api.sql('ALTER TABLE suppression RENAME TO suppression_canary');
    try {
      const answer = await api.customer(acme.liveKey, '{ suppressions { nodes { id } } }');
      const requestId = answer.headers.get('request-id') ?? '';
      expect(answer.errors[0]).toMatchObject({ extensions: { code: 'INTERNAL', requestId } });
      expect(answer.text).not.toMatch(/relation|suppression_canary|SELECT|node_modules|stack/);
      const lines = api.log.filter((line) => line.includes(requestId));
      expect(lines).toHaveLength(1);
      expect(lines[0]).toContain('does not exist');
    } finally {
      await api.sql('ALTER TABLE suppression_canary RENAME TO suppression');
    }
    expect((await api.customer(acme.liveKey, '{ suppressions { nodes { id } } }')).errors).toEqual([]);
  });

  it('at the door answers 503, so that clients try again', async () => {
    await api.sql('ALTER FUNCTION find_api_key(bytea) RENAME TO find_api_key_canary');
    try {
      // A key that was not seen in the last second, so that the look-up really runs.
      const answer = await api.customer(acme.testKey, '{ viewer { mode } }');
      expect([answer.status, answer.errors[0]?.extensions.code]).toEqual([503, 'INTERNAL']);
      expect(answer.headers.get('retry-after')).toBe('5');
      expect(answer.text).not.toContain('canary');
    } finally {
      await api.sql('ALTER FUNCTION find_api_key_canary(bytea) RENAME TO find_api_key');
    }
  });
});

describe('an answer', () => {
  it('is kept by nobody on its way', async () => {
    const answer = await api.customer(acme.liveKey, '{ viewer { mode } }');
    expect([answer.errors, answer.headers.get('cache-control')]).toEqual([[], 'no-store']);
  });
});

describe('a mistake in a document', () => {
  it.each([
    ['{ viewr { mode } }', {}],
    ['{ viewer { mod } }', {}],
    ['query ($f: MessageFilter) { messages(filter: $f) { nodes { id } } }', { f: { stat: ['QUEUED'] } }],
    ['query ($f: MessageFilter) { messages(filter: $f) { nodes { id } } }', { f: { state: ['QUEUD'] } }],
    ['query ($f: MessageFiltr) { messages(filter: $f) { nodes { id } } }', {}],
    ['{ messages(frst: 1) { nodes { id } } }', {}],
  ])('%s is refused without suggesting what else there is', async (query, variables) => {
    const answer = await api.customer(acme.liveKey, query, variables);
    expect([answer.status, answer.errors[0]?.extensions.code]).toEqual([400, 'INVALID_INPUT']);
    expect(answer.text).not.toMatch(/did you mean/i);
    expect(answer.text).not.toMatch(/stacktrace/i);
  });

  it('does not come back as long as it was', async () => {
    const answer = await api.customer(
      acme.liveKey,
      'query ($s: Stream!) { forecast(recipients: 1, stream: $s) { cost } }',
      { s: 'x'.repeat(200_000) },
    );
    expect(answer.status).toBe(400);
    expect(answer.text.length).toBeLessThan(2_000);
  });
});

describe('every answer', () => {
  it('carries request id and cost, and the headers of a service that is no web page', async () => {
    const answer = await api.customer(acme.liveKey, '{ viewer { mode } }');
    expect(answer.extensions).toMatchObject({
      requestId: answer.headers.get('request-id'),
      cost: {
        requestedQueryCost: 1,
        actualQueryCost: 1,
        throttleStatus: { maximumAvailable: 20_000, restoreRate: 2_000 },
      },
    });
    expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    expect(answer.headers.get('x-powered-by')).toBeNull();
  });

  it('says where an unknown address leads: nowhere', async () => {
    const answer = await api.post('/nowhere', { method: 'GET' });
    expect([answer.status, answer.errors[0]?.extensions.code]).toEqual([404, 'NOT_FOUND']);
  });
});

describe('the pages of errors', () => {
  it('are served for every code, without a key', async () => {
    for (const code of Object.keys(ERROR_CODES)) {
      const response = await fetch(`${api.url}/docs/errors/${code}`);
      expect([code, response.status, response.headers.get('content-type')]).toEqual([
        code,
        200,
        'text/markdown; charset=utf-8',
      ]);
      expect(await response.text()).toBe(readFileSync(`docs/errors/${code}.md`, 'utf8'));
    }
  });

  it.each(['NOPE', '..%2F..%2Fpackage.json', 'toString', 'INTERNAL.md', '%00'])(
    'are not a way to other files: %s',
    async (name) => {
      const response = await fetch(`${api.url}/docs/errors/${name}`);
      expect(response.status).toBeGreaterThanOrEqual(400);
      expect(await response.text()).not.toContain('dependencies');
    },
  );
});

describe('health and metrics', () => {
  it('say that the process lives and can serve', async () => {
    expect(await (await fetch(`${api.url}/health/live`)).json()).toEqual({ status: 'ok' });
    expect(await (await fetch(`${api.url}/health/ready`)).json()).toEqual({
      status: 'ok',
      database: 'ok',
      redis: 'ok',
    });
    expect(await (await fetch(`${api.url}/metrics`)).text()).toContain('process_cpu_seconds_total');
  });

  it('say that it cannot serve while the clock of its host is an hour behind those of its stores', async () => {
    const anHourAgo = new SystemClock().nowMs() - 3_600_000;
    const late = await startApi({ clock: new EngineClock(new ManualClock(anHourAgo)) });
    try {
      const response = await fetch(`${late.url}/health/ready`);
      expect(response.status).toBe(503);
      expect(await response.json()).toEqual({
        status: 'unavailable',
        database: 'ok',
        redis: 'ok',
        clock: expect.stringMatching(/^360\d s behind those of PostgreSQL and Redis: set it by NTP$/) as string,
      });
    } finally {
      await late.close();
    }
  });
});

describe('the SNS webhook', () => {
  const deliver = (body: string) =>
    api.post('/webhooks/sns', { headers: { 'content-type': 'text/plain; charset=UTF-8' }, body });
  const forged = (change: object = {}) =>
    JSON.stringify({
      Type: 'Notification',
      MessageId: '5f6bd1c0-0000-4000-8000-000000000001',
      TopicArn: 'arn:aws:sns:us-east-1:111111111111:postfleet-events',
      Message: '{}',
      Timestamp: '2026-11-22T06:00:00.000Z',
      SignatureVersion: '2',
      Signature: Buffer.alloc(256, 1).toString('base64'),
      SigningCertURL: `https://sns.us-east-1.amazonaws.com/SimpleNotificationService-${'0'.repeat(32)}.pem`,
      ...change,
    });

  it.each([
    ['a topic of nobody', forged({ TopicArn: 'arn:aws:sns:us-east-1:666666666666:evil' })],
    [
      'a certificate from elsewhere',
      forged({
        SigningCertURL:
          'https://sns.us-east-1.amazonaws.com.evil.example/SimpleNotificationService-00000000000000000000000000000000.pem',
      }),
    ],
    ['no message at all', 'hello'],
    ['an empty object', '{}'],
  ])('answers 403 to %s and keeps nothing', async (_what, body) => {
    const answer = await deliver(body);
    expect([answer.status, answer.errors[0]?.extensions.code]).toEqual([403, 'FORBIDDEN']);
    expect(await api.sql('SELECT 1 FROM notification')).toEqual([]);
  });

  it('reads at most 256 kB', async () => {
    const answer = await deliver(forged({ Message: 'x'.repeat(300_000) }));
    expect([answer.status, answer.errors[0]?.extensions.code]).toEqual([413, 'PAYLOAD_TOO_LARGE']);
  });
});

describe('loaders', () => {
  it('ask the database as often for a page of fifty messages as for one of five', async () => {
    const emails = Array.from({ length: 50 }, (_, index) => ({
      from: { email: 'hi@acme.example' },
      to: [{ email: `reader${index}@example.com` }],
      content: { inline: { subject: 'Hi', text: 'Hi' } },
    }));
    await api.customer(acme.liveKey, 'mutation ($input: SendEmailsInput!) { sendEmails(input: $input) { replayed } }', {
      input: { idempotencyKey: 'page', emails },
    });
    const query = 'query ($n: Int) { messages(first: $n) { nodes { id recipients { state } wait { limit } cost } } }';
    /** How often each statement was made while the page was read. */
    const asked = async (n: number) => {
      const statements = jest.spyOn(Client.prototype, 'query');
      const answer = await api.customer(acme.liveKey, query, { n });
      expect((answer.data as unknown as { messages: { nodes: unknown[] } }).messages.nodes).toHaveLength(n);
      const times = new Map<string, number>();
      for (const [statement] of statements.mock.calls as unknown as [string | { text: string }][]) {
        const text = typeof statement === 'string' ? statement : statement.text;
        times.set(text, (times.get(text) ?? 0) + 1);
      }
      statements.mockRestore();
      return times;
    };
    const [small, large] = [await asked(5), await asked(50)];
    expect(small.size).toBeGreaterThan(2);
    // Other work of the process may come between: what one message costs each time would be asked 45 times more.
    const more = [...large].filter(([text, times]) => times - (small.get(text) ?? 0) > 5);
    expect(more).toEqual([]);
  });
});
