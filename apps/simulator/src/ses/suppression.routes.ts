import { z } from 'zod';
import type { Clock } from '@libs/kernel';
import type { SuppressedState } from '../state/simulator.state';
import { badRequest, notFound } from '../wire/aws.errors';
import { bodyOf, epochSeconds, pageOf, param, type SesCall, type SesRoute } from './ses.call';

/** The account suppression list (aws-facts 1.7). */
export function suppressionRoutes(clock: Clock): SesRoute[] {
  const path = '/v2/email/suppression/addresses';
  return [
    {
      operation: 'PutSuppressedDestination',
      method: 'PUT',
      path,
      handle: (call) => {
        const body = bodyOf(call, z.object({ EmailAddress: z.string(), Reason: z.enum(['BOUNCE', 'COMPLAINT']) }));
        const address = body.EmailAddress.toLowerCase();
        call.state.suppressed.set(address, { address, reason: body.Reason, at: clock.nowMs() });
        return {};
      },
    },
    { operation: 'ListSuppressedDestinations', method: 'GET', path, handle: list },
    {
      operation: 'GetSuppressedDestination',
      method: 'GET',
      path: `${path}/{EmailAddress}`,
      handle: (call) => ({ SuppressedDestination: { ...summary(entryOf(call)), Attributes: {} } }),
    },
    {
      operation: 'DeleteSuppressedDestination',
      method: 'DELETE',
      path: `${path}/{EmailAddress}`,
      handle: (call) => {
        call.state.suppressed.delete(entryOf(call).address);
        return {};
      },
    },
  ];
}

function list(call: SesCall): unknown {
  if (!call.state.productionAccess) {
    throw badRequest('The account suppression list cannot be listed while the account is in the sandbox.');
  }
  const reasons = call.query.getAll('Reason');
  const from = dateOf(call.query.get('StartDate')) ?? -Infinity;
  const to = dateOf(call.query.get('EndDate')) ?? Infinity;
  const all = [...call.state.suppressed.values()].filter(
    (entry) => (reasons.length === 0 || reasons.includes(entry.reason)) && entry.at >= from && entry.at <= to,
  );
  const { items, next } = pageOf(call, all);
  return { SuppressedDestinationSummaries: items.map(summary), ...next };
}

function summary(entry: SuppressedState): Record<string, unknown> {
  return { EmailAddress: entry.address, Reason: entry.reason, LastUpdateTime: epochSeconds(entry.at) };
}

function entryOf(call: SesCall): SuppressedState {
  const address = param(call, 'EmailAddress').toLowerCase();
  const entry = call.state.suppressed.get(address);
  if (entry === undefined) throw notFound(`Email address ${address} does not exist on your suppression list.`);
  return entry;
}

function dateOf(text: string | null): number | undefined {
  if (text === null) return undefined;
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) throw badRequest(`Invalid date <${text}>.`);
  return ms;
}
