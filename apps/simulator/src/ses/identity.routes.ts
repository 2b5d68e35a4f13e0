import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { IdentityState } from '../state/simulator.state';
import { alreadyExists, badRequest, notFound } from '../wire/aws.errors';
import { bodyOf, pageOf, param, type SesCall, type SesRoute } from './ses.call';

const DOMAIN = /^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$/i;
const ADDRESS = /^[^\s@]+@([^\s@]+)$/;

const createBody = z.object({
  EmailIdentity: z.string().min(1).max(320),
  ConfigurationSetName: z.string().optional(),
  DkimSigningAttributes: z
    .object({
      DomainSigningSelector: z.string().optional(),
      DomainSigningPrivateKey: z.string().optional(),
      DomainSigningAttributesOrigin: z.string().optional(),
    })
    .optional(),
});

/** Decides when a new identity is verified: by itself after a delay, or by the admin API. */
type VerificationStarter = (identity: IdentityState) => void;

/** Identities with their DKIM and MAIL FROM attributes (aws-facts 1.4). */
export function identityRoutes(startVerification: VerificationStarter): SesRoute[] {
  const one = '/v2/email/identities/{EmailIdentity}';
  const resource = (call: SesCall): string => `identity/${param(call, 'EmailIdentity')}`;
  return [
    {
      operation: 'CreateEmailIdentity',
      method: 'POST',
      path: '/v2/email/identities',
      resource: (call) => `identity/${bodyOf(call, createBody).EmailIdentity}`,
      handle: (call) => create(call, startVerification),
    },
    { operation: 'ListEmailIdentities', method: 'GET', path: '/v2/email/identities', handle: list },
    { operation: 'ListEmailIdentities', method: 'POST', path: '/v2/email/list-identities', handle: list },
    {
      operation: 'GetEmailIdentity',
      method: 'GET',
      path: one,
      resource,
      handle: (call) => described(identityOf(call)),
    },
    { operation: 'DeleteEmailIdentity', method: 'DELETE', path: one, resource, handle: remove },
    { operation: 'PutEmailIdentityDkimAttributes', method: 'PUT', path: `${one}/dkim`, resource, handle: putDkim },
    {
      operation: 'PutEmailIdentityDkimSigningAttributes',
      method: 'PUT',
      path: `${one}/dkim/signing`,
      resource,
      handle: putSigning,
    },
    {
      operation: 'PutEmailIdentityMailFromAttributes',
      method: 'PUT',
      path: `${one}/mail-from`,
      resource,
      handle: putMailFrom,
    },
    {
      operation: 'PutEmailIdentityFeedbackAttributes',
      method: 'PUT',
      path: `${one}/feedback`,
      resource,
      handle: putFeedback,
    },
    {
      operation: 'PutEmailIdentityConfigurationSetAttributes',
      method: 'PUT',
      path: `${one}/configuration-set`,
      resource,
      handle: putConfigurationSet,
    },
  ];
}

function create(call: SesCall, startVerification: VerificationStarter): unknown {
  const body = bodyOf(call, createBody);
  const name = canonical(body.EmailIdentity);
  if (call.state.identities.has(name)) throw alreadyExists(`Email identity ${name} already exist.`);
  requireConfigurationSet(call, body.ConfigurationSetName);
  const identity: IdentityState = {
    name,
    type: name.includes('@') ? 'EMAIL_ADDRESS' : 'DOMAIN',
    status: 'PENDING',
    dkimSigningEnabled: true,
    dkimOrigin: body.DkimSigningAttributes?.DomainSigningSelector === undefined ? 'AWS_SES' : 'EXTERNAL',
    dkimTokens: dkimTokens(call, name),
    behaviorOnMxFailure: 'USE_DEFAULT_VALUE',
    configurationSet: body.ConfigurationSetName,
    feedbackForwarding: true,
  };
  call.state.identities.set(name, identity);
  startVerification(identity);
  return {
    IdentityType: identity.type,
    VerifiedForSendingStatus: identity.status === 'SUCCESS',
    DkimAttributes: dkimOf(identity),
  };
}

function list(call: SesCall): unknown {
  const { items, next } = pageOf(call, [...call.state.identities.values()]);
  return {
    EmailIdentities: items.map((identity) => ({
      IdentityType: identity.type,
      IdentityName: identity.name,
      SendingEnabled: identity.status === 'SUCCESS',
      VerificationStatus: identity.status,
    })),
    ...next,
  };
}

function remove(call: SesCall): unknown {
  call.state.identities.delete(identityOf(call).name);
  return {};
}

function putDkim(call: SesCall): unknown {
  identityOf(call).dkimSigningEnabled = bodyOf(
    call,
    z.object({ SigningEnabled: z.boolean().default(false) }),
  ).SigningEnabled;
  return {};
}

function putSigning(call: SesCall): unknown {
  const identity = identityOf(call);
  const body = bodyOf(call, z.object({ SigningAttributesOrigin: z.string() }));
  identity.dkimOrigin = body.SigningAttributesOrigin;
  return {
    DkimStatus: identity.status,
    DkimTokens: identity.dkimTokens,
    SigningHostedZone: 'dkim.amazonses.com',
  };
}

function putMailFrom(call: SesCall): unknown {
  const identity = identityOf(call);
  const body = bodyOf(
    call,
    z.object({
      MailFromDomain: z.string().optional(),
      BehaviorOnMxFailure: z.enum(['USE_DEFAULT_VALUE', 'REJECT_MESSAGE']).default('USE_DEFAULT_VALUE'),
    }),
  );
  const parent = identity.name.slice(identity.name.lastIndexOf('@') + 1);
  if (body.MailFromDomain !== undefined && body.MailFromDomain !== '' && !body.MailFromDomain.endsWith(`.${parent}`)) {
    throw badRequest(
      `Provided MAIL-FROM domain <${body.MailFromDomain}> is not subdomain of the domain of the identity <${identity.name}>.`,
    );
  }
  identity.mailFromDomain = body.MailFromDomain === '' ? undefined : body.MailFromDomain;
  identity.behaviorOnMxFailure = body.BehaviorOnMxFailure;
  return {};
}

function putFeedback(call: SesCall): unknown {
  identityOf(call).feedbackForwarding = bodyOf(
    call,
    z.object({ EmailForwardingEnabled: z.boolean().default(false) }),
  ).EmailForwardingEnabled;
  return {};
}

function putConfigurationSet(call: SesCall): unknown {
  const identity = identityOf(call);
  const body = bodyOf(call, z.object({ ConfigurationSetName: z.string().nullish() }));
  requireConfigurationSet(call, body.ConfigurationSetName ?? undefined);
  identity.configurationSet = body.ConfigurationSetName ?? undefined;
  return {};
}

function described(identity: IdentityState): unknown {
  return {
    IdentityType: identity.type,
    FeedbackForwardingStatus: identity.feedbackForwarding,
    VerifiedForSendingStatus: identity.status === 'SUCCESS',
    VerificationStatus: identity.status,
    DkimAttributes: dkimOf(identity),
    MailFromAttributes: {
      MailFromDomain: identity.mailFromDomain ?? '',
      MailFromDomainStatus: identity.mailFromDomain === undefined ? 'PENDING' : identity.status,
      BehaviorOnMxFailure: identity.behaviorOnMxFailure,
    },
    Policies: {},
    Tags: [],
    ...(identity.configurationSet === undefined ? {} : { ConfigurationSetName: identity.configurationSet }),
  };
}

function dkimOf(identity: IdentityState): unknown {
  return {
    SigningEnabled: identity.dkimSigningEnabled,
    Status: identity.type === 'DOMAIN' ? identity.status : 'NOT_STARTED',
    Tokens: identity.type === 'DOMAIN' ? identity.dkimTokens : [],
    SigningAttributesOrigin: identity.dkimOrigin,
    ...(identity.type === 'DOMAIN'
      ? {
          SigningHostedZone: 'dkim.amazonses.com',
          NextSigningKeyLength: 'RSA_2048_BIT',
          CurrentSigningKeyLength: 'RSA_2048_BIT',
        }
      : {}),
  };
}

function identityOf(call: SesCall): IdentityState {
  const name = param(call, 'EmailIdentity').toLowerCase();
  const identity = call.state.identities.get(name);
  if (identity === undefined) throw notFound(`Email identity ${name} does not exist.`);
  return identity;
}

function canonical(text: string): string {
  const name = text.toLowerCase();
  const domain = ADDRESS.exec(name)?.[1] ?? name;
  if (!DOMAIN.test(domain)) throw badRequest('Invalid email address or domain');
  return name;
}

function requireConfigurationSet(call: SesCall, name: string | undefined): void {
  if (name !== undefined && !call.state.configurationSets.has(name)) {
    throw notFound(`Configuration set <${name}> does not exist.`);
  }
}

function dkimTokens(call: SesCall, name: string): string[] {
  return [0, 1, 2].map((i) =>
    BigInt(
      `0x${createHash('sha256')
        .update(`${call.accountId}/${call.region}/${name}/${String(i)}`)
        .digest('hex')
        .slice(0, 40)}`,
    )
      .toString(36)
      .padStart(32, 'a')
      .slice(0, 32),
  );
}
