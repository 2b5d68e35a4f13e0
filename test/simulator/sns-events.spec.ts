import { createVerify, X509Certificate } from 'node:crypto';
import { PutSuppressedDestinationCommand } from '@aws-sdk/client-sesv2';
import {
  CreateTopicCommand,
  GetTopicAttributesCommand,
  ListSubscriptionsByTopicCommand,
  PublishCommand,
  SetTopicAttributesCommand,
  SubscribeCommand,
  UnsubscribeCommand,
  ConfirmSubscriptionCommand,
} from '@aws-sdk/client-sns';
import { waitFor } from '../support/wait-for';
import { ACCOUNT, mailTo, refusal, REGION, SimulatedFleet, type Posted } from './simulated-fleet';

/** Verified from the facts alone, with nothing of the simulator's own code. */
async function verified({ body }: Posted, caPem: string): Promise<boolean> {
  const keys =
    body['Type'] === 'Notification'
      ? ['Message', 'MessageId', 'Subject', 'Timestamp', 'TopicArn', 'Type']
      : ['Message', 'MessageId', 'SubscribeURL', 'Timestamp', 'Token', 'TopicArn', 'Type'];
  const text = keys
    .filter((key) => body[key] !== undefined)
    .map((key) => `${key}\n${String(body[key])}\n`)
    .join('');
  const certificate = new X509Certificate(await (await fetch(String(body['SigningCertURL']))).text());
  if (!certificate.verify(new X509Certificate(caPem).publicKey))
    throw new Error('the certificate is not of the authority');
  const algorithm = body['SignatureVersion'] === '2' ? 'RSA-SHA256' : 'RSA-SHA1';
  return createVerify(algorithm)
    .update(text, 'utf8')
    .verify(certificate.publicKey, String(body['Signature']), 'base64');
}

describe('SNS of the simulator', () => {
  let fleet: SimulatedFleet;
  beforeEach(async () => {
    fleet = await SimulatedFleet.start();
    await fleet.verifiedDomain();
  });
  afterEach(() => fleet.close());

  it.each(['1', '2'] as const)(
    'signs with version %s what node:crypto verifies up to the authority',
    async (version) => {
      const { webhook } = await fleet.withEvents(version);
      await fleet.ses().send(mailTo('bob@example.com', { ConfigurationSetName: 'pf-events' }));
      await webhook.event('Delivery');
      expect(webhook.posted.map((one) => one.body['Type'])).toEqual([
        'SubscriptionConfirmation',
        'Notification',
        'Notification',
      ]);
      for (const posted of webhook.posted) {
        expect(posted.body['SigningCertURL']).toMatch(
          new RegExp(`^${fleet.simulator.endpoint}/SimpleNotificationService-[0-9a-f]{32}\\.pem$`),
        );
        expect(posted.body['SignatureVersion']).toBe(version);
        await expect(verified(posted, fleet.simulator.caPem)).resolves.toBe(true);
        const forged = { ...posted, body: { ...posted.body, Message: 'forged' } };
        await expect(verified(forged, fleet.simulator.caPem)).resolves.toBe(false);
        expect(posted.headers).toMatchObject({
          'content-type': 'text/plain; charset=UTF-8',
          'x-amz-sns-message-type': posted.body['Type'],
          'x-amz-sns-message-id': posted.body['MessageId'],
          'x-amz-sns-topic-arn': posted.body['TopicArn'],
        });
      }
    },
  );

  it('keeps a subscription pending until its token comes back, and removes it with a signed confirmation', async () => {
    const sns = fleet.sns();
    const webhook = await fleet.webhook();
    const { TopicArn: topicArn } = await sns.send(new CreateTopicCommand({ Name: 'postfleet-a' }));
    await expect(sns.send(new CreateTopicCommand({ Name: 'postfleet-a' }))).resolves.toMatchObject({
      TopicArn: topicArn,
    });
    const pending = await sns.send(
      new SubscribeCommand({ TopicArn: topicArn!, Protocol: 'http', Endpoint: webhook.url }),
    );
    expect(pending.SubscriptionArn).toBe('pending confirmation');
    await sns.send(new PublishCommand({ TopicArn: topicArn!, Message: 'too early' }));
    const confirmation = await webhook.next((one) => one.body['Type'] === 'SubscriptionConfirmation');
    const list = async (): Promise<(string | undefined)[]> =>
      ((await sns.send(new ListSubscriptionsByTopicCommand({ TopicArn: topicArn! }))).Subscriptions ?? []).map(
        (one) => one.SubscriptionArn,
      );
    await expect(list()).resolves.toEqual(['PendingConfirmation']);
    await expect(
      refusal(sns.send(new ConfirmSubscriptionCommand({ TopicArn: topicArn!, Token: 'guess' }))),
    ).resolves.toMatchObject({ status: 400 });
    const { SubscriptionArn: arn } = await sns.send(
      new ConfirmSubscriptionCommand({
        TopicArn: topicArn!,
        Token: String(confirmation.body['Token']),
        AuthenticateOnUnsubscribe: 'true',
      }),
    );
    await expect(list()).resolves.toEqual([arn]);
    await sns.send(new PublishCommand({ TopicArn: topicArn!, Message: 'héllo "you"\n', Subject: 'On time' }));
    const posted = await webhook.next((one) => one.body['Type'] === 'Notification');
    expect(posted.body).toMatchObject({ Message: 'héllo "you"\n', Subject: 'On time' });
    await expect(verified(posted, fleet.simulator.caPem)).resolves.toBe(true);
    const unsigned = await fetch(String(posted.body['UnsubscribeURL']));
    expect(unsigned.status).toBe(403);
    await sns.send(new UnsubscribeCommand({ SubscriptionArn: arn! }));
    const bye = await webhook.next((one) => one.body['Type'] === 'UnsubscribeConfirmation');
    await expect(verified(bye, fleet.simulator.caPem)).resolves.toBe(true);
    await expect(list()).resolves.toEqual([]);
  });

  it('refuses foreign, missing and FIFO topics, other protocols and raw delivery', async () => {
    const sns = fleet.sns();
    const { TopicArn: own } = await sns.send(new CreateTopicCommand({ Name: 'postfleet-b' }));
    const subscribe = (TopicArn: string, Protocol = 'https', Endpoint = 'https://a.example/'): Promise<unknown> =>
      sns.send(new SubscribeCommand({ TopicArn, Protocol, Endpoint }));
    await expect(refusal(subscribe(`arn:aws:sns:${REGION}:${ACCOUNT}:none`))).resolves.toMatchObject({
      name: expect.stringContaining('NotFound') as string,
      status: 404,
    });
    await expect(refusal(subscribe(own!, 'sms'))).resolves.toMatchObject({
      name: expect.stringContaining('InvalidParameter') as string,
    });
    await expect(refusal(subscribe(own!, 'https', 'http://a.example/'))).resolves.toMatchObject({ status: 400 });
    await expect(
      refusal(sns.send(new CreateTopicCommand({ Name: 'a.fifo', Attributes: { FifoTopic: 'true' } }))),
    ).resolves.toMatchObject({ status: 400 });
    await expect(
      refusal(
        sns.send(
          new SetTopicAttributesCommand({ TopicArn: own!, AttributeName: 'SignatureVersion', AttributeValue: '3' }),
        ),
      ),
    ).resolves.toMatchObject({ status: 400 });
    await sns.send(
      new SetTopicAttributesCommand({ TopicArn: own!, AttributeName: 'SignatureVersion', AttributeValue: '2' }),
    );
    expect((await sns.send(new GetTopicAttributesCommand({ TopicArn: own! }))).Attributes).toMatchObject({
      SignatureVersion: '2',
      Owner: ACCOUNT,
    });
    const session = await fleet.assume();
    await expect(refusal(fleet.sns(session).send(new CreateTopicCommand({ Name: 'x' })))).resolves.toMatchObject({
      name: expect.stringContaining('AuthorizationError') as string,
      status: 403,
    });
  });

  it('retries what failed with 5xx under the same MessageId, and takes 4xx as handled', async () => {
    const { webhook } = await fleet.withEvents('1', (count) => (count === 2 ? 503 : count === 4 ? 404 : 200));
    await fleet.ses().send(mailTo('bob@example.com', { ConfigurationSetName: 'pf-events' }));
    await webhook.next((one) => one.body['Type'] === 'Notification');
    const isSettled = async (): Promise<boolean> => {
      const { deliveries, events } = await fleet.admin.summary();
      return deliveries.pending + events.waiting === 0;
    };
    await waitFor(isSettled, { what: 'all of it to be delivered' });
    const ids = webhook.posted.slice(1).map((one) => one.body['MessageId']);
    expect(ids).toHaveLength(3);
    expect(new Set(ids).size).toBe(2);
    expect((await fleet.admin.summary()).deliveries).toMatchObject({ retried: 1, refused: 1, dropped: 0 });
  });
});

describe('SES events', () => {
  let fleet: SimulatedFleet;
  beforeEach(async () => {
    fleet = await SimulatedFleet.start();
    await fleet.verifiedDomain();
  });
  afterEach(() => fleet.close());

  it('tell the fate of mailbox and test-mode addresses, with tags as arrays', async () => {
    const { webhook } = await fleet.withEvents();
    const ses = fleet.ses();
    const send = (to: string): Promise<unknown> =>
      ses.send(
        mailTo(to, {
          ConfigurationSetName: 'pf-events',
          EmailTags: [
            { Name: 'message', Value: 'm-1' },
            { Name: 'attempt', Value: 'a-1' },
          ],
        }),
      );
    for (const to of ['success', 'bounce', 'complaint', 'suppressionlist'])
      await send(`${to}+x@simulator.amazonses.com`);
    for (const to of ['delivered', 'bounced', 'complained', 'suppressed', 'delayed'])
      await send(`${to}+y@postfleet.test`);
    const delivered = await webhook.event('Delivery', 'success+x@simulator.amazonses.com');
    expect(delivered.mail).toMatchObject({
      sendingAccountId: ACCOUNT,
      sourceArn: `arn:aws:ses:${REGION}:${ACCOUNT}:identity/tenant.example`,
    });
    expect(delivered.mail.tags).toMatchObject({
      message: ['m-1'],
      attempt: ['a-1'],
      'ses:configuration-set': ['pf-events'],
      'ses:from-domain': ['tenant.example'],
      'ses:caller-identity': ['owner'],
    });
    expect(delivered.mail.tags['ses:outgoing-ip']).toHaveLength(1);
    expect((await webhook.event('Bounce', 'bounce+x@simulator.amazonses.com')).bounce).toMatchObject({
      bounceType: 'Permanent',
      bounceSubType: 'General',
    });
    expect((await webhook.event('Bounce', 'suppressionlist+x@simulator.amazonses.com')).bounce).toMatchObject({
      bounceSubType: 'Suppressed',
    });
    expect((await webhook.event('Bounce', 'suppressed+y@postfleet.test')).bounce).toMatchObject({
      bounceSubType: 'OnAccountSuppressionList',
    });
    await webhook.event('Bounce', 'bounced+y@postfleet.test');
    for (const to of ['complaint+x@simulator.amazonses.com', 'complained+y@postfleet.test']) {
      await webhook.event('Delivery', to);
      expect((await webhook.event('Complaint', to)).complaint).toMatchObject({ complaintFeedbackType: 'abuse' });
    }
    await webhook.event('DeliveryDelay', 'delayed+y@postfleet.test');
    await webhook.event('Delivery', 'delayed+y@postfleet.test');
    expect(webhook.events.filter((one) => one.eventType === 'Send')).toHaveLength(9);
    for (const event of webhook.events.filter((one) => one.eventType === 'Send'))
      expect(event.mail.tags['ses:outgoing-ip']).toBeUndefined();
  });

  it('bounce what is on the account suppression list, though it was accepted and counted', async () => {
    const { webhook } = await fleet.withEvents();
    const ses = fleet.ses();
    await ses.send(new PutSuppressedDestinationCommand({ EmailAddress: 'gone@example.com', Reason: 'BOUNCE' }));
    await ses.send(mailTo('gone@example.com', { ConfigurationSetName: 'pf-events' }));
    expect((await webhook.event('Bounce')).bounce).toMatchObject({
      bounceType: 'Permanent',
      bounceSubType: 'OnAccountSuppressionList',
    });
    expect((await fleet.admin.meters())[0]?.meter.acceptedRecipients).toBe(1);
  });

  it('follow the behaviour of the recipient domain; a hard bounce goes on the suppression list by itself', async () => {
    const { webhook } = await fleet.withEvents();
    const ses = fleet.ses();
    const send = (to: string): Promise<unknown> => ses.send(mailTo(to, { ConfigurationSetName: 'pf-events' }));
    await fleet.admin.putDomain('bouncy.example', { bounceRate: 1, delayMs: 1 });
    await fleet.admin.putDomain('full.example', { softBounceRate: 1, delayMs: 1 });
    await fleet.admin.putDomain('angry.example', { complaintRate: 1, delayMs: 1 });
    await fleet.admin.putDomain('virus.example', { rejectRate: 1, delayMs: 1 });
    for (const domain of ['bouncy', 'full', 'angry', 'virus']) await send(`a@${domain}.example`);
    expect((await webhook.event('Bounce', 'a@bouncy.example')).bounce).toMatchObject({ bounceSubType: 'General' });
    expect((await webhook.event('Bounce', 'a@full.example')).bounce).toMatchObject({ bounceType: 'Transient' });
    await webhook.event('Complaint', 'a@angry.example');
    await webhook.event('Reject', 'a@virus.example');
    await fleet.admin.putDomain('bouncy.example', { bounceRate: 0 });
    await send('a@bouncy.example');
    await webhook.next((one) => String(one.body['Message']).includes('OnAccountSuppressionList'));
  });

  it('can be held, dropped and doubled on demand', async () => {
    const { webhook } = await fleet.withEvents();
    const send = (): Promise<unknown> =>
      fleet.ses().send(mailTo('bob@example.com', { ConfigurationSetName: 'pf-events' }));
    await fleet.admin.setEventFaults({ hold: true });
    await send();
    await waitFor(async () => (await fleet.admin.summary()).events.held === 2, { what: 'both events to be held' });
    expect(webhook.events).toHaveLength(0);
    await fleet.admin.setEventFaults({ hold: false });
    await webhook.next(() => webhook.events.length === 2);
    await fleet.admin.setEventFaults({ duplicateRate: 1 });
    await send();
    await webhook.next(() => webhook.events.length === 6);
    const ids = webhook.posted.slice(-4).map((one) => one.body['MessageId']);
    expect(new Set(ids).size).toBe(2);
    await fleet.admin.setEventFaults({ duplicateRate: 0, dropRate: 1 });
    await send();
    const dropped = async () => (await fleet.admin.summary()).events.published['dropped'] === 2;
    await waitFor(dropped, { what: 'both events to be dropped' });
    expect(webhook.events).toHaveLength(6);
  });

  it('do not leave when the topic’s policy does not let SES publish', async () => {
    const { webhook, topicArn } = await fleet.withEvents();
    const policy = JSON.stringify({
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Principal: { Service: 'ses.amazonaws.com' },
          Action: 'sns:Publish',
          Resource: topicArn,
          Condition: { StringEquals: { 'AWS:SourceAccount': '000000000000' } },
        },
      ],
    });
    await fleet
      .sns()
      .send(new SetTopicAttributesCommand({ TopicArn: topicArn, AttributeName: 'Policy', AttributeValue: policy }));
    await fleet.ses().send(mailTo('bob@example.com', { ConfigurationSetName: 'pf-events' }));
    const refused = async () => (await fleet.admin.summary()).events.refusedByTopic === 2;
    await waitFor(refused, { what: 'the topic to refuse both events' });
    expect(webhook.events).toHaveLength(0);
  });
});
