import {
  domainOf,
  isSameOrBelow,
  type InDoubtPolicy,
  type Issue,
  type LaneId,
  type MessageId,
  type SendingAccountId,
  type Stream,
} from '@libs/kernel';
import type { TenantLimits } from '@libs/quota';
import { regionServes, type Draft } from './accept.policy';
import { quoted } from './accept-problems';
import { chooseByWeight } from './route-split.policy';

/** Where a tenant's stream goes out. */
export interface Route {
  readonly stream: Stream;
  readonly sendingAccountId: SendingAccountId;
  readonly laneId: LaneId;
  readonly region: string;
  readonly weight: number;
}

/** What is known of the tenant when its call is decided. */
export interface Sender {
  readonly state: 'ACTIVE' | 'PAUSED';
  readonly pausedReason: string | null;
  readonly planName: string;
  readonly streams: readonly Stream[];
  readonly limits: TenantLimits;
  /** The plan's policy for mail in doubt. */
  readonly inDoubt: Readonly<Record<Stream, InDoubtPolicy>>;
  /** Those of the tenant's domains that a From of this call could belong to. */
  readonly domains: readonly { readonly name: string; readonly ready: boolean }[];
  readonly routes: readonly Route[];
  /** Streams that were stopped at the tenant's spend cap, and until when. None in test mode. */
  readonly holds: readonly { readonly stream: Stream; readonly until: Date }[];
}

export type RouteDecision = { readonly route: Route } | { readonly issues: readonly Issue[] };

/**
 * Whether this tenant may send this entry, and through what; everything that stands in its way at once. Several placements
 * of a stream share its messages by their weights.
 */
export function chooseRoute(draft: Draft, sender: Sender, id: MessageId, now: Date): RouteDecision {
  const issues: Issue[] = [];
  if (!sender.streams.includes(draft.stream)) {
    const message = `The plan ${quoted(sender.planName)} does not include ${draft.stream} mail; it includes ${sender.streams.join(' and ')}.`;
    issues.push({ code: 'FORBIDDEN_BY_PLAN', message, path: ['stream'] });
  }
  const hold = sender.holds.find(({ stream, until }) => stream === draft.stream && until > now);
  if (hold) {
    const message = `Your charges of this month have reached your spend cap: no ${draft.stream} mail is taken before ${hold.until.toISOString()}. Raise or remove the cap with updateSpendSettings to go on at once.`;
    issues.push({ code: 'SPEND_CAP_REACHED', message, path: ['stream'], retryAt: hold.until });
  }
  const domain = domainProblem(domainOf(draft.envelope.from.email), sender);
  if (domain !== undefined) issues.push({ code: 'DOMAIN_NOT_VERIFIED', message: domain, path: ['from'] });
  const open = sender.routes.filter((candidate) => candidate.stream === draft.stream && candidate.weight > 0);
  const serving = open.filter((candidate) => regionServes(draft.region, candidate.region));
  const [any] = open;
  const route = chooseByWeight(serving, id) ?? any;
  if (issues.length === 0 && route === undefined) {
    const message = `No sending capacity is assigned to your ${draft.stream} mail yet. Ask the operator to place your account.`;
    issues.push({ code: 'NO_CAPACITY', message, path: ['stream'] });
  }
  if (route && !regionServes(draft.region, route.region)) {
    const message = `Your mail leaves from ${regionsOf(open)}; ${quoted(draft.region ?? '')} is not available to you.`;
    issues.push({ code: 'INVALID_INPUT', message, path: ['region'] });
  }
  return route && issues.length === 0 ? { route } : { issues };
}

function regionsOf(routes: readonly Route[]): string {
  return [...new Set(routes.map((route) => route.region))].sort().join(' and ');
}

function domainProblem(domain: string, sender: Sender): string | undefined {
  const own = sender.domains.filter((known) => isSameOrBelow(domain, known.name));
  if (own.some((known) => known.ready)) return undefined;
  const [pending] = own;
  if (pending) {
    return `${pending.name} is yours but not verified yet. Publish its DNS records and wait until its state is ready, then send again.`;
  }
  return `${domain} is not a verified domain of yours. Send from a domain that is, or have this one added and verify it.`;
}

/** Every name a domain could be verified under: itself and its parents. */
export function ownersOf(domain: string): string[] {
  const labels = domain.split('.');
  return labels.slice(0, -1).map((_, index) => labels.slice(index).join('.'));
}
