import { Client } from 'pg';
import { startApi, type ApiUnderTest } from './api-under-test';
import { givenFleet, type GivenTenant } from './given';

let api: ApiUnderTest;
let acme: GivenTenant;
let busy: Client;

beforeAll(async () => {
  api = await startApi();
  acme = await (await givenFleet(api)).tenant('Acme', 'acme.example');
  busy = new Client({ connectionString: api.database.superuserUrl });
  await busy.connect();
});
afterAll(async () => {
  await busy.end();
  await api.close();
});

const LIST = 'query ($filter: MessageFilter) { messages(filter: $filter) { nodes { id } } }';
const CANCEL =
  'mutation ($input: CancelMessagesInput!) { cancelMessages(input: $input) { canceledCount userErrors { code path message } } }';

describe('a look that takes longer than a request may', () => {
  it('is answered with the condition that would make it short', async () => {
    const content = { inline: { subject: 'Hi', text: 'Hi' } };
    const email = { from: { email: 'hi@acme.example' }, to: [{ email: 'ann@example.com' }], content };
    await api.customer(acme.liveKey, 'mutation ($input: SendEmailInput!) { sendEmail(input: $input) { replayed } }', {
      input: { idempotencyKey: 'one', email },
    });
    const filter = { to: 'ann@example.com', state: ['QUEUED'] };
    const createdAt = { gte: '2020-01-01T00:00:00Z' };
    // Whoever reads recipients waits until the time of a statement is over, as it does with millions of them to look through.
    await busy.query('BEGIN; LOCK TABLE recipient IN ACCESS EXCLUSIVE MODE');
    const [list, span, cancel] = await Promise.all([
      api.customer(acme.liveKey, LIST, { filter }),
      api.customer(acme.liveKey, LIST, { filter: { ...filter, createdAt } }),
      api.customer(acme.liveKey, CANCEL, { input: { filter } }),
    ]);
    await busy.query('ROLLBACK');
    for (const [answer, advice] of [
      [list, 'add createdAt'],
      [span, 'shorter span of createdAt'],
    ] as const) {
      expect(answer.errors).toEqual([
        expect.objectContaining({
          path: ['messages'],
          message: expect.stringContaining(advice) as string,
          extensions: expect.objectContaining({ code: 'QUERY_TOO_COMPLEX', field: 'filter.createdAt' }) as object,
        }),
      ]);
    }
    expect(cancel.data).toEqual({
      cancelMessages: {
        canceledCount: 0,
        userErrors: [
          {
            code: 'QUERY_TOO_COMPLEX',
            path: ['input', 'filter', 'createdAt'],
            message: expect.stringContaining('add createdAt') as string,
          },
        ],
      },
    });
    const again = await api.customer(acme.liveKey, LIST, { filter });
    expect([again.errors, (again.data as { messages?: { nodes: unknown[] } }).messages?.nodes.length]).toEqual([[], 1]);
  });
});
