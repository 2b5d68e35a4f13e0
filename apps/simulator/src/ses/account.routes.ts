import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Clock } from '@libs/kernel';
import type { SendingLimitsService } from '../limits/sending-limits.service';
import { AwsError, badRequest } from '../wire/aws.errors';
import { bodyOf, type SesCall, type SesRoute } from './ses.call';

const details = z.object({
  MailType: z.enum(['MARKETING', 'TRANSACTIONAL']),
  WebsiteURL: z.string().min(1).max(1000),
  ContactLanguage: z.enum(['EN', 'JA']).optional(),
  UseCaseDescription: z.string().max(5000).optional(),
  AdditionalContactEmailAddresses: z
    .array(
      z
        .string()
        .min(6)
        .max(254)
        .regex(/^.+@.+$/),
    )
    .min(1)
    .max(4)
    .optional(),
  ProductionAccessEnabled: z.boolean().nullish(),
});

/** Account level operations (aws-facts 1.1). */
export function accountRoutes(limits: SendingLimitsService, clock: Clock): SesRoute[] {
  return [
    {
      operation: 'GetAccount',
      method: 'GET',
      path: '/v2/email/account',
      handle: (call) => getAccount(call, limits, clock),
    },
    { operation: 'PutAccountDetails', method: 'POST', path: '/v2/email/account/details', handle: putDetails },
    { operation: 'PutAccountSendingAttributes', method: 'PUT', path: '/v2/email/account/sending', handle: putSending },
    {
      operation: 'PutAccountSuppressionAttributes',
      method: 'PUT',
      path: '/v2/email/account/suppression',
      handle: putSuppression,
    },
    {
      operation: 'PutAccountDedicatedIpWarmupAttributes',
      method: 'PUT',
      path: '/v2/email/account/dedicated-ips/warmup',
      handle: putWarmup,
    },
    // Tags are accepted and not kept: nothing the product decides depends on them.
    { operation: 'TagResource', method: 'POST', path: '/v2/email/tags', handle: () => ({}) },
    { operation: 'UntagResource', method: 'DELETE', path: '/v2/email/tags', handle: () => ({}) },
    { operation: 'ListTagsForResource', method: 'GET', path: '/v2/email/tags', handle: () => ({ Tags: [] }) },
  ];
}

function getAccount(call: SesCall, limits: SendingLimitsService, clock: Clock): unknown {
  const { state } = call;
  return {
    DedicatedIpAutoWarmupEnabled: state.autoWarmup,
    EnforcementStatus: state.suspended ? 'SHUTDOWN' : state.enforcementStatus,
    ProductionAccessEnabled: state.productionAccess,
    SendQuota: {
      Max24HourSend: state.max24HourSend,
      MaxSendRate: state.maxSendRate,
      SentLast24Hours: limits.sentLast24Hours(call.accountId, call.region, clock.nowMs()),
    },
    SendingEnabled: state.sendingEnabled && !state.suspended && state.enforcementStatus !== 'SHUTDOWN',
    SuppressionAttributes: { SuppressedReasons: state.suppressedReasons },
    ...(state.details === undefined ? {} : { Details: state.details }),
    PricingAttributes: { CurrentPlan: state.pricingPlan ?? 'NONE' },
  };
}

function putDetails(call: SesCall): unknown {
  const { ProductionAccessEnabled: wanted, ...given } = bodyOf(call, details);
  const review = call.state.details?.ReviewDetails.Status;
  if (review === 'PENDING' || review === 'DENIED') {
    throw new AwsError('ConflictException', 409, 'Your account details cannot be updated while a review is open.');
  }
  const granted = wanted !== true || call.state.productionAccess;
  call.state.details = {
    ...given,
    ReviewDetails: { Status: granted ? 'GRANTED' : 'PENDING', CaseId: randomUUID() },
  };
  return {};
}

function putSending(call: SesCall): unknown {
  const { SendingEnabled: enabled } = bodyOf(call, z.object({ SendingEnabled: z.boolean().default(false) }));
  if (enabled && (call.state.enforcementStatus === 'SHUTDOWN' || call.state.suspended)) {
    throw badRequest('Sending was paused by Amazon SES and cannot be enabled with this operation.');
  }
  call.state.sendingEnabled = enabled;
  return {};
}

function putSuppression(call: SesCall): unknown {
  const body = bodyOf(call, z.object({ SuppressedReasons: z.array(z.enum(['BOUNCE', 'COMPLAINT'])).default([]) }));
  call.state.suppressedReasons = body.SuppressedReasons;
  return {};
}

function putWarmup(call: SesCall): unknown {
  call.state.autoWarmup = bodyOf(call, z.object({ AutoWarmupEnabled: z.boolean().default(false) })).AutoWarmupEnabled;
  return {};
}
