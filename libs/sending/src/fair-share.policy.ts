/** A tenant that waits on the same account as the one that asks. */
export interface OtherTenant {
  /** The weight of its plan; above 0. */
  readonly weight: number;
  /** Recipients of it that wait, roughly. Infinity where its list is as long as lists may be: how much follows is not known. */
  readonly waiting: number;
}

/**
 * A ready list this long may go on in the database: lists of slow accounts hold a hundred messages, those of fast ones more,
 * and they are filled up before they are half empty.
 */
const FULL_LIST = 50;

/** Of a ready list, by its messages. */
export function othersOf(lists: readonly { readonly weight: number; readonly messages: number }[]): OtherTenant[] {
  return lists
    .filter((list) => list.messages > 0)
    .map(({ weight, messages }) => ({ weight, waiting: messages < FULL_LIST ? messages : Number.POSITIVE_INFINITY }));
}

/**
 * How many recipients an account has sent when the n-th of a tenant goes: all that wait are served by weight until they have
 * nothing left, so each of the others gets its part of what the tenant gets, and no more than it has.
 */
export function leftWithThe(n: number, weight: number, others: readonly OtherTenant[]): number {
  return others.reduce((sum, other) => sum + Math.min(other.waiting, (n * other.weight) / weight), n);
}

/** How many recipients of a tenant go among the first `room` that an account sends: what leftWithThe counts, the other way round. */
export function partOf(room: bigint, weight: number, others: readonly OtherTenant[]): bigint {
  let left = Number(room);
  let weights = others.reduce((sum, other) => sum + other.weight, weight);
  for (const { weight: own, waiting } of [...others].sort((a, b) => a.waiting / a.weight - b.waiting / b.weight)) {
    if (waiting * weights >= left * own) break;
    left -= waiting;
    weights -= own;
  }
  return BigInt(Math.floor((left * weight) / weights));
}

/** Whether sharing is what holds: others who make less than a tenth of the wait are not named as its reason. */
export function isHeldByOthers(alone: number, withOthers: number): boolean {
  return withOthers >= alone * 1.1;
}
