import type { SendingAccount } from '@libs/fleet';
import type { LaneId, SendingAccountId } from '@libs/kernel';
import type { LedgerStats } from '@libs/quota';

/** Why an account sends nothing for now, as far as waiting for it makes no sense. */
export type Closed = 'refused' | 'frozen' | 'day';

type Facts = Pick<SendingAccount, 'state' | 'sendingEnabled'>;
type Figures = Pick<LedgerStats, 'nowMs' | 'frozenUntilMs' | 'quota' | 'used24h'>;

/** What of a day counts as used up: the ledger keeps a little back for requests on their way. */
const NEARLY = 999n;

/** Undefined while the account sends. @param figures undefined when it has no ledger at the moment */
export function closedBy(account: Facts, figures: Figures | undefined): Closed | undefined {
  if (!account.sendingEnabled || account.state === 'PAUSED' || account.state === 'SUSPENDED') return 'refused';
  if (!figures) return undefined;
  if (figures.frozenUntilMs > figures.nowMs) return 'frozen';
  if (figures.quota >= 0n && figures.used24h * 1000n >= figures.quota * NEARLY) return 'day';
  return undefined;
}

/** How many times the usual patience a used-up day gets: its ring may free at any minute. */
export const DAY_PATIENCE = 10;

export interface Sibling {
  readonly sendingAccountId: SendingAccountId;
  readonly laneId: LaneId;
  readonly region: string;
  /** Recipients that it may still be granted today. */
  readonly room: number;
}

/**
 * Those that take over, the one with most room first, and among equals always the same one; none when none has any. One of each
 * region: a message that asks for a region takes the first that serves it, all others the first.
 */
export function takersOf(siblings: readonly Sibling[]): Sibling[] {
  return siblings
    .filter(({ room }) => room > 0)
    .sort((a, b) => {
      if (a.room !== b.room) return b.room > a.room ? 1 : -1;
      return a.sendingAccountId < b.sendingAccountId ? -1 : 1;
    })
    .filter(({ region }, i, sorted) => sorted.findIndex((one) => one.region === region) === i);
}

/** Recipients that an open account may still be granted in its day; infinite without a quota. */
export function roomOf({ quota, used24h }: Figures): number {
  return quota < 0n ? Number.POSITIVE_INFINITY : Math.max(0, Number(quota - used24h));
}
