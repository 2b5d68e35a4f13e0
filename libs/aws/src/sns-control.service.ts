import {
  ConfirmSubscriptionCommand,
  CreateTopicCommand,
  SetTopicAttributesCommand,
  SNSClient,
  SubscribeCommand,
} from '@aws-sdk/client-sns';
import type { Clock } from '@libs/kernel';
import { Injectable } from '@nestjs/common';
import { AwsSettings } from './aws.settings';
import { CredentialCache } from './credential-cache.service';
import type { FleetRole } from './fleet-role';
import { credentialsFrom } from './ses-clients';
import { Transports } from './transport';

/**
 * How long SNS keeps trying to hand an event over: 100 retries within about 3,250 s. The most it allows is 100 retries and
 * 3,600 s in all (aws-facts 7.1).
 */
const DELIVERY_POLICY = JSON.stringify({
  healthyRetryPolicy: {
    minDelayTarget: 5,
    maxDelayTarget: 60,
    numRetries: 100,
    numNoDelayRetries: 0,
    numMinDelayRetries: 10,
    numMaxDelayRetries: 10,
    backoffFunction: 'linear',
  },
});

/** Topics and subscriptions, in the name of a fleet's manage role. All of it may be repeated. */
@Injectable()
export class SnsControl {
  constructor(
    private readonly settings: AwsSettings,
    private readonly transports: Transports,
    private readonly cache: CredentialCache,
    private readonly clock: Clock,
  ) {}

  for(role: FleetRole): SnsAccountControl {
    return new SnsAccountControl(
      role,
      new SNSClient({
        region: role.region,
        maxAttempts: 3,
        requestHandler: this.transports.for('control'),
        credentials: credentialsFrom(this.cache, role, this.clock),
        ...this.settings.endpointFor(role.mode),
      }),
    );
  }
}

export class SnsAccountControl {
  constructor(
    private readonly role: FleetRole,
    private readonly client: SNSClient,
  ) {}

  /** Creates the topic or finds it; answers its ARN. */
  async ensureTopic(name: string): Promise<string> {
    const { TopicArn } = await this.client.send(new CreateTopicCommand({ Name: name }));
    if (!TopicArn) throw new Error('SNS answered CreateTopic without an ARN');
    return TopicArn;
  }

  /** Lets this account's SES publish for our configuration sets, and asks for SHA-256 signatures (version 2). */
  async openTopicToSes(topicArn: string, configurationSets: string): Promise<void> {
    const policy = topicPolicy(this.role, topicArn, configurationSets);
    await this.client.send(
      new SetTopicAttributesCommand({ TopicArn: topicArn, AttributeName: 'Policy', AttributeValue: policy }),
    );
    await this.client.send(
      new SetTopicAttributesCommand({ TopicArn: topicArn, AttributeName: 'SignatureVersion', AttributeValue: '2' }),
    );
  }

  /** Subscribes the address. Answers the subscription's ARN when it is confirmed already, undefined while it waits. */
  async subscribe(topicArn: string, url: string): Promise<string | undefined> {
    const { SubscriptionArn } = await this.client.send(
      new SubscribeCommand({
        TopicArn: topicArn,
        Protocol: url.startsWith('https:') ? 'https' : 'http',
        Endpoint: url,
        Attributes: { DeliveryPolicy: DELIVERY_POLICY },
      }),
    );
    return SubscriptionArn?.startsWith('arn:') === true ? SubscriptionArn : undefined;
  }

  /** Confirms by API call, so that nothing ever fetches an address out of a notification; only we may unsubscribe. */
  async confirm(topicArn: string, token: string): Promise<string> {
    const { SubscriptionArn } = await this.client.send(
      new ConfirmSubscriptionCommand({ TopicArn: topicArn, Token: token, AuthenticateOnUnsubscribe: 'true' }),
    );
    if (!SubscriptionArn) throw new Error('SNS answered ConfirmSubscription without an ARN');
    return SubscriptionArn;
  }
}

/** Who may publish: SES, for this account, for configuration sets whose name matches. */
function topicPolicy(role: FleetRole, topicArn: string, configurationSets: string): string {
  const source = `arn:aws:ses:${role.region}:${role.accountId}:configuration-set/${configurationSets}`;
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      {
        Sid: 'EventsOfOurConfigurationSets',
        Effect: 'Allow',
        Principal: { Service: 'ses.amazonaws.com' },
        Action: 'sns:Publish',
        Resource: topicArn,
        Condition: { StringEquals: { 'AWS:SourceAccount': role.accountId }, StringLike: { 'AWS:SourceArn': source } },
      },
    ],
  });
}
