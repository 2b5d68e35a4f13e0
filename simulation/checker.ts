import type { AttemptId, MessageId, SendingAccountId, TenantId } from '@libs/kernel';
import type { SimulatedProcess } from './world/simulated-process';
import type { Arrival } from './world/provider';
import type { AttemptRow, MessageRow, Tables } from './world/tables';
import type { Trace } from './trace';

export type Rule =
  | 'lost'
  | 'duplicate'
  | 'over-quota'
  | 'over-rate'
  | 'no-intent'
  | 'claimed-twice'
  | 'epoch-backwards'
  | 'sent-taken-back'
  | 'unfair'
  | 'starved'
  | 'stuck'
  | 'fault';

export interface Violation {
  readonly rule: Rule;
  readonly atMs: number;
  readonly what: string;
  /** The last things that happened before it. */
  readonly before: readonly string[];
}

interface Copy {
  readonly attempt: AttemptId;
  readonly atMs: number;
  readonly process: SimulatedProcess | undefined;
  answeredMs: number | undefined;
  eventMs: number | undefined;
}

/** After a worker has started on a dead one's host, its record must have been replayed within this. */
const REPLAYED_MS = 60_000;
const SLACK = 1.1;

/** Judges a run by what the provider saw, not by what the engine believes. */
export class Checker {
  readonly violations: Violation[] = [];
  readonly counts = new Map<Rule, number>();
  duplicates = 0;
  taken = 0;
  worstSecond = 0;
  readonly perTenant = new Map<TenantId, number>();
  /** When SES took something of an account last. */
  readonly lastTaken = new Map<SendingAccountId, number>();
  private readonly copies = new Map<MessageId, Copy[]>();
  private readonly departures = new Map<AttemptId, SimulatedProcess>();
  private readonly long = new Set<MessageId>();
  private readonly epochs = new Map<string, bigint>();
  private readonly deaths = new Map<SimulatedProcess, number>();
  private readonly starts: { readonly host: unknown; readonly atMs: number }[] = [];

  constructor(
    private readonly nowMs: () => number,
    private readonly tables: Tables,
    private readonly trace: Trace,
  ) {}

  violate(rule: Rule, what: string): void {
    this.trace.note(`VIOLATION ${rule}: ${what}`);
    this.counts.set(rule, (this.counts.get(rule) ?? 0) + 1);
    if (this.violations.length < 20) this.violations.push({ rule, atMs: this.nowMs(), what, before: this.trace.tail });
  }

  started(process: SimulatedProcess): void {
    this.starts.push({ host: process.host, atMs: this.nowMs() });
  }

  died(process: SimulatedProcess): void {
    this.deaths.set(process, this.nowMs());
  }

  /** A request is being written: only on a committed intent of this very process. */
  departing(process: SimulatedProcess, { attempt }: Arrival): void {
    const row = this.tables.attempts.get(attempt);
    const batch = row && this.tables.batches.get(row.batchId);
    if (row?.state !== 'INTENT' || batch?.state !== 'OPEN' || batch.worker !== process.name) {
      const seen = `attempt ${row?.state ?? 'missing'}, batch ${batch?.state ?? 'missing'} of ${batch?.worker ?? 'nobody'}`;
      this.violate('no-intent', `${process.name} sends ${this.trace.name('attempt', attempt)}: ${seen}`);
    }
    this.departures.set(attempt, process);
  }

  takenBySes({ account, attempt, message, recipients }: Arrival, overQuota: number): void {
    this.taken += recipients;
    this.lastTaken.set(account, this.nowMs());
    if (overQuota > 0) {
      this.violate('over-quota', `${String(overQuota)} recipients over on ${this.trace.name('account', account)}`);
    }
    const process = this.departures.get(attempt);
    this.departures.delete(attempt);
    const earlier = this.copies.get(message) ?? [];
    if (earlier.length > 0 || this.long.has(message)) this.judgeCopy(message, attempt, earlier);
    this.copies.set(message, [
      ...earlier,
      { attempt, atMs: this.nowMs(), process, answeredMs: undefined, eventMs: undefined },
    ]);
    const row = this.tables.messages.get(message);
    if (row) this.perTenant.set(row.tenantId, (this.perTenant.get(row.tenantId) ?? 0) + recipients);
  }

  written(account: SendingAccountId, inSecond: number, rate: number, largest: number): void {
    this.worstSecond = Math.max(this.worstSecond, Math.max(0, inSecond - largest) / rate);
    if (inSecond > rate * SLACK + largest) {
      const name = this.trace.name('account', account);
      this.violate('over-rate', `${String(inSecond)} recipients in a second at ${String(rate)}/s on ${name}`);
    }
  }

  answered(attempt: AttemptId, message: MessageId): void {
    const copy = this.copies.get(message)?.find((one) => one.attempt === attempt);
    if (copy) copy.answeredMs ??= this.nowMs();
  }

  eventApplied(attempt: AttemptId, message: MessageId): void {
    const copy = this.copies.get(message)?.find((one) => one.attempt === attempt);
    if (copy) copy.eventMs ??= this.nowMs();
  }

  opened(server: string, account: SendingAccountId, epoch: bigint): void {
    const key = `${server} ${account}`;
    const last = this.epochs.get(key) ?? 0n;
    if (epoch <= last) this.violate('epoch-backwards', `epoch ${String(epoch)} after ${String(last)}`);
    this.epochs.set(key, epoch);
  }

  /** Before a message is forgotten, or at the end of a run. */
  judge(message: MessageRow): void {
    const sent = (this.copies.get(message.id)?.length ?? 0) > 0 || this.long.has(message.id);
    if (message.state === 'SENT' && !sent) {
      this.violate('lost', `${this.trace.name('message', message.id)} is SENT and SES never took it`);
    }
  }

  /** Remembers of a message only that it was sent. */
  forget(message: MessageRow): void {
    this.judge(message);
    if (this.copies.delete(message.id)) this.long.add(message.id);
  }

  /** Another copy may be sent only if nobody could know of the one before when it was claimed. */
  private judgeCopy(message: MessageId, attempt: AttemptId, earlier: readonly Copy[]): void {
    this.duplicates += 1;
    const row = this.tables.attempts.get(attempt);
    const name = this.trace.name('message', message);
    if (earlier.some((copy) => copy.attempt === attempt)) {
      this.violate('duplicate', `${name}: one attempt was written twice`);
      return;
    }
    if (this.tables.messages.get(message)?.policy === 'AT_MOST_ONCE')
      this.violate('duplicate', `${name} was to go at most once`);
    const claimedMs = row ? this.claimedAt(row) : this.nowMs();
    for (const copy of earlier) {
      if (copy.eventMs !== undefined && copy.eventMs < claimedMs) {
        this.violate('duplicate', `${name} was sent again although its Send event had come`);
      } else if (copy.answeredMs !== undefined && copy.answeredMs < claimedMs && this.knew(copy, claimedMs)) {
        this.violate('duplicate', `${name} was sent again although SES's answer was known`);
      }
    }
  }

  private claimedAt(row: AttemptRow): number {
    return this.claims.get(row.id) ?? this.nowMs();
  }

  private readonly claims = new Map<AttemptId, number>();

  claimed(attempt: AttemptId): void {
    this.claims.set(attempt, this.nowMs());
    if (this.claims.size > 20_000)
      for (const id of this.claims.keys()) {
        this.claims.delete(id);
        if (this.claims.size <= 10_000) break;
      }
  }

  /** True when what that process knew was within reach: it lives, or its record was there to be replayed. */
  private knew({ process, answeredMs }: Copy, atMs: number): boolean {
    if (!process) return false;
    const died = this.deaths.get(process);
    if (died === undefined) return !process.isFrozen && (answeredMs ?? 0) + REPLAYED_MS < atMs;
    return this.starts.some(
      ({ host, atMs: start }) => host === process.host && start > died && start + REPLAYED_MS < atMs,
    );
  }
}
