import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  ConfirmSubscriptionCommand,
  CreateTopicCommand,
  ListSubscriptionsByTopicCommand,
  PublishCommand,
  SetTopicAttributesCommand,
  SubscribeCommand,
  type SNSClient,
} from '@aws-sdk/client-sns';
import { newId } from '@libs/kernel';
import { signed, strangersKey } from '../../libs/deliverability/src/testing';
import { startApi, type ApiUnderTest } from '../api/api-under-test';
import { ACCOUNT, REGION, realTime, SimulatedFleet } from '../simulator/simulated-fleet';
import { waitFor } from '../support/wait-for';

const TOPIC = `arn:aws:sns:${REGION}:${ACCOUNT}:postfleet-events`;

describe('SNS at the webhook of the running api', () => {
  let fleet: SimulatedFleet;
  let api: ApiUnderTest;
  let sns: SNSClient;
  let folder: string;

  beforeAll(async () => {
    fleet = await SimulatedFleet.start({ snsRetryDelaysMs: Array.from({ length: 40 }, () => 100) });
    folder = mkdtempSync(path.join(tmpdir(), 'pf-ca-'));
    writeFileSync(path.join(folder, 'ca.pem'), fleet.simulator.caPem);
    api = await startApi({
      environment: {
        SNS_TRUSTED_SIMULATOR_ORIGIN: fleet.simulator.endpoint,
        SNS_TRUSTED_SIMULATOR_CA_FILE: path.join(folder, 'ca.pem'),
      },
    });
    const aws = newId();
    await api.sql(
      `INSERT INTO aws_account (id, account_id, name, tier, mode, regions, external_id, send_role_arn, manage_role_arn, state, created_at)
       VALUES ($1, $2, 'A', 'growth', 'LIVE', '{us-east-1}', 'x', 'arn', 'arn', 'ACTIVE', now())`,
      [aws, ACCOUNT],
    );
    await api.sql(
      `INSERT INTO sending_account (id, aws_account_id, region, tier, mode, state, max_24_hour_send, max_send_rate, topic_arn, created_at)
       VALUES ($1, $2, $3, 'growth', 'LIVE', 'PRODUCTION', 50000, 14, $4, now())`,
      [newId(), aws, REGION, TOPIC],
    );
    sns = fleet.sns();
    await sns.send(new CreateTopicCommand({ Name: 'postfleet-events' }));
    await subscribe();
    await sns.send(new ConfirmSubscriptionCommand({ TopicArn: TOPIC, Token: (await confirmations())[0]?.token }));
  }, 90_000);
  afterAll(async () => {
    await api.close();
    await fleet.close();
    rmSync(folder, { recursive: true });
  });

  const subscribe = () =>
    sns.send(new SubscribeCommand({ TopicArn: TOPIC, Protocol: 'http', Endpoint: `${api.url}/webhooks/sns` }));
  const confirmations = () =>
    waitFor(
      async () => {
        const rows = await api.sql<{ token: string }>(
          `SELECT payload ->> 'token' AS token FROM outbox WHERE job = 'fleet.confirm-subscription'`,
        );
        return rows.length > 0 && rows;
      },
      { what: 'the confirmation to be handed to a job' },
    );
  const stored = () =>
    api.sql<{ id: string; type: string; body: string }>(
      'SELECT id, type, body FROM notification ORDER BY received_at, id',
    );
  const post = (body: string) =>
    api.post('/webhooks/sns', { headers: { 'content-type': 'text/plain; charset=UTF-8' }, body });
  const publish = async (text: string, version: '1' | '2') => {
    await sns.send(
      new SetTopicAttributesCommand({ TopicArn: TOPIC, AttributeName: 'SignatureVersion', AttributeValue: version }),
    );
    const { MessageId: id } = await sns.send(
      new PublishCommand({ TopicArn: TOPIC, Message: text, Subject: 'Ünïcode ✓' }),
    );
    return id;
  };
  const arrived = (id: string | undefined) =>
    waitFor(async () => (await stored()).find((one) => one.id === id), { what: 'the notification' });

  it('confirms once, and a confirmation that is delivered again does no harm', async () => {
    const [confirmation] = await stored();
    expect(confirmation?.type).toBe('SubscriptionConfirmation');
    expect(await post(confirmation?.body ?? '')).toMatchObject({ status: 200 });
    expect(await confirmations()).toHaveLength(1);
    const { Subscriptions: all } = await sns.send(new ListSubscriptionsByTopicCommand({ TopicArn: TOPIC }));
    expect(all?.map((one) => one.SubscriptionArn?.startsWith(TOPIC))).toEqual([true]);
  });

  it.each(['1', '2'] as const)('takes a message signed by version %s, once however often it comes', async (version) => {
    const { body } = await arrived(await publish('{"a":"\\u0000 ✓"}', version));
    expect(body).toContain(`"SignatureVersion":"${version}"`);
    const before = await stored();
    const again = await Promise.all([post(body), post(body), post(body)]);
    expect(again.map((answer) => [answer.status, answer.text])).toEqual(
      Array.from({ length: 3 }, () => [200, '{"result":"duplicate"}']),
    );
    expect(await stored()).toEqual(before);
  });

  it.each(['1', '2'] as const)('answers 403 to whatever was touched of one signed by version %s', async (version) => {
    const { body } = await arrived(await publish('{"a":1}', version));
    const before = await stored();
    const genuine = JSON.parse(body) as Record<string, string>;
    const other = version === '1' ? '2' : '1';
    const certificate = '/SimpleNotificationService-00000000000000000000000000000000.pem';
    const forgeries = [
      { Message: '{"a":2}' },
      { MessageId: 'another' },
      { Timestamp: realTime.now().toISOString() },
      { Subject: 'another' },
      { SignatureVersion: other },
      { Signature: `${genuine['Signature']?.slice(0, -4) ?? ''}AAA=` },
      { TopicArn: `${TOPIC}-other` },
      { TopicArn: TOPIC.replace(ACCOUNT, '222233334444') },
      { TopicArn: 'arn:\0' },
      { SigningCertURL: `https://sns.us-east-1.amazonaws.com.evil.example${certificate}` },
      { SigningCertURL: `http://sns.us-east-1.amazonaws.com${certificate}` },
      { SigningCertURL: `${fleet.simulator.endpoint}@evil.example${certificate}` },
      { SigningCertURL: `${fleet.simulator.endpoint}${certificate}` },
    ];
    for (const change of forgeries) {
      const answer = await post(JSON.stringify({ ...genuine, ...change }));
      expect([change, answer.status]).toEqual([change, 403]);
    }
    const fresh = { ...genuine, Type: 'Notification' as const, MessageId: 'm-x', SignatureVersion: version };
    const byStranger = signed(fresh as never, strangersKey());
    expect((await post(JSON.stringify(byStranger))).status).toBe(403);
    expect(await stored()).toEqual(before);
  });

  it('answers 5xx while the database cannot store, and SNS brings the message again', async () => {
    await api.sql('ALTER TABLE notification RENAME TO notification_canary');
    let id: string | undefined;
    try {
      id = await publish('{"late":true}', '2');
      await waitFor(async () => (await fleet.admin.summary()).deliveries.retried > 1, { what: 'SNS to try again' });
    } finally {
      await api.sql('ALTER TABLE notification_canary RENAME TO notification');
    }
    await arrived(id);
    expect((await fleet.admin.summary()).deliveries).toMatchObject({ refused: 0, dropped: 0 });
  });
});
