import { execFile, execFileSync } from 'node:child_process';
import { GetAccountCommand, CreateConfigurationSetCommand } from '@aws-sdk/client-sesv2';
import { CreateTopicCommand, SubscribeCommand } from '@aws-sdk/client-sns';
import {
  ACCOUNT,
  EXTERNAL_ID,
  HUB_USER,
  mailTo,
  OWNER,
  refusal,
  REGION,
  ROLE,
  SimulatedFleet,
  type Credentials,
} from './simulated-fleet';

interface Outcome {
  readonly status: number;
  readonly json: Record<string, unknown>;
  readonly error: string;
}

function cliIsThere(): boolean {
  try {
    execFileSync('aws', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** One call of the AWS CLI, with nothing of this machine's own AWS configuration. */
function aws(fleet: SimulatedFleet, credentials: Credentials, args: string[]): Promise<Outcome> {
  const settings = {
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    AWS_MAX_ATTEMPTS: '1',
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    ...(credentials.sessionToken === undefined ? {} : { AWS_SESSION_TOKEN: credentials.sessionToken }),
  };
  const environment = Object.entries(settings).map(([name, value]) => `${name}=${value}`);
  const cleared = ['AWS_PROFILE', 'AWS_SESSION_TOKEN', 'AWS_ENDPOINT_URL'].flatMap((name) => ['-u', name]);
  const all = [
    ...cleared,
    ...environment,
    'aws',
    ...args,
    '--endpoint-url',
    fleet.simulator.endpoint,
    '--region',
    REGION,
    '--output',
    'json',
  ];
  return new Promise((resolve) => {
    execFile('env', all, (error, stdout, stderr) => {
      resolve({
        status: error === null ? 0 : 1,
        json: stdout.trim() === '' ? {} : (JSON.parse(stdout) as Record<string, unknown>),
        error: stderr,
      });
    });
  });
}

/** The same calls by the CLI where it is installed, and by the SDK where it is not: the checks are the same. */
interface Client {
  assumeRole(externalId: string): Promise<Outcome>;
  getAccount(credentials: Credentials): Promise<Outcome>;
  send(credentials: Credentials, from: string): Promise<Outcome>;
  createConfigurationSet(): Promise<Outcome>;
  createTopic(): Promise<Outcome>;
  subscribe(topicArn: string, endpoint: string): Promise<Outcome>;
}

function cliClient(fleet: SimulatedFleet): Client {
  return {
    assumeRole: (externalId) =>
      aws(fleet, HUB_USER, [
        'sts',
        'assume-role',
        '--role-arn',
        ROLE,
        '--role-session-name',
        'pf-cli',
        '--external-id',
        externalId,
      ]),
    getAccount: (credentials) => aws(fleet, credentials, ['sesv2', 'get-account']),
    send: (credentials, from) =>
      aws(fleet, credentials, [
        'sesv2',
        'send-email',
        '--from-email-address',
        from,
        '--destination',
        'ToAddresses=bob@example.com',
        '--content',
        JSON.stringify({ Simple: { Subject: { Data: 'Hi' }, Body: { Text: { Data: 'Hi' } } } }),
      ]),
    createConfigurationSet: () =>
      aws(fleet, OWNER, ['sesv2', 'create-configuration-set', '--configuration-set-name', 'pf-cli']),
    createTopic: () => aws(fleet, OWNER, ['sns', 'create-topic', '--name', 'postfleet-cli']),
    subscribe: (topicArn, endpoint) =>
      aws(fleet, OWNER, [
        'sns',
        'subscribe',
        '--topic-arn',
        topicArn,
        '--protocol',
        'http',
        '--notification-endpoint',
        endpoint,
      ]),
  };
}

function sdkClient(fleet: SimulatedFleet): Client {
  const outcome = async (call: Promise<object>): Promise<Outcome> => {
    try {
      return { status: 0, json: (await call) as Record<string, unknown>, error: '' };
    } catch {
      const { name, message } = await refusal(call);
      return { status: 1, json: {}, error: `An error occurred (${name}): ${message}` };
    }
  };
  return {
    assumeRole: (ExternalId) =>
      outcome(
        fleet.assume({ ExternalId }).then((given) => ({
          Credentials: {
            AccessKeyId: given.accessKeyId,
            SecretAccessKey: given.secretAccessKey,
            SessionToken: given.sessionToken,
          },
        })),
      ),
    getAccount: (credentials) => outcome(fleet.ses(credentials).send(new GetAccountCommand({}))),
    send: (credentials, from) =>
      outcome(fleet.ses(credentials).send(mailTo('bob@example.com', { FromEmailAddress: from }))),
    createConfigurationSet: () =>
      outcome(fleet.ses().send(new CreateConfigurationSetCommand({ ConfigurationSetName: 'pf-cli' }))),
    createTopic: () => outcome(fleet.sns().send(new CreateTopicCommand({ Name: 'postfleet-cli' }))),
    subscribe: (TopicArn, Endpoint) =>
      outcome(fleet.sns().send(new SubscribeCommand({ TopicArn, Protocol: 'http', Endpoint }))),
  };
}

describe('the simulator, used through the AWS CLI', () => {
  let fleet: SimulatedFleet;
  let client: Client;
  beforeAll(async () => {
    fleet = await SimulatedFleet.start();
    await fleet.verifiedDomain();
    client = cliIsThere() ? cliClient(fleet) : sdkClient(fleet);
  });
  afterAll(() => fleet.close());

  it('assumes the role and sends with its session', async () => {
    const assumed = await client.assumeRole(EXTERNAL_ID);
    expect(assumed.error).toBe('');
    const given = assumed.json['Credentials'] as Record<string, string>;
    const session = {
      accessKeyId: given['AccessKeyId']!,
      secretAccessKey: given['SecretAccessKey']!,
      sessionToken: given['SessionToken']!,
    };
    const sent = await client.send(session, 'ann@tenant.example');
    expect(sent).toMatchObject({ status: 0, json: { MessageId: expect.any(String) as string } });
    expect((await client.getAccount(session)).error).toContain('AccessDeniedException');
  });

  it('reads the account and makes a configuration set, once', async () => {
    expect((await client.getAccount(OWNER)).json).toMatchObject({
      ProductionAccessEnabled: true,
      EnforcementStatus: 'HEALTHY',
      SendQuota: { Max24HourSend: 1000, MaxSendRate: 500 },
    });
    expect(await client.createConfigurationSet()).toMatchObject({ status: 0 });
    expect((await client.createConfigurationSet()).error).toContain('AlreadyExistsException');
  });

  it('subscribes to a topic, pending until confirmed', async () => {
    const { json } = await client.createTopic();
    const webhook = await fleet.webhook();
    const subscribed = await client.subscribe(String(json['TopicArn']), webhook.url);
    expect(subscribed.json).toMatchObject({ SubscriptionArn: 'pending confirmation' });
    const { body } = await webhook.next((one) => one.body['Type'] === 'SubscriptionConfirmation');
    expect(body['TopicArn']).toBe(`arn:aws:sns:${REGION}:${ACCOUNT}:postfleet-cli`);
  });

  it('sees a wrong external id, an unverified sender and a spent quota refused by AWS’s own names', async () => {
    expect((await client.assumeRole('wrong-id')).error).toContain('(AccessDenied)');
    const unverified = await client.send(OWNER, 'ann@stranger.example');
    expect(unverified.error).toContain('(MessageRejected)');
    expect(unverified.error).toContain(
      'Email address is not verified. The following identities failed the check in region US-EAST-1: ann@stranger.example',
    );
    await fleet.admin.putAccount(ACCOUNT, { regions: { [REGION]: { max24HourSend: 0 } } });
    const spent = await client.send(OWNER, 'ann@tenant.example');
    expect(spent.error).toContain('(TooManyRequestsException)');
    expect(spent.error).toContain('Daily message quota exceeded.');
  });
});
