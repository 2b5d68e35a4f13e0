import { z } from 'zod';
import type { ConfigurationSetState, EventDestinationState } from '../state/simulator.state';
import type { StateStore } from '../state/state.store';
import { alreadyExists, AwsError, badRequest, notFound } from '../wire/aws.errors';
import { poolExists } from './dedicated-ip.routes';
import { bodyOf, pageOf, param, type SesCall, type SesRoute } from './ses.call';

const EVENT_TYPES = [
  'SEND',
  'REJECT',
  'BOUNCE',
  'COMPLAINT',
  'DELIVERY',
  'OPEN',
  'CLICK',
  'RENDERING_FAILURE',
  'DELIVERY_DELAY',
  'SUBSCRIPTION',
] as const;
const NAME = /^[A-Za-z0-9_-]{1,64}$/;

const delivery = z.object({
  TlsPolicy: z.enum(['REQUIRE', 'OPTIONAL']).optional(),
  SendingPoolName: z.string().optional(),
  MaxDeliverySeconds: z.number().min(300).max(50_400).optional(),
});
const sending = z.object({ SendingEnabled: z.boolean().default(false) });
const reputation = z.object({ ReputationMetricsEnabled: z.boolean().default(false) });
const suppression = z.object({ SuppressedReasons: z.array(z.enum(['BOUNCE', 'COMPLAINT'])).default([]) });
const tracking = z.object({ CustomRedirectDomain: z.string().optional(), HttpsPolicy: z.string().optional() });
const createBody = z.object({
  ConfigurationSetName: z.string(),
  DeliveryOptions: delivery.optional(),
  SendingOptions: sending.optional(),
  ReputationOptions: reputation.optional(),
  SuppressionOptions: suppression.optional(),
  TrackingOptions: tracking.optional(),
  Tags: z.array(z.unknown()).default([]),
});
const destination = z.object({
  Enabled: z.boolean().default(false),
  MatchingEventTypes: z.array(z.enum(EVENT_TYPES)).optional(),
  SnsDestination: z.object({ TopicArn: z.string() }).optional(),
  CloudWatchDestination: z.record(z.string(), z.unknown()).optional(),
  KinesisFirehoseDestination: z.record(z.string(), z.unknown()).optional(),
  EventBridgeDestination: z.record(z.string(), z.unknown()).optional(),
  PinpointDestination: z.record(z.string(), z.unknown()).optional(),
});

/** Configuration sets, their options and event destinations (aws-facts 1.6). */
export function configurationSetRoutes(store: StateStore): SesRoute[] {
  const one = '/v2/email/configuration-sets/{ConfigurationSetName}';
  const destinations = `${one}/event-destinations`;
  const resource = (call: SesCall): string => `configuration-set/${param(call, 'ConfigurationSetName')}`;
  const put = (operation: string, path: string, handle: (call: SesCall) => void): SesRoute => ({
    operation,
    method: 'PUT',
    path: `${one}/${path}`,
    resource,
    handle: (call) => {
      handle(call);
      return {};
    },
  });
  return [
    {
      operation: 'CreateConfigurationSet',
      method: 'POST',
      path: '/v2/email/configuration-sets',
      resource: (call) => `configuration-set/${bodyOf(call, createBody).ConfigurationSetName}`,
      handle: create,
    },
    { operation: 'ListConfigurationSets', method: 'GET', path: '/v2/email/configuration-sets', handle: list },
    { operation: 'ListConfigurationSets', method: 'POST', path: '/v2/email/list-configuration-sets', handle: list },
    { operation: 'GetConfigurationSet', method: 'GET', path: one, resource, handle: (call) => described(setOf(call)) },
    {
      operation: 'DeleteConfigurationSet',
      method: 'DELETE',
      path: one,
      resource,
      handle: (call) => {
        call.state.configurationSets.delete(setOf(call).name);
        return {};
      },
    },
    put('PutConfigurationSetDeliveryOptions', 'delivery-options', (call) => {
      setOf(call).deliveryOptions = deliveryOptions(call, bodyOf(call, delivery));
    }),
    put('PutConfigurationSetSendingOptions', 'sending', (call) => {
      setOf(call).sendingEnabled = bodyOf(call, sending).SendingEnabled;
    }),
    put('PutConfigurationSetTrackingOptions', 'tracking-options', (call) => {
      setOf(call).trackingOptions = bodyOf(call, tracking);
    }),
    put('PutConfigurationSetReputationOptions', 'reputation-options', (call) => {
      setOf(call).reputationOptions = bodyOf(call, reputation);
    }),
    put('PutConfigurationSetSuppressionOptions', 'suppression-options', (call) => {
      setOf(call).suppressedReasons = bodyOf(call, suppression).SuppressedReasons;
    }),
    {
      operation: 'CreateConfigurationSetEventDestination',
      method: 'POST',
      path: destinations,
      resource,
      handle: (call) => createDestination(call, store),
    },
    {
      operation: 'GetConfigurationSetEventDestinations',
      method: 'GET',
      path: destinations,
      resource,
      handle: listDestinations,
    },
    {
      operation: 'UpdateConfigurationSetEventDestination',
      method: 'PUT',
      path: `${destinations}/{EventDestinationName}`,
      resource,
      handle: (call) => updateDestination(call, store),
    },
    {
      operation: 'DeleteConfigurationSetEventDestination',
      method: 'DELETE',
      path: `${destinations}/{EventDestinationName}`,
      resource,
      handle: deleteDestination,
    },
  ];
}

function create(call: SesCall): unknown {
  const body = bodyOf(call, createBody);
  const name = body.ConfigurationSetName;
  if (!NAME.test(name)) {
    throw badRequest(
      `Invalid configuration set name <${name}>: only alphanumeric ASCII characters, '_', and '-' are allowed, up to 64.`,
    );
  }
  if (call.state.configurationSets.has(name)) throw alreadyExists(`Configuration set <${name}> already exists.`);
  call.state.configurationSets.set(name, {
    name,
    sendingEnabled: body.SendingOptions?.SendingEnabled ?? true,
    deliveryOptions: deliveryOptions(call, body.DeliveryOptions ?? {}),
    reputationOptions: body.ReputationOptions ?? { ReputationMetricsEnabled: false },
    trackingOptions: body.TrackingOptions,
    suppressedReasons: body.SuppressionOptions?.SuppressedReasons,
    tags: body.Tags,
    destinations: new Map(),
  });
  return {};
}

function list(call: SesCall): unknown {
  const { items, next } = pageOf(call, [...call.state.configurationSets.keys()]);
  return { ConfigurationSets: items, ...next };
}

function described(set: ConfigurationSetState): unknown {
  return {
    ConfigurationSetName: set.name,
    DeliveryOptions: set.deliveryOptions,
    SendingOptions: { SendingEnabled: set.sendingEnabled },
    ReputationOptions: set.reputationOptions,
    ...(set.trackingOptions === undefined ? {} : { TrackingOptions: set.trackingOptions }),
    ...(set.suppressedReasons === undefined
      ? {}
      : { SuppressionOptions: { SuppressedReasons: set.suppressedReasons } }),
    Tags: set.tags,
  };
}

function deliveryOptions(call: SesCall, options: z.infer<typeof delivery>): Record<string, unknown> {
  const pool = options.SendingPoolName;
  if (pool !== undefined && !poolExists(call.state, pool))
    throw notFound(`Dedicated IP pool <${pool}> does not exist.`);
  return { TlsPolicy: 'OPTIONAL', ...options };
}

function createDestination(call: SesCall, store: StateStore): unknown {
  const body = bodyOf(call, z.object({ EventDestinationName: z.string(), EventDestination: destination }));
  const set = setOf(call);
  if (!NAME.test(body.EventDestinationName))
    throw badRequest(`Invalid event destination name <${body.EventDestinationName}>.`);
  if (set.destinations.has(body.EventDestinationName)) {
    throw alreadyExists(
      `Event destination <${body.EventDestinationName}> already exists in configuration set <${set.name}>.`,
    );
  }
  if (set.destinations.size >= 10)
    throw new AwsError('LimitExceededException', 400, 'Maximum of 10 event destinations reached.');
  set.destinations.set(
    body.EventDestinationName,
    destinationFrom(call, store, body.EventDestinationName, body.EventDestination),
  );
  return {};
}

function updateDestination(call: SesCall, store: StateStore): unknown {
  const { EventDestination: body } = bodyOf(call, z.object({ EventDestination: destination }));
  const set = setOf(call);
  const known = destinationOf(call, set);
  const types = body.MatchingEventTypes ?? z.array(z.enum(EVENT_TYPES)).parse(known.types);
  const given = { ...body, MatchingEventTypes: types };
  set.destinations.set(known.name, destinationFrom(call, store, known.name, given));
  return {};
}

function deleteDestination(call: SesCall): unknown {
  const set = setOf(call);
  set.destinations.delete(destinationOf(call, set).name);
  return {};
}

function listDestinations(call: SesCall): unknown {
  return {
    EventDestinations: [...setOf(call).destinations.values()].map((one) => ({
      Name: one.name,
      Enabled: one.enabled,
      MatchingEventTypes: one.types,
      ...(one.topicArn === undefined ? {} : { SnsDestination: { TopicArn: one.topicArn } }),
      ...one.other,
    })),
  };
}

function destinationFrom(
  call: SesCall,
  store: StateStore,
  name: string,
  body: z.infer<typeof destination>,
): EventDestinationState {
  const { Enabled: enabled, MatchingEventTypes: types, SnsDestination: sns, ...rest } = body;
  const other = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined));
  if (types === undefined || types.length === 0)
    throw badRequest('MatchingEventTypes must name at least one event type.');
  if ((sns === undefined ? 0 : 1) + Object.keys(other).length !== 1) {
    throw badRequest('Exactly one destination must be given.');
  }
  if (sns !== undefined) {
    const topic = store.state.topics.get(sns.TopicArn);
    if (topic === undefined || topic.region !== call.region)
      throw badRequest(`SNS topic <${sns.TopicArn}> does not exist.`);
  }
  return { name, enabled, types, topicArn: sns?.TopicArn, other };
}

function setOf(call: SesCall): ConfigurationSetState {
  const name = param(call, 'ConfigurationSetName');
  const set = call.state.configurationSets.get(name);
  if (set === undefined) throw notFound(`Configuration set <${name}> does not exist.`);
  return set;
}

function destinationOf(call: SesCall, set: ConfigurationSetState): EventDestinationState {
  const name = param(call, 'EventDestinationName');
  const found = set.destinations.get(name);
  if (found === undefined)
    throw notFound(`Event destination <${name}> does not exist in configuration set <${set.name}>.`);
  return found;
}
