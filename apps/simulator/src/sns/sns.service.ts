import { randomBytes, randomUUID } from 'node:crypto';
import type { Clock } from '@libs/kernel';
import { refusalOf, refusalText, type Caller } from '../iam/caller.policy';
import { evaluate } from '../iam/policy-document.policy';
import type { PrincipalsService } from '../iam/principals.service';
import type { EventSink, SesNotification } from '../ses/events.service';
import type { SubscriptionState, TopicState } from '../state/simulator.state';
import type { UsageMeter } from '../billing/usage-meter';
import type { StateStore } from '../state/state.store';
import { AwsError, invalidParameter } from '../wire/aws.errors';
import { xmlAnswer, xmlElement, type WireAnswer } from '../wire/http.answer';
import type { DeliveryService } from './delivery.service';
import {
  attributesXml,
  ownerPolicy,
  setSubscriptionAttribute,
  subscriptionAttributes,
  subscriptionsXml,
  topicAttributes,
} from './sns-attributes.policy';

export const SNS_NAMESPACE = 'http://sns.amazonaws.com/doc/2010-03-31/';

const TOPIC_NAME = /^[A-Za-z0-9_-]{1,256}$/;
const TOPIC_ATTRIBUTES = new Set([
  'Policy',
  'DisplayName',
  'DeliveryPolicy',
  'SignatureVersion',
  'KmsMasterKeyId',
  'TracingConfig',
]);

interface SnsCall {
  readonly form: URLSearchParams;
  readonly accountId: string;
  readonly region: string;
}

/** SNS over its Query protocol: standard topics with HTTP and HTTPS subscriptions (aws-facts 7.1). */
export class SnsService implements EventSink {
  /** Events that a topic's policy, or the absence of the topic, kept from being published. */
  notPublished = 0;

  constructor(
    private readonly store: StateStore,
    private readonly deliveries: DeliveryService,
    private readonly principals: PrincipalsService,
    /** Real time: envelopes are stamped with it. */
    private readonly clock: Clock,
    private readonly origin: () => string,
    private readonly usage: UsageMeter,
    private readonly simulated: Clock,
  ) {}

  handle(action: string, form: URLSearchParams, caller: Caller, region: string): WireAnswer {
    const handler = this.actions[action];
    if (handler === undefined) {
      throw new AwsError('InvalidAction', 400, `The action or operation requested is invalid: ${action}.`);
    }
    const call = { form, accountId: caller.accountId, region };
    this.authorise(action, call, caller);
    const result = handler(call);
    this.store.touch();
    return xmlAnswer(action, SNS_NAMESPACE, result);
  }

  /** The SubscribeURL and UnsubscribeURL in a message: no signature, the token or the ARN is the proof. */
  handleUnsigned(form: URLSearchParams): WireAnswer | undefined {
    const action = form.get('Action') ?? '';
    if (form.get('Version') === null && form.get('TopicArn') === null && form.get('SubscriptionArn') === null)
      return undefined;
    const region = (form.get('TopicArn') ?? form.get('SubscriptionArn') ?? '').split(':')[3] ?? '';
    const accountId = (form.get('TopicArn') ?? form.get('SubscriptionArn') ?? '').split(':')[4] ?? '';
    if (action === 'ConfirmSubscription') {
      form.delete('AuthenticateOnUnsubscribe');
      return xmlAnswer(action, SNS_NAMESPACE, this.confirm({ form, accountId, region }));
    }
    if (action === 'Unsubscribe') {
      const found = this.findSubscription(form.get('SubscriptionArn') ?? '');
      if (found?.subscription.authenticateOnUnsubscribe === true) {
        throw new AwsError(
          'AuthorizationError',
          403,
          'This subscription can only be removed with an authenticated request.',
        );
      }
      return xmlAnswer(action, SNS_NAMESPACE, this.unsubscribe({ form, accountId, region }));
    }
    return undefined;
  }

  /** As AWS: no event leaves when the topic's policy does not let SES publish for this configuration set. */
  publishFromSes(notification: SesNotification, messageId: string): void {
    const topic = this.store.state.topics.get(notification.topicArn);
    const policy = this.principals.policyOf(topic?.policy);
    const allowed =
      topic !== undefined &&
      policy !== undefined &&
      evaluate([policy], {
        action: 'SNS:Publish',
        resource: topic.arn,
        principals: { Service: ['ses.amazonaws.com'] },
        context: { 'aws:sourceaccount': [notification.accountId], 'aws:sourcearn': [notification.sourceArn] },
      }) === 'ALLOW';
    if (!allowed) {
      this.notPublished += 1;
      return;
    }
    this.usage.published(topic.accountId, topic.region, this.simulated.nowMs());
    this.publishTo(topic, notification.message, 'Amazon SES Email Event Notification', messageId);
  }

  private readonly actions: Readonly<Record<string, (call: SnsCall) => string>> = {
    CreateTopic: (call) => this.createTopic(call),
    DeleteTopic: (call) => {
      const arn = required(call, 'TopicArn');
      if (this.store.state.topics.has(arn)) this.store.state.topics.delete(this.topicOf(call).arn);
      return '';
    },
    ListTopics: (call) => {
      const own = [...this.store.state.topics.values()].filter(
        (one) => one.accountId === call.accountId && one.region === call.region,
      );
      return `<Topics>${own.map((one) => `<member>${xmlElement('TopicArn', one.arn)}</member>`).join('')}</Topics>`;
    },
    GetTopicAttributes: (call) => attributesXml(topicAttributes(this.topicOf(call))),
    SetTopicAttributes: (call) => {
      this.setTopicAttribute(
        this.topicOf(call),
        required(call, 'AttributeName'),
        call.form.get('AttributeValue') ?? '',
      );
      return '';
    },
    Subscribe: (call) => this.subscribe(call),
    ConfirmSubscription: (call) => this.confirm(call),
    Unsubscribe: (call) => this.unsubscribe(call),
    ListSubscriptionsByTopic: (call) => subscriptionsXml(this.topicOf(call)),
    GetSubscriptionAttributes: (call) => {
      const { topic, subscription } = this.subscriptionOf(call);
      return attributesXml(subscriptionAttributes(topic, subscription));
    },
    SetSubscriptionAttributes: (call) => {
      const { subscription } = this.subscriptionOf(call);
      setSubscriptionAttribute(subscription, required(call, 'AttributeName'), call.form.get('AttributeValue') ?? '');
      return '';
    },
    Publish: (call) => {
      const topic = this.topicOf(call);
      return xmlElement(
        'MessageId',
        this.publishTo(topic, required(call, 'Message'), call.form.get('Subject') ?? undefined),
      );
    },
  };

  private authorise(action: string, call: SnsCall, caller: Caller): void {
    const name = call.form.get('Name');
    const named = call.form.get('TopicArn') ?? call.form.get('SubscriptionArn')?.split(':').slice(0, 6).join(':');
    const resource = name === null ? (named ?? '*') : `arn:aws:sns:${call.region}:${call.accountId}:${name}`;
    const request = { action: `SNS:${action}`, resource, context: {} };
    const refusal = refusalOf(caller, request);
    if (refusal !== undefined) throw new AwsError('AuthorizationError', 403, refusalText(caller, request, refusal));
  }

  private createTopic(call: SnsCall): string {
    const name = required(call, 'Name');
    if (name.endsWith('.fifo')) throw invalidParameter('Invalid parameter: Topic Name: FIFO topics are not simulated');
    if (!TOPIC_NAME.test(name)) throw invalidParameter('Invalid parameter: Topic Name');
    const arn = `arn:aws:sns:${call.region}:${call.accountId}:${name}`;
    const known = this.store.state.topics.get(arn);
    const topic: TopicState = known ?? {
      arn,
      accountId: call.accountId,
      region: call.region,
      policy: ownerPolicy(arn, call.accountId),
      signatureVersion: '1',
      attributes: {},
      subscriptions: new Map(),
    };
    for (const [key, value] of mapEntries(call.form, 'Attributes')) this.setTopicAttribute(topic, key, value);
    this.store.state.topics.set(arn, topic);
    return xmlElement('TopicArn', arn);
  }

  private setTopicAttribute(topic: TopicState, name: string, value: string): void {
    if (!TOPIC_ATTRIBUTES.has(name)) throw invalidParameter('Invalid parameter: AttributeName');
    if (name === 'SignatureVersion') {
      if (value !== '1' && value !== '2') throw invalidParameter('Invalid parameter: SignatureVersion');
      topic.signatureVersion = value;
    } else if (name === 'Policy') {
      if (this.principals.policyOf(value) === undefined)
        throw invalidParameter('Invalid parameter: Policy Error: null');
      topic.policy = value;
    } else topic.attributes[name] = value;
  }

  private subscribe(call: SnsCall): string {
    const topic = this.topicOf(call);
    const protocol = required(call, 'Protocol');
    const endpoint = call.form.get('Endpoint') ?? '';
    if (protocol !== 'http' && protocol !== 'https') {
      throw invalidParameter(`Invalid parameter: Does not support this protocol string: ${protocol}`);
    }
    if (!URL.canParse(endpoint) || !endpoint.startsWith(`${protocol}://`)) {
      throw invalidParameter('Invalid parameter: Endpoint must match the specified protocol');
    }
    const known = [...topic.subscriptions.values()].find(
      (one) => one.endpoint === endpoint && one.protocol === protocol,
    );
    const subscription: SubscriptionState = known ?? {
      arn: `${topic.arn}:${randomUUID()}`,
      endpoint,
      protocol,
      confirmed: false,
      token: '',
      authenticateOnUnsubscribe: false,
      attributes: {},
    };
    for (const [key, value] of mapEntries(call.form, 'Attributes')) setSubscriptionAttribute(subscription, key, value);
    topic.subscriptions.set(subscription.arn, subscription);
    if (!subscription.confirmed) {
      // Asking again sends again; a token already on its way stays good.
      if (subscription.token === '') subscription.token = randomBytes(64).toString('hex');
      this.sendConfirmation(topic, subscription, 'SubscriptionConfirmation');
    }
    const full = subscription.confirmed || call.form.get('ReturnSubscriptionArn') === 'true';
    return xmlElement('SubscriptionArn', full ? subscription.arn : 'pending confirmation');
  }

  private confirm(call: SnsCall): string {
    const topic = this.topicOf(call);
    const token = required(call, 'Token');
    const subscription = [...topic.subscriptions.values()].find((one) => one.token === token);
    if (subscription === undefined) throw invalidParameter('Invalid parameter: Token');
    subscription.confirmed = true;
    if (call.form.get('AuthenticateOnUnsubscribe')?.toLowerCase() === 'true')
      subscription.authenticateOnUnsubscribe = true;
    this.store.touch();
    return xmlElement('SubscriptionArn', subscription.arn);
  }

  private unsubscribe(call: SnsCall): string {
    const found = this.findSubscription(required(call, 'SubscriptionArn'));
    if (found === undefined) return '';
    if (found.topic.accountId !== call.accountId) throw new AwsError('AuthorizationError', 403, 'Not authorized');
    found.topic.subscriptions.delete(found.subscription.arn);
    if (found.subscription.confirmed) this.sendConfirmation(found.topic, found.subscription, 'UnsubscribeConfirmation');
    this.store.touch();
    return '';
  }

  private sendConfirmation(
    topic: TopicState,
    to: SubscriptionState,
    type: 'SubscriptionConfirmation' | 'UnsubscribeConfirmation',
  ): void {
    const subscribe = type === 'SubscriptionConfirmation';
    this.deliveries.enqueue({
      subscriptionArn: to.arn,
      endpoint: to.endpoint,
      envelope: {
        Type: type,
        MessageId: randomUUID(),
        Token: to.token,
        TopicArn: topic.arn,
        Message: subscribe
          ? `You have chosen to subscribe to the topic ${topic.arn}.\nTo confirm the subscription, visit the SubscribeURL included in this message.`
          : `You have chosen to deactivate subscription ${to.arn}.\nTo cancel this operation and restore the subscription, visit the SubscribeURL included in this message.`,
        SubscribeURL: `${this.origin()}/?Action=ConfirmSubscription&TopicArn=${topic.arn}&Token=${to.token}`,
        Timestamp: this.clock.now().toISOString(),
      },
    });
  }

  private publishTo(
    topic: TopicState,
    message: string,
    subject: string | undefined,
    messageId: string = randomUUID(),
  ): string {
    for (const subscription of topic.subscriptions.values()) {
      if (!subscription.confirmed) continue;
      this.deliveries.enqueue({
        subscriptionArn: subscription.arn,
        endpoint: subscription.endpoint,
        envelope: {
          Type: 'Notification',
          MessageId: messageId,
          TopicArn: topic.arn,
          ...(subject === undefined ? {} : { Subject: subject }),
          Message: message,
          Timestamp: this.clock.now().toISOString(),
          UnsubscribeURL: `${this.origin()}/?Action=Unsubscribe&SubscriptionArn=${subscription.arn}`,
        },
      });
    }
    return messageId;
  }

  private topicOf(call: SnsCall): TopicState {
    const arn = required(call, 'TopicArn');
    if (!/^arn:aws:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]+$/.test(arn))
      throw invalidParameter('Invalid parameter: TopicArn');
    const topic = this.store.state.topics.get(arn);
    if (topic !== undefined && topic.accountId !== call.accountId)
      throw new AwsError('AuthorizationError', 403, 'Not authorized');
    if (topic === undefined || topic.region !== call.region)
      throw new AwsError('NotFound', 404, 'Topic does not exist');
    return topic;
  }

  private subscriptionOf(call: SnsCall): { topic: TopicState; subscription: SubscriptionState } {
    const found = this.findSubscription(required(call, 'SubscriptionArn'));
    if (found === undefined) throw new AwsError('NotFound', 404, 'Subscription does not exist');
    if (found.topic.accountId !== call.accountId) throw new AwsError('AuthorizationError', 403, 'Not authorized');
    return found;
  }

  private findSubscription(arn: string): { topic: TopicState; subscription: SubscriptionState } | undefined {
    const topic = this.store.state.topics.get(arn.split(':').slice(0, 6).join(':'));
    const subscription = topic?.subscriptions.get(arn);
    return topic !== undefined && subscription !== undefined ? { topic, subscription } : undefined;
  }
}

function required(call: SnsCall, name: string): string {
  const value = call.form.get(name);
  if (value === null || value === '') throw invalidParameter(`Invalid parameter: ${name}`);
  return value;
}

/** `Attributes.entry.1.key` and `.value` of the Query protocol. */
function mapEntries(form: URLSearchParams, name: string): [string, string][] {
  const entries: [string, string][] = [];
  for (let i = 1; form.has(`${name}.entry.${String(i)}.key`); i += 1) {
    entries.push([
      form.get(`${name}.entry.${String(i)}.key`) ?? '',
      form.get(`${name}.entry.${String(i)}.value`) ?? '',
    ]);
  }
  return entries;
}
