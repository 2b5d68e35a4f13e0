import type { SubscriptionState, TopicState } from '../state/simulator.state';
import { invalidParameter } from '../wire/aws.errors';
import { xmlElement } from '../wire/http.answer';

// What topics and subscriptions say about themselves, and how AWS writes it down.

const SUBSCRIPTION_ATTRIBUTES = new Set([
  'DeliveryPolicy',
  'RedrivePolicy',
  'RawMessageDelivery',
  'FilterPolicy',
  'FilterPolicyScope',
]);

/** @throws AwsError InvalidParameter for an attribute that SNS does not know or that is not simulated */
export function setSubscriptionAttribute(subscription: SubscriptionState, name: string, value: string): void {
  if (!SUBSCRIPTION_ATTRIBUTES.has(name)) throw invalidParameter('Invalid parameter: AttributeName');
  if (name === 'RawMessageDelivery' && value !== 'false') {
    throw invalidParameter(
      'Invalid parameter: RawMessageDelivery: raw messages carry no signature and are not simulated',
    );
  }
  subscription.attributes[name] = value;
}

/** A new topic may be published to by its owner only, so SES needs a policy of its own (aws-facts 1.6). */
export function ownerPolicy(arn: string, accountId: string): string {
  return JSON.stringify({
    Version: '2008-10-17',
    Id: '__default_policy_ID',
    Statement: [
      {
        Sid: '__default_statement_ID',
        Effect: 'Allow',
        Principal: { AWS: '*' },
        Action: [
          'SNS:GetTopicAttributes',
          'SNS:SetTopicAttributes',
          'SNS:Subscribe',
          'SNS:ListSubscriptionsByTopic',
          'SNS:Publish',
        ],
        Resource: arn,
        Condition: { StringEquals: { 'AWS:SourceOwner': accountId } },
      },
    ],
  });
}

export function topicAttributes(topic: TopicState): Record<string, string> {
  const all = [...topic.subscriptions.values()];
  return {
    TopicArn: topic.arn,
    Owner: topic.accountId,
    Policy: topic.policy,
    SignatureVersion: topic.signatureVersion,
    DisplayName: '',
    SubscriptionsConfirmed: String(all.filter((one) => one.confirmed).length),
    SubscriptionsPending: String(all.filter((one) => !one.confirmed).length),
    SubscriptionsDeleted: '0',
    ...topic.attributes,
  };
}

export function subscriptionAttributes(topic: TopicState, one: SubscriptionState): Record<string, string> {
  return {
    SubscriptionArn: one.arn,
    TopicArn: topic.arn,
    Owner: topic.accountId,
    Protocol: one.protocol,
    Endpoint: one.endpoint,
    PendingConfirmation: String(!one.confirmed),
    ConfirmationWasAuthenticated: String(one.authenticateOnUnsubscribe),
    RawMessageDelivery: 'false',
    ...one.attributes,
  };
}

export function attributesXml(attributes: Record<string, string>): string {
  const entries = Object.entries(attributes).map(
    ([key, value]) => `<entry>${xmlElement('key', key)}${xmlElement('value', value)}</entry>`,
  );
  return `<Attributes>${entries.join('')}</Attributes>`;
}

export function subscriptionsXml(topic: TopicState): string {
  const members = [...topic.subscriptions.values()].map(
    (one) =>
      `<member>${xmlElement('TopicArn', topic.arn)}${xmlElement('Protocol', one.protocol)}${xmlElement('SubscriptionArn', one.confirmed ? one.arn : 'PendingConfirmation')}${xmlElement('Owner', topic.accountId)}${xmlElement('Endpoint', one.endpoint)}</member>`,
  );
  return `<Subscriptions>${members.join('')}</Subscriptions>`;
}
