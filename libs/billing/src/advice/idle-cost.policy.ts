import type { LaneId, SendingAccountId } from '@libs/kernel';
import { ascending, IDLE } from '../cost/allocation.policy';
import type { CostShare } from './cost-share';
import { topicOfCost, type Topic } from './topic.policy';

/** What to do about it. */
export const IDLE_HINTS = [
  /** Dedicated IPs stand in no pool: put them into one, or give them back. */
  'ASSIGN_OR_RETURN_IPS',
  /** Most of a shared pool's hours pass unused: have fewer IPs in it, or more tenants. */
  'SHRINK_POOL',
  /** Nobody sends through an account that is paid for: move tenants to it, put it on a plan without a fee, or close it. */
  'USE_OR_CLOSE_ACCOUNT',
  /** What AWS's bill charges for nothing we know: look at the account. */
  'EXPLAIN_CHARGE',
  /** Little of it is unused, as nights and weekends are. */
  'NONE',
] as const;
export type IdleHint = (typeof IDLE_HINTS)[number];

/** What nobody used of one thing in one pool of one account. */
export interface IdleRow {
  readonly sendingAccountId: SendingAccountId | null;
  /** The pool; null = none. */
  readonly laneId: LaneId | null;
  readonly topic: Topic;
  readonly idleMicro: bigint;
  /** What all of it cost, used or not. */
  readonly wholeMicro: bigint;
  /** Thousandths of the whole; null where there is no whole. */
  readonly idlePermille: bigint | null;
  readonly hint: IdleHint;
}

const MOSTLY_IDLE_PERMILLE = 500n;

/** Dearest first. Rows add up to everything that is idle in the period. */
export function idleRows(costs: readonly CostShare[]): IdleRow[] {
  const groups = new Map<string, Omit<IdleRow, 'idlePermille' | 'hint'>>();
  for (const share of costs) {
    const { sendingAccountId, laneId } = share;
    const topic = topicOfCost(share.sku, share.category);
    const place = [sendingAccountId ?? '', laneId ?? '', topic].join('|');
    const group = groups.get(place) ?? { sendingAccountId, laneId, topic, idleMicro: 0n, wholeMicro: 0n };
    groups.set(place, {
      ...group,
      idleMicro: group.idleMicro + (share.bearer === IDLE ? share.costMicro : 0n),
      wholeMicro: group.wholeMicro + share.costMicro,
    });
  }
  return [...groups]
    .filter(([, group]) => group.idleMicro !== 0n)
    .sort(([a, one], [b, other]) => dearestFirst(one.idleMicro, other.idleMicro) || ascending(a, b))
    .map(([, group]) => {
      const idlePermille = group.wholeMicro > 0n ? (group.idleMicro * 1_000n) / group.wholeMicro : null;
      return { ...group, idlePermille, hint: hintOf({ ...group, idlePermille }) };
    });
}

function hintOf({ laneId, topic, idlePermille }: Omit<IdleRow, 'hint'>): IdleHint {
  switch (topic) {
    case 'DEDICATED_IPS':
      if (laneId === null) return 'ASSIGN_OR_RETURN_IPS';
      return idlePermille !== null && idlePermille >= MOSTLY_IDLE_PERMILLE ? 'SHRINK_POOL' : 'NONE';
    case 'FEES':
      return 'USE_OR_CLOSE_ACCOUNT';
    default:
      return 'EXPLAIN_CHARGE';
  }
}

function dearestFirst(a: bigint, b: bigint) {
  return a === b ? 0 : a > b ? -1 : 1;
}
