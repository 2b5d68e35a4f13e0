import type { AttemptId, MessageId, SendingAccountId, Stream, TenantId } from '@libs/kernel';
import { RollingWindow } from './rolling-window';
import type { SimulatedProcess } from './world/simulated-process';
import type { Arrival } from './world/provider';
import type { AttemptRow, MessageRow, Tables } from './world/tables';
import { EPOCH_MS } from './world/virtual-time';
import type { Trace } from './trace';

export type Rule =
  | 'lost'
  | 'duplicate'
  | 'over-quota'
  | 'over-cap'
  | 'over-rate'
  | 'no-intent'
  | 'claimed-twice'
  | 'epoch-backwards'
  | 'sent-taken-back'
  | 'expired-early'
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
const DAY_MS = 86_400_000;
/** What clocks that jumped, and answers that were on their way, can make of a span of time. */
const APART_MS = 8_000;
/** A doubt of that age has been looked at again and again. */
const DOUBTFUL_MS = 120_000;
/** Events that come at all have come by then, once nothing holds them up. */
const CONFIRMED_MS = 40_000;
/** As many neighbours as silence needs to mean anything. */
const WITNESSES = 10;

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
  /** What SES took of tenants with a cap of their own, on each account. */
  private readonly ownDays = new Map<string, RollingWindow>();
  private readonly departures = new Map<AttemptId, SimulatedProcess>();
  private readonly long = new Set<MessageId>();
  private readonly epochs = new Map<string, bigint>();
  private readonly deaths = new Map<SimulatedProcess, number>();
  private readonly starts: { readonly host: unknown; readonly atMs: number }[] = [];

  constructor(
    private readonly nowMs: () => number,
    private readonly tables: Tables,
    private readonly trace: Trace,
    /** How long the engine must wait before silence counts. */
    private readonly inDoubtAfterMs: Readonly<Record<Stream, number>>,
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
    if (!row) return;
    this.perTenant.set(row.tenantId, (this.perTenant.get(row.tenantId) ?? 0) + recipients);
    this.judgeCap(account, row.tenantId, recipients);
  }

  /** A tenant's own cap, on each account by itself: nobody divides caps over accounts in these worlds. */
  private judgeCap(account: SendingAccountId, tenant: TenantId, recipients: number): void {
    const cap = this.tables.tenants.get(tenant)?.limits.dayCap ?? null;
    if (cap === null) return;
    const key = `${account} ${tenant}`;
    const day = this.ownDays.get(key) ?? new RollingWindow(DAY_MS);
    this.ownDays.set(key, day);
    day.add(this.nowMs(), recipients);
    const used = day.sum(this.nowMs());
    if (used <= Number(cap)) return;
    const name = this.trace.name('account', account);
    this.violate(
      'over-cap',
      `a tenant sent ${String(used)} recipients within a day on ${name}, its cap is ${String(cap)}`,
    );
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

  /** Mail that nobody has sent is given up. */
  expired(message: MessageRow): void {
    const early = message.expiresMs - EPOCH_MS - this.nowMs();
    if (early <= APART_MS) return;
    const name = this.trace.name('message', message.id);
    this.violate('expired-early', `${name} had ${(early / 1_000).toFixed(0)} s left`);
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
    const waitMs = row ? this.inDoubtAfterMs[row.stream] : 0;
    for (const copy of earlier) {
      if (claimedMs < copy.atMs + waitMs - APART_MS) {
        this.violate('duplicate', `${name} was sent again before silence could mean anything`);
      } else if (copy.eventMs !== undefined && copy.eventMs < claimedMs) {
        this.violate('duplicate', `${name} was sent again although its Send event had come`);
      } else if (copy.answeredMs !== undefined && copy.answeredMs < claimedMs && this.knew(copy, claimedMs)) {
        this.violate('duplicate', `${name} was sent again although SES's answer was known`);
      }
    }
  }

  /** At the end of a run: what silence was taken for, and what it was not. */
  judgeSilence(): void {
    for (const attempt of this.tables.attempts.values()) {
      const name = this.trace.name('message', attempt.messageId);
      if (attempt.errorCode === 'NoSendEvent' && attempt.state === 'NOT_SENT' && this.wasPatchy(attempt))
        this.violate('duplicate', `${name} was to go again although events of mail sent beside it were missing`);
      if (this.tables.doubts.has(attempt) && this.isClear(attempt))
        this.violate('stuck', `${name} is in doubt although everything around it was confirmed`);
    }
  }

  /** Mail of the same tenant and stream, sent at the same time and known to be, had no Send event when it was given up. */
  private wasPatchy({ accountId, tenantId, stream, createdMs, endedMs }: AttemptRow): boolean {
    const atMs = (endedMs ?? 0) - EPOCH_MS;
    return this.sentBetween(accountId, createdMs - this.beside, createdMs + this.beside).some((row) => {
      const isOne = row.tenantId === tenantId && row.stream === stream && row.knownMs < atMs - APART_MS;
      return isOne && row.confirmedMs > atMs + APART_MS;
    });
  }

  /** Enough was sent through its account at the same time, and all of that, and what came later, is long since confirmed. */
  private isClear({ accountId, messageId, createdMs, endedMs }: AttemptRow): boolean {
    const now = this.nowMs();
    const isDue = (endedMs ?? Infinity) - EPOCH_MS < now - DOUBTFUL_MS;
    if (!isDue || this.tables.messages.get(messageId)?.policy !== 'AT_LEAST_ONCE') return false;
    const around = this.sentBetween(accountId, createdMs - DOUBTFUL_MS, EPOCH_MS + now - CONFIRMED_MS);
    const beside = around.filter((row) => Math.abs(row.createdMs - createdMs) <= this.beside);
    return beside.length >= WITNESSES && around.every(({ confirmedMs }) => confirmedMs < now - CONFIRMED_MS / 2);
  }

  /** What is claimed so long before or after a doubt is its neighbour for certain. */
  private get beside(): number {
    return Math.min(...Object.values(this.inDoubtAfterMs)) - 1_000;
  }

  /** What an account claimed between the two and SES took, with when each was known to be sent, and confirmed. */
  private sentBetween(account: SendingAccountId, fromMs: number, toMs: number) {
    const rows = [...this.tables.sentOf(account)].filter(({ createdMs }) => createdMs >= fromMs && createdMs <= toMs);
    return rows.map((row) => {
      const copy = this.copies.get(row.messageId)?.find(({ attempt }) => attempt === row.id);
      return { ...row, knownMs: this.sent.get(row.id) ?? Infinity, confirmedMs: copy?.eventMs ?? Infinity };
    });
  }

  private claimedAt(row: AttemptRow): number {
    return this.claims.get(row.id) ?? this.nowMs();
  }

  private readonly claims = new Map<AttemptId, number>();

  claimed(attempt: AttemptId): void {
    this.claims.set(attempt, this.nowMs());
    forgetOldest(this.claims);
  }

  private readonly sent = new Map<AttemptId, number>();

  /** The database says something else of an attempt than before. */
  changed({ id, state }: AttemptRow): void {
    if (state !== 'SENT') this.sent.delete(id);
    else if (!this.sent.has(id)) this.sent.set(id, this.nowMs());
    forgetOldest(this.sent);
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

/** A month has millions of attempts. */
function forgetOldest(known: Map<AttemptId, number>): void {
  if (known.size <= 20_000) return;
  for (const id of known.keys()) {
    known.delete(id);
    if (known.size <= 10_000) break;
  }
}
