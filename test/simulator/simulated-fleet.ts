import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  CreateConfigurationSetCommand,
  CreateConfigurationSetEventDestinationCommand,
  CreateEmailIdentityCommand,
  SendEmailCommand,
  SESv2Client,
  type SendEmailCommandInput,
} from '@aws-sdk/client-sesv2';
import { CreateTopicCommand, SetTopicAttributesCommand, SNSClient, SubscribeCommand } from '@aws-sdk/client-sns';
import { AssumeRoleCommand, STSClient, type AssumeRoleCommandInput } from '@aws-sdk/client-sts';
import { SystemClock } from '@libs/kernel';
import {
  SimulatorAdminClient,
  startSimulator,
  type RunningSimulator,
  type SimulatorOptions,
} from '../../apps/simulator/src';

export const realTime = new SystemClock();
export const HUB = '999900001111';
export const ACCOUNT = '111122223333';
export const REGION = 'us-east-1';
export const EXTERNAL_ID = 'b3c2f5f0-6a52-4f5e-8a0a-3a4e6f2f9d10';
export const ROLE = `arn:aws:iam::${ACCOUNT}:role/postfleet/fleet-send`;
export const HUB_USER = {
  accessKeyId: 'AKIAHUBUSER000000001',
  secretAccessKey: 'hub-secret-hub-secret-hub-secret-0001',
};
export const OWNER = { accessKeyId: 'AKIAOWNER00000000001', secretAccessKey: 'own-secret-own-secret-own-secret-0001' };

export interface Credentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
}

/** A simulator with a hub account, one fleet account with production access, and clients that retry nothing. */
export class SimulatedFleet {
  private readonly closers: (() => Promise<void> | void)[] = [];

  private constructor(
    readonly simulator: RunningSimulator,
    readonly admin: SimulatorAdminClient,
  ) {}

  static async start(options: SimulatorOptions = {}): Promise<SimulatedFleet> {
    const simulator = await startSimulator({
      eventDelayMs: 5,
      verifyDelayMs: 0,
      snsRetryDelaysMs: [10, 10, 10],
      ...options,
    });
    const fleet = new SimulatedFleet(simulator, new SimulatorAdminClient(simulator.adminUrl));
    await fleet.admin.putAccount(HUB, { users: [{ ...HUB_USER, userName: 'postfleet-hub', policy: hubPolicy() }] });
    await fleet.admin.putAccount(ACCOUNT, {
      alias: 'growth',
      users: [{ ...OWNER, userName: 'owner', admin: true }],
      regions: { [REGION]: { max24HourSend: 1000, maxSendRate: 500, productionAccess: true } },
      roles: [{ arn: ROLE, trustPolicy: trustPolicy(), permissionPolicy: sendPermission(), maxSessionDuration: 7200 }],
    });
    return fleet;
  }

  ses(credentials: Credentials = OWNER, region = REGION): SESv2Client {
    return this.owned(new SESv2Client({ endpoint: this.simulator.endpoint, region, credentials, maxAttempts: 1 }));
  }

  sns(credentials: Credentials = OWNER): SNSClient {
    return this.owned(
      new SNSClient({ endpoint: this.simulator.endpoint, region: REGION, credentials, maxAttempts: 1 }),
    );
  }

  sts(credentials: Credentials = HUB_USER): STSClient {
    return this.owned(
      new STSClient({ endpoint: this.simulator.endpoint, region: REGION, credentials, maxAttempts: 1 }),
    );
  }

  async assume(changes: Partial<AssumeRoleCommandInput> = {}): Promise<Required<Credentials>> {
    const input = { RoleArn: ROLE, RoleSessionName: 'pf-test', ExternalId: EXTERNAL_ID, ...changes };
    const { Credentials: given } = await this.sts().send(new AssumeRoleCommand(input));
    return {
      accessKeyId: given!.AccessKeyId!,
      secretAccessKey: given!.SecretAccessKey!,
      sessionToken: given!.SessionToken!,
    };
  }

  async verifiedDomain(domain = 'tenant.example'): Promise<void> {
    await this.ses().send(new CreateEmailIdentityCommand({ EmailIdentity: domain }));
  }

  /** A configuration set whose events go to a topic that posts to a listener of this test. */
  async withEvents(
    signatureVersion: '1' | '2' = '1',
    respond?: Responder,
  ): Promise<{ webhook: Webhook; topicArn: string }> {
    const webhook = await this.webhook(respond);
    const sns = this.sns();
    const { TopicArn: topicArn } = await sns.send(new CreateTopicCommand({ Name: 'postfleet-events' }));
    const set = (AttributeName: string, AttributeValue: string): Promise<unknown> =>
      sns.send(new SetTopicAttributesCommand({ TopicArn: topicArn!, AttributeName, AttributeValue }));
    await set('SignatureVersion', signatureVersion);
    await set('Policy', sesMayPublish(topicArn!));
    await sns.send(new SubscribeCommand({ TopicArn: topicArn!, Protocol: 'http', Endpoint: webhook.url }));
    const confirmation = await webhook.next((one) => one.body['Type'] === 'SubscriptionConfirmation');
    await fetch(String(confirmation.body['SubscribeURL']));
    const ses = this.ses();
    await ses.send(new CreateConfigurationSetCommand({ ConfigurationSetName: 'pf-events' }));
    await ses.send(
      new CreateConfigurationSetEventDestinationCommand({
        ConfigurationSetName: 'pf-events',
        EventDestinationName: 'sns',
        EventDestination: {
          Enabled: true,
          MatchingEventTypes: [
            'SEND',
            'REJECT',
            'BOUNCE',
            'COMPLAINT',
            'DELIVERY',
            'DELIVERY_DELAY',
            'RENDERING_FAILURE',
          ],
          SnsDestination: { TopicArn: topicArn! },
        },
      }),
    );
    return { webhook, topicArn: topicArn! };
  }

  async webhook(respond?: Responder): Promise<Webhook> {
    const webhook = await Webhook.listen(respond);
    this.closers.push(() => webhook.close());
    return webhook;
  }

  async close(): Promise<void> {
    for (const close of this.closers.splice(0)) await close();
    await this.simulator.close();
  }

  private owned<T extends { destroy(): void }>(client: T): T {
    this.closers.push(() => {
      client.destroy();
    });
    return client;
  }
}

export interface Posted {
  readonly headers: IncomingHttpHeaders;
  readonly body: Record<string, unknown>;
}

/** Decides the HTTP status of the nth post (from 1). */
export type Responder = (count: number, posted: Posted) => number | Promise<number>;

/** An HTTP listener that remembers what SNS posted to it. */
export class Webhook {
  readonly posted: Posted[] = [];
  url = '';
  private waiters: (() => void)[] = [];

  private constructor(private readonly server: Server) {}

  static async listen(respond: Responder = () => 200): Promise<Webhook> {
    const webhook: Webhook = new Webhook(
      createServer((request, response) => {
        const chunks: Buffer[] = [];
        request.on('data', (chunk: Buffer) => chunks.push(chunk));
        request.on('end', () => {
          const posted = {
            headers: request.headers,
            body: JSON.parse(Buffer.concat(chunks).toString('utf8')) as Record<string, unknown>,
          };
          webhook.posted.push(posted);
          void Promise.resolve(respond(webhook.posted.length, posted)).then((status) =>
            response.writeHead(status).end(),
          );
          for (const wake of webhook.waiters.splice(0)) wake();
        });
      }),
    );
    await new Promise<void>((resolve) => webhook.server.listen(0, '127.0.0.1', resolve));
    webhook.url = `http://127.0.0.1:${(webhook.server.address() as AddressInfo).port}/webhooks/sns`;
    return webhook;
  }

  get events(): SesEvent[] {
    return this.posted
      .filter((one) => one.body['Type'] === 'Notification')
      .map((one) => JSON.parse(String(one.body['Message'])) as SesEvent);
  }

  async next(matches: (posted: Posted) => boolean, timeoutMs = 30_000): Promise<Posted> {
    const deadline = realTime.nowMs() + timeoutMs;
    for (;;) {
      const found = this.posted.find(matches);
      if (found !== undefined) return found;
      if (realTime.nowMs() > deadline) throw new Error(`no such post among ${this.posted.length}`);
      await Promise.race([
        new Promise<void>((resolve) => this.waiters.push(resolve)),
        new Promise((resolve) => setTimeout(resolve, 50)),
      ]);
    }
  }

  async event(type: string, recipient?: string): Promise<SesEvent> {
    const posted = await this.next((one) => {
      if (one.body['Type'] !== 'Notification') return false;
      const event = JSON.parse(String(one.body['Message'])) as SesEvent;
      return event.eventType === type && (recipient === undefined || event.mail.destination.includes(recipient));
    });
    return JSON.parse(String(posted.body['Message'])) as SesEvent;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

export interface SesEvent {
  readonly eventType: string;
  readonly mail: {
    readonly messageId: string;
    readonly destination: string[];
    readonly sendingAccountId: string;
    readonly sourceArn: string;
    readonly tags: Record<string, string[]>;
  };
  readonly bounce?: { bounceType: string; bounceSubType: string; bouncedRecipients: { emailAddress: string }[] };
  readonly complaint?: { complaintFeedbackType: string };
}

/** A SendEmail command with everything irrelevant filled in. */
export function mailTo(to: string | string[], changes: Partial<SendEmailCommandInput> = {}): SendEmailCommand {
  return new SendEmailCommand({
    FromEmailAddress: 'Ann <ann@tenant.example>',
    Destination: { ToAddresses: [to].flat() },
    Content: { Simple: { Subject: { Data: 'Hello' }, Body: { Text: { Data: 'Hello.' } } } },
    ...changes,
  });
}

/** Name, HTTP status and message of the error that a call fails with. */
export async function refusal(
  call: Promise<unknown>,
): Promise<{ name: string; status: number | undefined; message: string }> {
  try {
    await call;
  } catch (error) {
    const { name, message, $metadata } = error as Error & { $metadata?: { httpStatusCode?: number } };
    return { name, status: $metadata?.httpStatusCode, message };
  }
  throw new Error('the call was accepted');
}

function trustPolicy(externalId = EXTERNAL_ID): string {
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Principal: { AWS: `arn:aws:iam::${HUB}:user/postfleet-hub` },
        Action: ['sts:AssumeRole', 'sts:TagSession'],
        Condition: { StringEquals: { 'sts:ExternalId': externalId }, StringLike: { 'sts:RoleSessionName': 'pf-*' } },
      },
    ],
  });
}

function hubPolicy(): string {
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action: ['sts:AssumeRole'], Resource: 'arn:aws:iam::*:role/postfleet/*' }],
  });
}

function sendPermission(): string {
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Action: ['ses:SendEmail', 'ses:SendRawEmail'],
        Resource: [`arn:aws:ses:*:${ACCOUNT}:identity/*`, `arn:aws:ses:*:${ACCOUNT}:configuration-set/pf-*`],
      },
    ],
  });
}

function sesMayPublish(topicArn: string): string {
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Principal: { Service: 'ses.amazonaws.com' },
        Action: 'sns:Publish',
        Resource: topicArn,
        Condition: {
          StringEquals: { 'AWS:SourceAccount': ACCOUNT },
          StringLike: { 'AWS:SourceArn': `arn:aws:ses:*:${ACCOUNT}:configuration-set/pf-*` },
        },
      },
    ],
  });
}
