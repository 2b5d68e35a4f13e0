import { SnsWebhookService, SuppressionService } from '@libs/deliverability';
import {
  authority,
  CertificateHost,
  leaf,
  signed,
  strangersKey,
  type Leaf,
} from '../../libs/deliverability/src/testing';
import { SystemClock } from '@libs/kernel';
import { SendingProcess, type AccountRow } from '../sending/sending-process';

const DAY_MS = 86_400_000;
let process: SendingProcess;
let account: AccountRow;
let webhook: SnsWebhookService;
let host: CertificateHost;
let key: Leaf;
let serial = 0;

beforeAll(async () => {
  const yesterday = new SystemClock().nowMs() - DAY_MS;
  const ca = await authority('Simulator CA', yesterday);
  key = await leaf(ca, { fromMs: yesterday });
  host = await CertificateHost.open(key.pem);
  process = await SendingProcess.start({ simulator: { origin: host.origin, caPem: ca.pem } });
  webhook = process.api.get(SnsWebhookService);
  account = await process.account();
});
afterAll(async () => {
  await process.close();
  await host.close();
});

function delivery(over: Record<string, string> = {}, privateKey = key.privateKeyPem) {
  serial += 1;
  return signed(
    {
      Type: 'Notification',
      MessageId: `m-${String(serial)}`,
      TopicArn: account.topicArn,
      Message: '{}',
      Timestamp: new SystemClock().now().toISOString(),
      SignatureVersion: '2',
      SigningCertURL: host.url,
      ...over,
    },
    privateKey,
  );
}
const stored = () =>
  process.query<{ id: string; state: string; reason: string | null; account: string }>(
    'SELECT id, state, reason, sending_account_id AS account FROM notification ORDER BY id',
  );
const jobs = () => process.query<{ job: string; payload: object }>('SELECT job, payload FROM outbox ORDER BY id');

beforeEach(() => process.query('TRUNCATE notification, outbox'));

describe('a delivery of SNS', () => {
  it('is stored before it is answered, with the account of its topic', async () => {
    const message = delivery();
    expect(await webhook.receive(JSON.stringify(message))).toBe('stored');
    expect(await stored()).toEqual([{ id: message.MessageId, state: 'STORED', reason: null, account: account.id }]);
  });

  it('changes nothing when it comes again, also at the same time', async () => {
    const body = JSON.stringify(delivery());
    const answers = await Promise.all([1, 2, 3, 4, 5].map(() => webhook.receive(body)));
    expect(answers.sort()).toEqual(['duplicate', 'duplicate', 'duplicate', 'duplicate', 'stored']);
    await process.query(`UPDATE notification SET state = 'DONE'`);
    expect(await webhook.receive(body)).toBe('duplicate');
    expect((await stored())[0]?.state).toBe('DONE');
  });

  it('that confirms a subscription is handed to a job with its token, once; the address in it is never fetched', async () => {
    const Token = 'token-1';
    const body = JSON.stringify(
      delivery({ Type: 'SubscriptionConfirmation', Token, SubscribeURL: `${host.origin}/subscribe` }),
    );
    const asked = host.asked;
    expect([await webhook.receive(body), await webhook.receive(body)]).toEqual(['stored', 'duplicate']);
    expect(await jobs()).toEqual([
      {
        job: 'fleet.confirm-subscription',
        payload: { sendingAccountId: account.id, topicArn: account.topicArn, token: Token },
      },
    ]);
    expect((await stored())[0]?.state).toBe('DONE');
    expect(host.asked - asked).toBe(0);
  });

  it('signed long ago is kept and flagged', async () => {
    await webhook.receive(JSON.stringify(delivery({ Timestamp: '2020-01-01T00:00:00.000Z' })));
    expect((await stored())[0]?.reason).toMatch('more than an hour');
  });

  it.each<[string, () => string, string]>([
    ['signed by somebody else', () => JSON.stringify(delivery({}, strangersKey())), 'signature'],
    ['changed on its way', () => JSON.stringify({ ...delivery(), Message: '{"a":1}' }), 'signature'],
    ['for a topic of nobody', () => JSON.stringify(delivery({ TopicArn: `${account.topicArn}-2` })), 'foreign-topic'],
    ['for a topic that no database can read', () => JSON.stringify(delivery({ TopicArn: 'arn\0' })), 'foreign-topic'],
    [
      'with a certificate from elsewhere',
      () => JSON.stringify(delivery({ SigningCertURL: `${host.origin}/x.pem` })),
      'certificate-address',
    ],
    ['that is no JSON', () => 'hello', 'unreadable'],
    ['that is no message', () => '{"Type":"Notification"}', 'unreadable'],
    ['over 256 kB', () => JSON.stringify(delivery({ Message: 'x'.repeat(256 * 1024) })), 'too-large'],
  ])('is refused and not stored: %s', async (_what, body, reason) => {
    await expect(webhook.receive(body())).rejects.toMatchObject({ name: 'SnsForged', reason });
    expect(await stored()).toEqual([]);
    expect(await jobs()).toEqual([]);
  });
});

describe('suppressed addresses', () => {
  const by = { actor: 'key:test' };

  it('are added once, found in any spelling, listed newest first and by page', async () => {
    const tenant = await process.tenant(account);
    const service = process.api.get(SuppressionService);
    expect(await service.suppress(tenant, ['a@example.com', 'A@example.com', 'b@example.com'], by)).toBe(2);
    expect(await service.suppress(tenant, ['a@example.com', 'c@example.com'], by, 'asked by phone')).toBe(1);
    const first = await service.list(tenant, { limit: 2 });
    expect([first.rows.map((row) => row.address), first.hasNext]).toEqual([['c@example.com', 'b@example.com'], true]);
    const rest = await service.list(tenant, { limit: 2, after: first.rows[1]?.id ?? '' });
    expect([rest.rows.map((row) => row.address), rest.hasNext, rest.hasPrevious]).toEqual([
      ['a@example.com'],
      false,
      true,
    ]);
    const back = await service.list(tenant, { limit: 2, before: rest.rows[0]?.id ?? '' });
    expect(back.rows).toEqual(first.rows);
    expect((await service.list(tenant, { limit: 9 }, { reason: 'asked by phone' })).rows).toHaveLength(1);
    expect((await service.list(tenant, { limit: 9 }, { address: 'B@example.com' })).rows).toHaveLength(1);
  });

  it('that are none are all named, and nothing is added', async () => {
    const tenant = await process.tenant(account);
    const service = process.api.get(SuppressionService);
    await expect(service.suppress(tenant, ['a@example.com', 'x', 'y'], by)).rejects.toMatchObject({
      issues: [{ path: ['addresses', '1'] }, { path: ['addresses', '2'] }],
    });
    expect((await service.list(tenant, { limit: 5 })).rows).toEqual([]);
  });

  it('of another tenant are not found', async () => {
    const [mine, theirs] = [await process.tenant(account), await process.tenant(account)];
    const service = process.api.get(SuppressionService);
    await service.suppress(theirs, ['a@example.com'], by);
    const [entry] = (await service.list(theirs, { limit: 1 })).rows;
    await expect(service.get(mine, entry?.id ?? '')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect((await service.list(mine, { limit: 5 })).rows).toEqual([]);
  });
});
