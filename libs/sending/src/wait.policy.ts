import type { Mode, Stream } from '@libs/kernel';
import type { EngineState } from './message';

/** The kind of limit that holds mail (API.md). A customer learns the kind, never whose account it is. */
export const LIMITS = [
  'NONE',
  'SCHEDULED_FOR_LATER',
  'ACCOUNT_DAY_QUOTA',
  'ACCOUNT_RATE',
  'POOL_WARMUP',
  'PLAN_QUOTA',
  'PLAN_RATE',
  'FAIR_SHARE',
  'DOMAIN_NOT_READY',
  'PAUSED',
] as const;
export type Limit = (typeof LIMITS)[number];

/** Why a message has not gone yet, in words, and when it should. */
export interface Wait {
  readonly limit: Limit;
  readonly explanation: string;
  /** Null when nobody can tell: it depends on somebody's decision. */
  readonly estimatedSendAt: Date | null;
  /** Messages of the same tenant and stream ahead of it; null when it does not queue. */
  readonly ahead: number | null;
}

/** A message that has not gone. Times in engine milliseconds. */
export interface Waiting {
  readonly state: EngineState;
  readonly mode: Mode;
  readonly stream: Stream;
  readonly recipients: number;
  readonly scheduledAtMs: number | null;
  readonly notBeforeMs: number | null;
  readonly aheadMessages: number;
  readonly aheadRecipients: number;
}

/** What could hold it. */
export interface Circumstances {
  readonly tenantPaused: boolean;
  readonly pausedReason: string | null;
  readonly domainReady: boolean;
  readonly accountSending: boolean;
  /** Recipients per 24 h; null = no limit of the plan's. */
  readonly planDayCap: bigint | null;
  readonly planUsed: bigint;
  /** When the plan's window frees next. */
  readonly planNextFreeMs: number | null;
  /** Recipients per second; null = no limit of the plan's. */
  readonly planRate: number | null;
  /** -1 = unlimited. */
  readonly accountQuota: bigint;
  readonly accountUsed: bigint;
  readonly accountRate: number;
  /** The account grants nothing before. */
  readonly frozenUntilMs: number;
  /** Tenants with mail waiting on the account, this one included. */
  readonly tenantsWaiting: number;
}

const DAY_MS = 86_400_000;
const LONG_FREEZE_MS = 60_000;
/** Less than this is no wait that needs a reason. */
const SOON_MS = 2_000;

/** Which limit binds, in the order in which they would have to fall; null once the message has gone or will not go. */
export function explainWait(message: Waiting, facts: Circumstances, nowMs: number): Wait | null {
  switch (message.state) {
    case 'INTENT':
      return {
        limit: 'NONE',
        explanation: 'It is being sent at this moment.',
        estimatedSendAt: new Date(nowMs),
        ahead: null,
      };
    case 'IN_DOUBT': {
      const explanation = 'It was handed over and the answer got lost; it is being found out whether it went.';
      return { limit: 'NONE', explanation, estimatedSendAt: null, ahead: null };
    }
    case 'SCHEDULED':
    case 'READY':
      return blocked(message, facts, nowMs) ?? quota(message, facts, nowMs) ?? pace(message, facts, nowMs);
    default:
      return null;
  }
}

function blocked(message: Waiting, facts: Circumstances, nowMs: number): Wait | undefined {
  const held = (limit: Limit, explanation: string, at: Date | null = null): Wait => ({
    limit,
    explanation,
    estimatedSendAt: at,
    ahead: message.state === 'READY' ? message.aheadMessages : null,
  });
  if (facts.tenantPaused) {
    const why = facts.pausedReason === null ? '' : `: ${facts.pausedReason}`;
    return held('PAUSED', `Your sending is paused${why}. It goes on when the pause ends.`);
  }
  if (message.state === 'SCHEDULED' && message.scheduledAtMs !== null && message.scheduledAtMs > nowMs) {
    const at = new Date(message.scheduledAtMs);
    return held('SCHEDULED_FOR_LATER', `You scheduled it for ${clock(message.scheduledAtMs)}.`, at);
  }
  if (!facts.domainReady) return held('DOMAIN_NOT_READY', 'The domain it is sent from is not verified at present.');
  if (!facts.accountSending)
    return held('PAUSED', 'Sending is paused on our side; the operator has been told. Nothing is lost.');
  return undefined;
}

function quota(message: Waiting, facts: Circumstances, nowMs: number): Wait | undefined {
  const need = BigInt(message.aheadRecipients + message.recipients);
  const ahead = message.aheadMessages;
  const cap = facts.planDayCap;
  if (cap !== null && facts.planUsed + need > cap) {
    // What is beyond today's room goes window by window.
    const windows = Number((facts.planUsed + need - 1n) / cap) - 1;
    const first = facts.planUsed >= cap ? (facts.planNextFreeMs ?? nowMs) : nowMs;
    const at = Math.max(nowMs, first + Math.max(0, windows) * DAY_MS, facts.planNextFreeMs ?? nowMs);
    const explanation = `Your plan sends ${String(cap)} recipients in 24 hours; ${String(facts.planUsed)} went and ${count(ahead)} ahead. Room returns from ${clock(at)} on.`;
    return { limit: 'PLAN_QUOTA', explanation, estimatedSendAt: new Date(at), ahead };
  }
  const longFrozen = facts.frozenUntilMs - nowMs > LONG_FREEZE_MS;
  const full = facts.accountQuota >= 0n && facts.accountUsed + need > facts.accountQuota;
  if (longFrozen || full) {
    const days = facts.accountQuota > 0n ? Number((facts.accountUsed + need - 1n) / facts.accountQuota) : 1;
    const at = longFrozen ? facts.frozenUntilMs : nowMs + Math.max(1, days) * DAY_MS;
    const explanation = `The capacity of the last 24 hours is in use; ${count(ahead)} ahead. It goes by ${clock(at)} at the latest.`;
    return { limit: 'ACCOUNT_DAY_QUOTA', explanation, estimatedSendAt: new Date(at), ahead };
  }
  return undefined;
}

function pace(message: Waiting, facts: Circumstances, nowMs: number): Wait {
  const need = message.aheadRecipients + message.recipients;
  const ahead = message.aheadMessages;
  const share = facts.accountRate / Math.max(1, facts.tenantsWaiting);
  const planRate = facts.planRate ?? Number.POSITIVE_INFINITY;
  const rate = Math.max(Math.min(planRate, share), 0.001);
  const start = Math.max(nowMs, facts.frozenUntilMs, message.notBeforeMs ?? nowMs);
  const at = Math.ceil(start + (need / rate) * 1_000);
  const estimatedSendAt = new Date(at);
  if (at - nowMs <= SOON_MS) return { limit: 'NONE', explanation: 'It goes out now.', estimatedSendAt, ahead };
  const [limit, why]: [Limit, string] =
    planRate <= share
      ? ['PLAN_RATE', `Your plan sends ${String(facts.planRate)} recipients a second`]
      : facts.tenantsWaiting > 1
        ? ['FAIR_SHARE', 'Others send at the same time and everybody gets a fair share']
        : ['ACCOUNT_RATE', `Mail leaves at ${String(facts.accountRate)} recipients a second`];
  return { limit, explanation: `${why}; ${count(ahead)} ahead.`, estimatedSendAt, ahead };
}

function count(ahead: number): string {
  return ahead === 1 ? '1 message of yours is' : `${ahead === 0 ? 'no' : String(ahead)} messages of yours are`;
}

/** 2026-11-22 09:38 UTC. */
function clock(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}
