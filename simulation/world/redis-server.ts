import type { SendingAccountId } from '@libs/kernel';
import type { JobDefinition } from '@libs/queueing';
import { ringShape } from '../../libs/quota/src/ring.policy';
import { LedgerModel } from '../../libs/quota/src/testing';

export interface QueuedJob {
  readonly id: string;
  readonly queue: JobDefinition<unknown>['queue'];
  readonly payload: unknown;
  deliveries: number;
}

export type MakeLedger = (bucketMs: number, buckets: number) => LedgerModel;

/** One Redis: the ledgers, the locks and Bull's jobs, all gone when it is wiped. */
export class RedisServer {
  readonly ledgers = new Map<SendingAccountId, LedgerModel>();
  readonly locks = new Map<string, { readonly holder: string; readonly untilMs: number }>();
  readonly waiting: QueuedJob[] = [];
  readonly known = new Map<string, QueuedJob>();
  clockErrorMs = 0;

  constructor(
    public runId: string,
    private readonly make: MakeLedger,
  ) {}

  ledger(account: SendingAccountId): LedgerModel {
    const known = this.ledgers.get(account);
    if (known) return known;
    const { bucketMs, buckets } = ringShape(1);
    const made = this.make(bucketMs, buckets);
    this.ledgers.set(account, made);
    return made;
  }

  wipe(): void {
    this.ledgers.clear();
    this.locks.clear();
    this.waiting.length = 0;
    this.known.clear();
  }

  /** What a replica has of this server at the moment; it names itself when it is promoted. */
  replica(runId: string): RedisServer {
    const copy = new RedisServer(runId, this.make);
    copy.clockErrorMs = this.clockErrorMs;
    for (const [account, ledger] of this.ledgers) copy.ledgers.set(account, cloned(ledger));
    for (const job of this.waiting) {
      const own = { ...job };
      copy.waiting.push(own);
      copy.known.set(own.id, own);
    }
    return copy;
  }
}

/** A copy that shares nothing with the original and keeps its classes. */
function cloned<T>(value: T, seen = new Map<unknown, unknown>()): T {
  if (typeof value !== 'object' || value === null) return value;
  const known = seen.get(value);
  if (known !== undefined) return known as T;
  if (value instanceof Map) {
    const copy = new Map<unknown, unknown>();
    seen.set(value, copy);
    for (const [key, entry] of value as Map<unknown, unknown>) copy.set(cloned(key, seen), cloned(entry, seen));
    return copy as T;
  }
  if (value instanceof Set) return new Set([...(value as Set<unknown>)].map((entry) => cloned(entry, seen))) as T;
  const copy = (Array.isArray(value) ? [] : Object.create(Object.getPrototypeOf(value) as object | null)) as Record<
    string,
    unknown
  >;
  seen.set(value, copy);
  for (const [key, entry] of Object.entries(value)) copy[key] = cloned(entry, seen);
  return copy as T;
}
