import type { SendingAccountId } from '@libs/kernel';

/** Why Redis does not serve the ledger. */
export type UnavailableReason =
  /** `maxmemory` is reached: nothing can be written until memory is freed or raised. */
  | 'out-of-memory'
  /** It may throw keys away when its memory is full: maxmemory-policy must be noeviction. */
  | 'evicting'
  /** A replica, or a server that refuses writes because it cannot save (MISCONF, too few replicas). */
  | 'read-only'
  /** It starts, and reads its data from disk. */
  | 'loading'
  /** A script of somebody else holds it. */
  | 'busy'
  /** A cluster without an owner for this account's slot. */
  | 'cluster-down'
  /** Its slot is on its way to another node of the cluster, which has a part of the keys already. */
  | 'moving'
  /** A newer version of Postfleet has built it. */
  | 'newer-version'
  /** No connection, or it broke before the answer: the script may have run or not. */
  | 'unreachable';

/** What a person does about it. Nothing where it passes by itself, or where Redis or we have said so already. */
const FIXES: Readonly<Partial<Record<UnavailableReason, string>>> = {
  'out-of-memory': 'Raise maxmemory, or give the queue and the ledger a server of their own.',
  'read-only':
    'REDIS_URL must name a master that can write to its disk and has the replicas it asks for (INFO replication, INFO persistence).',
  busy: 'Find the script of somebody else (SLOWLOG GET), and end it with SCRIPT KILL.',
  'cluster-down': 'A master is lost and no replica has taken its slots (CLUSTER INFO): start it again, or promote one.',
  'newer-version':
    'Let the newer version replace this process. Where it was stopped, this one goes on after three minutes.',
  unreachable: 'Start Redis, or correct REDIS_URL.',
};

/**
 * Redis does not answer as a ledger must: nothing is granted. Waiting and asking again, with the same op id, is safe; one
 * line in the log says it for as long as it lasts.
 */
export class LedgerUnavailable extends Error {
  constructor(
    readonly reason: UnavailableReason,
    readonly sendingAccountId: SendingAccountId,
    override readonly cause: Error,
  ) {
    const fix = FIXES[reason];
    super(`the ledger cannot be used (${reason}): ${cause.message}${fix === undefined ? '' : ` ${fix}`}`);
    this.name = 'LedgerUnavailable';
  }
}

/** This host's clock, that of Redis or the time of a ledger disagree by more than is safe: nothing is built on them, nothing granted. */
export class LedgerClockWrong extends Error {
  constructor(readonly sendingAccountId: SendingAccountId) {
    super(
      'the clocks of this host and of Redis, or the time of the ledger, differ by more than 5 s: set all hosts by NTP',
    );
    this.name = 'LedgerClockWrong';
  }
}

const REASONS: readonly (readonly [RegExp, UnavailableReason])[] = [
  [/^OOM\b|^-?OOM command/, 'out-of-memory'],
  [/^EVICTS\b/, 'evicting'],
  [/^NEWER\b/, 'newer-version'],
  [/^(READONLY|MISCONF|NOREPLICAS|MASTERDOWN)\b/, 'read-only'],
  [/^LOADING\b/, 'loading'],
  [/^BUSY\b/, 'busy'],
  [/^(CLUSTERDOWN|TRYAGAIN|MOVED|ASK)\b|Failed to refresh slots cache|Too many Cluster redirections/, 'cluster-down'],
  [/Script attempted to access a non local key/, 'moving'],
  [
    /Connection is closed|Stream isn't writeable|max retries per request|Connection timeout|Command timed out|None of startup nodes|Cluster isn't ready/,
    'unreachable',
  ],
];
const SOCKET_CODES = /^(ECONN|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN)/;

/** Undefined for an error that is no state of Redis but a fault of ours. */
export function unavailableReason(error: Error): UnavailableReason | undefined {
  // A script that failed inside carries the reason of its command after its own words.
  const message = error.message.replace(/^ERR Error running script[^:]*: @user_script:\d+: /, '');
  const known = REASONS.find(([pattern]) => pattern.test(message));
  if (known) return known[1];
  const { code } = error as NodeJS.ErrnoException;
  return code !== undefined && SOCKET_CODES.test(code) ? 'unreachable' : undefined;
}
