import type { Mode, SendingAccountId } from '@libs/kernel';
import type { SendingAccountState } from '@libs/fleet';

/** A sending account as placement weighs it. */
export interface Candidate {
  readonly id: SendingAccountId;
  /** What an operator calls it: account id and region. */
  readonly label: string;
  readonly tier: string;
  readonly mode: Mode;
  readonly state: SendingAccountState;
  /** Recipients per rolling 24 h; -1 = unlimited. */
  readonly quota: bigint;
  /** Sum of the daily limits of the plans of the tenants placed there. */
  readonly committed: bigint;
  /** Tenants placed there. */
  readonly tenants: number;
}

export interface Wish {
  readonly tier: string;
  readonly mode: Mode;
  /** Recipients a day the tenant's plan allows; null = no limit of its own. */
  readonly demand: bigint | null;
}

export type Choice =
  { readonly chosen: Candidate; readonly reason: string } | { readonly chosen: undefined; readonly reason: string };

const UNLIMITED = -1n;

/** Recipients a day that no plan has claimed yet; negative when plans promise more than AWS allows; undefined = unlimited. */
export function headroom({ quota, committed }: Pick<Candidate, 'quota' | 'committed'>): bigint | undefined {
  return quota === UNLIMITED ? undefined : quota - committed;
}

/**
 * Whether mail of that mode may be placed there. Live mail wants production access and no review, pause or suspension;
 * a sandbox never carries it. Test mail goes to the simulator's account, which serves every tier.
 */
export function isUsable(candidate: Pick<Candidate, 'mode' | 'state'>, mode: Mode): boolean {
  if (candidate.mode !== mode) return false;
  return mode === 'LIVE' ? candidate.state === 'PRODUCTION' : !['PAUSED', 'SUSPENDED'].includes(candidate.state);
}

export function fitsTier(candidate: Pick<Candidate, 'tier' | 'mode'>, tier: string): boolean {
  return candidate.mode === 'TEST' || candidate.tier === tier;
}

/**
 * The usable account of the tier with the most headroom; among equals the one with the fewest tenants, then the lowest
 * id, so that the same facts always give the same answer. Limits of plans are ceilings that tenants rarely reach and the
 * ledger enforces AWS's quota whatever is promised, so an account may be promised beyond its quota: the reason says so.
 */
export function chooseSendingAccount(wish: Wish, candidates: readonly Candidate[]): Choice {
  const ofTier = candidates
    .filter((candidate) => candidate.mode === wish.mode && fitsTier(candidate, wish.tier))
    .sort(byHeadroom);
  const chosen = ofTier.find((candidate) => isUsable(candidate, wish.mode));
  const subject = wish.mode === 'TEST' ? 'test mode' : `tier ${wish.tier}`;
  if (!chosen) {
    const states = ofTier.map(({ label, state }) => `${label} is ${state}`).join(', ');
    return {
      chosen: undefined,
      reason: `${subject}: no AWS account can take a tenant now (${states === '' ? 'none has joined' : states})`,
    };
  }
  return { chosen, reason: `${subject}: ${chosen.label} ${describeHeadroom(chosen, wish.demand)}` };
}

function describeHeadroom(chosen: Candidate, demand: bigint | null): string {
  const free = headroom(chosen);
  if (free === undefined) return 'has no daily quota to run out of';
  const figures = `${count(free)} of ${count(chosen.quota)} recipients a day free`;
  const short = free <= 0n || (demand !== null && demand > free);
  return short
    ? `is the least promised, and is promised beyond its quota now: ${figures} before this tenant`
    : `has the most headroom: ${figures}`;
}

function byHeadroom(a: Candidate, b: Candidate): number {
  const [freeA, freeB] = [headroom(a), headroom(b)];
  if (freeA !== freeB) {
    if (freeA === undefined) return -1;
    if (freeB === undefined) return 1;
    return freeA > freeB ? -1 : 1;
  }
  return a.tenants - b.tenants || (a.id < b.id ? -1 : 1);
}

/** The highest number that GraphQL's Int holds: plans may claim more than two million times a quota. */
const MOST = 2n ** 31n - 1n;

/** Share of the daily quota that plans have claimed, in per mille, rounded up; 0 when there is no quota. */
export function utilisationPermille(quota: bigint, committed: bigint): number {
  if (quota === UNLIMITED || committed === 0n) return 0;
  if (quota <= 0n) return 1_000;
  const share = (committed * 1_000n + quota - 1n) / quota;
  return Number(share < MOST ? share : MOST);
}

function count(value: bigint): string {
  return value.toLocaleString('en-US');
}
