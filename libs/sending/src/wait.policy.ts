import type { Mode, Stream } from '@libs/kernel';
import type { EngineState } from './engine-state';
import { isHeldByOthers, leftWithThe, type OtherTenant } from './fair-share.policy';
import { grownRoomAt, roomAt } from './rolling-room.policy';

/** The kind of limit that holds mail (API.md). A customer learns the kind, never whose account it is. */
export const LIMITS = [
  'NONE',
  'SCHEDULED_FOR_LATER',
  'ACCOUNT_DAY_QUOTA',
  'ACCOUNT_RATE',
  'POOL_WARMUP',
  'PLAN_QUOTA',
  'RAMP',
  'PLAN_RATE',
  'FAIR_SHARE',
  'REGION',
  'DOMAIN_NOT_READY',
  'PAUSED',
  'SPEND_CAP',
] as const;
export type Limit = (typeof LIMITS)[number];

/** Why a message has not gone yet, in words, and when it should. */
export interface Wait {
  readonly limit: Limit;
  readonly explanation: string;
  /** Null when nobody can tell: it depends on somebody's decision. */
  readonly estimatedSendAt: Date | null;
  /** Messages of the same tenant that go first; null when it does not queue. */
  readonly ahead: number | null;
}

/** A message that has not gone. Times in engine milliseconds. */
export interface Waiting {
  readonly state: EngineState;
  readonly mode: Mode;
  readonly stream: Stream;
  readonly recipients: number;
  /** The region it asks for. */
  readonly region: string | null;
  /** Its domain is verified, but not set up yet where it leaves. */
  readonly routeMissing: boolean;
  /** Its tenant's way out for this kind of mail is switched off where it leaves. */
  readonly routePaused: boolean;
  /** SES refused mail of its route lately: nothing goes before, engine milliseconds. Null = it never did. */
  readonly routeHeldUntilMs: number | null;
  readonly scheduledAtMs: number | null;
  readonly notBeforeMs: number | null;
  readonly expiresAtMs: number;
  readonly aheadMessages: number;
  readonly aheadRecipients: number;
}

/** Caps of a dedicated pool, and how much of them is used, recipients; when the oldest of those leave, engine milliseconds. */
export interface WarmUp {
  readonly dayCap: number | null;
  readonly usedDay: number;
  readonly dayReturnsAtMs: number;
  readonly hourCap: number | null;
  readonly usedHour: number;
  readonly hourReturnsAtMs: number;
}

/** What could hold it. */
export interface Circumstances {
  readonly tenantPaused: boolean;
  readonly pausedReason: string | null;
  /** Until when its stream is stopped at the tenant's spend cap, engine milliseconds; null = it is not. */
  readonly heldUntilMs: number | null;
  readonly domainReady: boolean;
  /** The same where it leaves, as SES says at present. */
  readonly domainVerified: boolean;
  readonly accountSending: boolean;
  /** Recipients per 24 h of the plan, or of the ramp on which its volume grows; null = no limit of the tenant's. */
  readonly dayCap: bigint | null;
  readonly dayLimit: 'PLAN_QUOTA' | 'RAMP';
  /** What it will be on the days after today where it grows, the last one on all later days; empty = it stays. */
  readonly laterCaps: readonly bigint[];
  readonly tenantUsed: bigint;
  /** When the tenant's window frees next. */
  readonly tenantNextFreeMs: number | null;
  /** Recipients per second; null = no limit of the plan's. */
  readonly planRate: number | null;
  /** -1 = unlimited. */
  readonly accountQuota: bigint;
  /** What is kept back from mail of its stream included. */
  readonly accountUsed: bigint;
  readonly accountRate: number;
  /** When a full day of the account has room again; null = not known. */
  readonly accountRoomReturnsMs: number | null;
  /** The warm-up caps of the pool it leaves through; null = none. */
  readonly warmUp: WarmUp | null;
  /** Another account of the tenant's could take it now, but for the region it asks for. */
  readonly openElsewhere: boolean;
  /** The account grants nothing before. */
  readonly frozenUntilMs: number;
  /** When the rate of the account is free again: what was granted before and has not gone goes first. Engine milliseconds. */
  readonly rateFreeMs: number;
  /** The weight of the tenant's plan. */
  readonly weight: number;
  /** Those who wait on the account besides and do not stand behind this message. */
  readonly others: readonly OtherTenant[];
}

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
const LONG_FREEZE_MS = 60_000;
/** Less than this is no wait that needs a reason. */
const SOON_MS = 2_000;

/**
 * Which limit binds; null once the message has gone or will not go. Of several that hold it the one that falls last, and before all
 * of them one whose end nobody can tell.
 */
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
      return withItsEnd(explainWaiting(message, facts, nowMs), message);
    default:
      return null;
  }
}

/** Says so when it would expire first, while there is time to send it anew. */
function withItsEnd(wait: Wait, { expiresAtMs }: Waiting): Wait {
  if (wait.estimatedSendAt === null || wait.estimatedSendAt.getTime() < expiresAtMs) return wait;
  const explanation = `${wait.explanation} It expires before that, at ${clock(expiresAtMs)}; with a later expiresAt it could wait.`;
  return { ...wait, explanation };
}

function explainWaiting(message: Waiting, facts: Circumstances, nowMs: number): Wait {
  const held = heldBy(message, facts, nowMs);
  const own = scheduled(message, nowMs);
  if (!own) return held ?? pace(message, facts, nowMs);
  // A domain that is looked at, or set up, every few seconds says nothing about a time to come.
  const last = held?.limit === 'DOMAIN_NOT_READY' ? own : (lastOf([own, held]) ?? own);
  return { ...last, ahead: null };
}

/** What holds it besides its turn. */
function heldBy(message: Waiting, facts: Circumstances, nowMs: number): Wait | undefined {
  const account = atAccount(message, facts, nowMs);
  const own = blocked(message, facts, nowMs);
  if (own) return own.limit === 'PAUSED' ? (lastOf([own, account]) ?? own) : own;
  return lastOf([tenantQuota(message, facts, nowMs), account, warmUp(message, facts, nowMs)]);
}

function scheduled({ state, scheduledAtMs }: Waiting, nowMs: number): Wait | undefined {
  if (state !== 'SCHEDULED' || scheduledAtMs === null || scheduledAtMs <= nowMs) return undefined;
  const explanation = `You scheduled it for ${clock(scheduledAtMs)}.`;
  return { limit: 'SCHEDULED_FOR_LATER', explanation, estimatedSendAt: new Date(scheduledAtMs), ahead: null };
}

function lastOf(limits: readonly (Wait | undefined)[]): Wait | undefined {
  const endOf = ({ estimatedSendAt }: Wait) => estimatedSendAt?.getTime() ?? Number.POSITIVE_INFINITY;
  return limits.reduce((last, next) => (next && (!last || endOf(next) > endOf(last)) ? next : last), undefined);
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
  if (facts.heldUntilMs !== null && facts.heldUntilMs > nowMs) {
    const until = clock(facts.heldUntilMs);
    const explanation = `Your charges of this month have reached your spend cap. It goes on when you raise or remove the cap, or on ${until}.`;
    return held('SPEND_CAP', explanation, new Date(facts.heldUntilMs));
  }
  if (!facts.domainReady) return held('DOMAIN_NOT_READY', 'The domain it is sent from is not verified at present.');
  if (message.routePaused) {
    return held(
      'PAUSED',
      'Mail of this stream is paused where it leaves. It goes on when the pause ends; nothing is lost.',
    );
  }
  if (!message.routeMissing && !facts.domainVerified) {
    return held(
      'DOMAIN_NOT_READY',
      'Amazon SES no longer finds the domain it is sent from verified. Look whether its DNS records are as they were; it goes on by itself once they are.',
    );
  }
  if (message.routeHeldUntilMs !== null && message.routeHeldUntilMs > nowMs) {
    const at = new Date(message.routeHeldUntilMs);
    const explanation = `Amazon SES refuses mail on our side; the operator is told. It is tried again from ${clock(message.routeHeldUntilMs)} on; nothing is lost.`;
    return held('PAUSED', explanation, at);
  }
  if (message.routeMissing) {
    return held('DOMAIN_NOT_READY', 'The domain it is sent from is being set up where your mail leaves.');
  }
  return undefined;
}

function tenantQuota(message: Waiting, facts: Circumstances, nowMs: number): Wait | undefined {
  const need = BigInt(message.aheadRecipients + message.recipients);
  const ahead = message.aheadMessages;
  const cap = facts.dayCap;
  if (cap === null || facts.tenantUsed + need <= cap) return undefined;
  const { recipients } = message;
  const firstFreeMs = facts.tenantNextFreeMs;
  const day = { limit: cap, used: facts.tenantUsed, recipients, need, firstFreeMs, nowMs, spanMs: DAY_MS };
  const at = grownRoomAt(day, facts.laterCaps) ?? roomAt(day);
  const who =
    facts.dayLimit === 'RAMP'
      ? `Your volume grows step by step: ${String(cap)} recipients today`
      : `Your plan sends ${String(cap)} recipients in 24 hours`;
  const explanation = `${who}; ${String(facts.tenantUsed)} went and ${count(ahead)} ahead. ${returning(at, cap)}`;
  return { limit: facts.dayLimit, explanation, estimatedSendAt: at, ahead };
}

/** Its account is closed; where it only asks for the region of that one, the region holds it. */
function atAccount(message: Waiting, facts: Circumstances, nowMs: number): Wait | undefined {
  const account = accountClosed(message, facts, nowMs);
  if (!account || message.region === null || !facts.openElsewhere) return account;
  const explanation = `You asked for ${message.region}, and your mail cannot leave from there now; elsewhere it could.`;
  return { ...account, limit: 'REGION', explanation };
}

function accountClosed(message: Waiting, facts: Circumstances, nowMs: number): Wait | undefined {
  const own = message.aheadRecipients + message.recipients;
  // Others take their part of what is left of the day, as they do of the rate.
  const need = BigInt(Math.ceil(leftWithThe(own, facts.weight, facts.others)));
  const ahead = message.aheadMessages;
  if (!facts.accountSending) {
    const explanation = 'Sending is paused on our side; the operator has been told. Nothing is lost.';
    return { limit: 'PAUSED', explanation, estimatedSendAt: null, ahead };
  }
  if (facts.accountQuota === 0n) {
    const explanation = `Amazon SES allows no mail where yours leaves; ${count(ahead)} ahead. ${returning(null, 0n)}`;
    return { limit: 'ACCOUNT_DAY_QUOTA', explanation, estimatedSendAt: null, ahead };
  }
  const longFrozen = facts.frozenUntilMs - nowMs > LONG_FREEZE_MS;
  const full = facts.accountQuota >= 0n && facts.accountUsed + need > facts.accountQuota;
  if (longFrozen || full) {
    const { accountQuota: limit, accountUsed: used, accountRoomReturnsMs: firstFreeMs } = facts;
    const { recipients } = message;
    const at = longFrozen
      ? new Date(facts.frozenUntilMs)
      : roomAt({ limit, used, recipients, need, firstFreeMs, nowMs, spanMs: DAY_MS });
    const explanation = `The capacity of the last 24 hours is in use; ${count(ahead)} ahead. ${returning(at, limit)}`;
    return { limit: 'ACCOUNT_DAY_QUOTA', explanation, estimatedSendAt: at, ahead };
  }
  return undefined;
}

function returning(at: Date | null, limit: bigint): string {
  if (at !== null) return `Room returns from ${clock(at.getTime())} on.`;
  return limit > 0n
    ? 'It has more recipients than that, and goes once the limit is raised.'
    : 'There is no room at all until the limit is raised; nothing is lost.';
}

/** A pool of dedicated addresses takes more every day until it is warm. */
function warmUp(message: Waiting, facts: Circumstances, nowMs: number): Wait | undefined {
  const caps = facts.warmUp;
  if (!caps) return undefined;
  const day = { cap: caps.dayCap, used: caps.usedDay, firstFreeMs: caps.dayReturnsAtMs, spanMs: DAY_MS };
  const hour = { cap: caps.hourCap, used: caps.usedHour, firstFreeMs: caps.hourReturnsAtMs, spanMs: HOUR_MS };
  const need = message.aheadRecipients + message.recipients;
  const over = [day, hour].filter(({ cap, used }) => cap !== null && used + need > cap);
  const [binding] = over;
  if (!binding) return undefined;
  const { recipients, aheadMessages: ahead } = message;
  const times = over.map(({ cap, used, firstFreeMs, spanMs }) =>
    roomAt({ limit: BigInt(cap ?? 0), used: BigInt(used), need: BigInt(need), recipients, firstFreeMs, nowMs, spanMs }),
  );
  const known = times.filter((time) => time !== null);
  const at = known.length < times.length ? null : new Date(Math.max(...known.map((time) => time.getTime())));
  const span = `${String(binding.cap)} recipients ${binding === day ? 'in 24 hours' : 'an hour'}`;
  const why = `The addresses your mail leaves from are warming up and take ${span}; ${count(ahead)} ahead.`;
  const outlook =
    at === null
      ? 'It has more recipients than they take, and goes once they take more.'
      : `Room returns from ${clock(at.getTime())} on.`;
  return { limit: 'POOL_WARMUP', explanation: `${why} ${outlook}`, estimatedSendAt: at, ahead };
}

/** A message goes as soon as its first recipient may, however many follow: those hold up the next one. */
function pace(message: Waiting, facts: Circumstances, nowMs: number): Wait {
  const place = message.aheadRecipients + 1;
  const ahead = message.aheadMessages;
  const withOthers = leftWithThe(place, facts.weight, facts.others);
  const planRate = facts.planRate ?? Number.POSITIVE_INFINITY;
  const bySharingS = withOthers / Math.max(facts.accountRate, 0.001);
  const byPlanS = place / Math.max(planRate, 0.001);
  const start = Math.max(nowMs, facts.frozenUntilMs, facts.rateFreeMs, message.notBeforeMs ?? nowMs);
  const at = Math.ceil(start + Math.max(bySharingS, byPlanS) * 1_000);
  const estimatedSendAt = new Date(at);
  const isTriedAt = (ms: number | null) => ms === start && start - nowMs > SOON_MS;
  if (isTriedAt(facts.frozenUntilMs) || isTriedAt(message.notBeforeMs)) {
    const what = isTriedAt(message.notBeforeMs)
      ? 'It could not be sent when it was tried'
      : 'Amazon SES takes nothing for the moment where it leaves';
    const explanation = `${what}; it is tried again from ${clock(start)} on. Nothing is lost.`;
    return { limit: 'PAUSED', explanation, estimatedSendAt, ahead };
  }
  if (at - nowMs <= SOON_MS) return { limit: 'NONE', explanation: 'It goes out now.', estimatedSendAt, ahead };
  const [limit, why]: [Limit, string] =
    byPlanS >= bySharingS
      ? ['PLAN_RATE', `Your plan sends ${String(facts.planRate)} recipients a second`]
      : isHeldByOthers(place, withOthers)
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
