import type { LaneId, SendingAccountId, TenantId } from '@libs/kernel';
import type { QueuedMessage, UsedMinute } from '@libs/quota';
import type { ExpirerRepository } from '../../libs/sending/src/engine/expirer.repository';
import type { FeederRepository, Page, WaitingLine } from '../../libs/sending/src/engine/feeder.repository';
import type { LedgerKeeperRepository } from '../../libs/sending/src/engine/ledger-keeper.repository';
import type { DoubtRow, ResolverRepository, SentThrough } from '../../libs/sending/src/engine/resolver.repository';
import type { AttemptRow, MessageRow, Tables } from './tables';

/** What FeederRepository's statements mean, on the tables in memory. */
export class FeederRows implements Pick<FeederRepository, keyof FeederRepository> {
  constructor(private readonly tables: Tables) {}

  within(): this {
    return this;
  }

  lines(): Promise<WaitingLine[]> {
    const lines = [...this.tables.lines()].flatMap(({ accountId, stream, tenantId }) => {
      const tenant = this.tables.tenants.get(tenantId);
      if (!tenant) return [];
      const { paused, limits } = tenant;
      return [
        {
          mode: 'LIVE' as const,
          placedOn: [],
          formerlyOn: [],
          sendingAccountId: accountId,
          stream,
          tenantId,
          paused,
          probing: false,
          someDomains: false,
          displaced: false,
          limits,
        },
      ];
    });
    const key = (line: WaitingLine) => `${line.sendingAccountId} ${line.stream} ${line.tenantId}`;
    return Promise.resolve(lines.sort((a, b) => (key(a) < key(b) ? -1 : 1)));
  }

  ready(pages: readonly Page[], before: string, now: Date): Promise<QueuedMessage[][]> {
    return Promise.resolve(pages.map((page) => this.page(page, before, now.getTime())));
  }

  private page({ line, after, limit }: Page, before: string, nowMs: number): QueuedMessage[] {
    const rows = [...this.tables.ready(line.sendingAccountId, line.stream, line.tenantId).values()].filter(
      (row) =>
        row.id > after &&
        row.id < before &&
        (row.notBeforeMs === null || row.notBeforeMs <= nowMs) &&
        row.expiresMs > nowMs,
    );
    rows.sort((a, b) => (a.id < b.id ? -1 : 1));
    return rows.slice(0, limit).map(({ id, recipients }) => ({ id, recipients }));
  }
}

/** What LedgerKeeperRepository's statements mean. */
export class LedgerKeeperRows implements Pick<LedgerKeeperRepository, keyof LedgerKeeperRepository> {
  constructor(private readonly tables: Tables) {}

  openBatches(account: SendingAccountId): Promise<number> {
    return Promise.resolve([...this.tables.openBatches].filter((batch) => batch.accountId === account).length);
  }

  largest(account: SendingAccountId, since: Date): Promise<number> {
    let largest = 0;
    for (const { id, accountId, bucketMs } of this.tables.batches.values()) {
      if (accountId !== account || bucketMs < since.getTime()) continue;
      for (const { recipients } of this.tables.attemptsOf(id)) largest = Math.max(largest, recipients);
    }
    return Promise.resolve(largest);
  }

  used(account: SendingAccountId, since: Date): Promise<UsedMinute[]> {
    const minutes = new Map<number, number>();
    for (const { accountId, bucketMs, claimed } of this.tables.batches.values()) {
      if (accountId !== account || bucketMs < since.getTime() || claimed === 0) continue;
      minutes.set(bucketMs, (minutes.get(bucketMs) ?? 0) + claimed);
    }
    return Promise.resolve(toMinutes(minutes));
  }

  usedByTenant(account: SendingAccountId, since: Date): Promise<Map<TenantId, UsedMinute[]>> {
    const tenants = new Map<TenantId, Map<number, number>>();
    for (const batch of this.tables.batches.values()) {
      if (batch.accountId !== account || batch.bucketMs < since.getTime()) continue;
      for (const { tenantId, state, recipients } of this.tables.attemptsOf(batch.id)) {
        if (state === 'NOT_SENT' || state === 'REJECTED') continue;
        const minutes = tenants.get(tenantId) ?? new Map<number, number>();
        tenants.set(tenantId, minutes.set(batch.bucketMs, (minutes.get(batch.bucketMs) ?? 0) + recipients));
      }
    }
    return Promise.resolve(new Map([...tenants].map(([tenant, minutes]) => [tenant, toMinutes(minutes)])));
  }

  async usedThere(tenant: TenantId, account: SendingAccountId, since: Date): Promise<number> {
    const minutes = (await this.usedByTenant(account, since)).get(tenant) ?? [];
    return minutes.reduce((sum, { recipients }) => sum + Number(recipients), 0);
  }

  /** No lane of the simulation is warmed up. */
  usedByLane(): Promise<Map<LaneId, UsedMinute[]>> {
    return Promise.resolve(new Map<LaneId, UsedMinute[]>());
  }
}

function toMinutes(minutes: ReadonlyMap<number, number>): UsedMinute[] {
  return [...minutes].map(([startMs, recipients]) => ({ startMs, recipients: BigInt(recipients) }));
}

/** Deliberate faults of the resolver, to see that the judge sees them. */
export type ResolverFault =
  /** Believes of every account that all its events have come, so that silence alone says that mail was not sent. */
  'trusts-silence';

/** What ResolverRepository's statements mean. */
export class ResolverRows implements Pick<ResolverRepository, keyof ResolverRepository> {
  constructor(
    private readonly tables: Tables,
    private readonly fault?: ResolverFault,
  ) {}

  within(): this {
    return this;
  }

  doubts(...[after, limit]: Parameters<ResolverRepository['doubts']>): Promise<DoubtRow[]> {
    const from = `${stamp(after.endedAt.getTime())} ${after.attemptId}`;
    const key = (attempt: AttemptRow) => `${stamp(attempt.endedMs ?? 0)} ${attempt.id}`;
    const open = [...this.tables.doubts].filter((attempt) => key(attempt) > from);
    open.sort((a, b) => (key(a) < key(b) ? -1 : 1));
    return Promise.resolve(
      open.slice(0, limit).flatMap((attempt) => {
        const message = this.tables.messages.get(attempt.messageId);
        return message ? [doubtOf(attempt, message)] : [];
      }),
    );
  }

  sentBetween(accounts: readonly SendingAccountId[], from: Date, to: Date): Promise<SentThrough[]> {
    const sets = new Map<string, { -readonly [Key in keyof SentThrough]: SentThrough[Key] }>();
    for (const sendingAccountId of accounts) {
      for (const { createdMs, tenantId, stream, sendEventMs } of this.tables.sentOf(sendingAccountId)) {
        if (createdMs < from.getTime() || createdMs > to.getTime()) continue;
        const key = `${sendingAccountId} ${tenantId} ${stream}`;
        const set = sets.get(key) ?? { sendingAccountId, tenantId, stream, sent: 0, confirmed: 0 };
        set.sent += 1;
        set.confirmed += sendEventMs === null && this.fault !== 'trusts-silence' ? 0 : 1;
        sets.set(key, set);
      }
    }
    return Promise.resolve([...sets.values()]);
  }

  end(doubts: readonly DoubtRow[]): Promise<number> {
    for (const { attemptId } of doubts) {
      const attempt = this.tables.attempts.get(attemptId);
      if (attempt) this.tables.endDoubt(attempt);
    }
    return Promise.resolve(doubts.length);
  }
}

function stamp(ms: number): string {
  return String(ms).padStart(16, '0');
}

function doubtOf(attempt: AttemptRow, message: MessageRow): DoubtRow {
  return {
    tenantId: attempt.tenantId,
    messageId: attempt.messageId,
    attemptId: attempt.id,
    sendingAccountId: attempt.accountId,
    stream: attempt.stream,
    policy: message.policy,
    startedAt: new Date(attempt.createdMs),
    endedAt: new Date(attempt.endedMs ?? 0),
    expiresAt: new Date(message.expiresMs),
  };
}

/** What ExpirerRepository's statements mean. */
export class ExpirerRows implements Pick<ExpirerRepository, keyof ExpirerRepository> {
  constructor(private readonly tables: Tables) {}

  within(): this {
    return this;
  }

  isDue(now: Date): Promise<{ scheduled: boolean; over: boolean }> {
    const scheduled = [...this.tables.scheduled].some(({ scheduledMs }) => (scheduledMs ?? 0) <= now.getTime());
    return Promise.resolve({ scheduled, over: this.over(now, 1).length > 0 });
  }

  release(now: Date, limit: number): Promise<number> {
    const due = [...this.tables.scheduled].filter(
      (row) => (row.scheduledMs ?? 0) <= now.getTime() && row.expiresMs > now.getTime(),
    );
    for (const row of due.slice(0, limit)) this.tables.setMessage(row, { state: 'READY' });
    return Promise.resolve(Math.min(limit, due.length));
  }

  expire(now: Date, limit: number): ReturnType<ExpirerRepository['expire']> {
    const due = this.over(now, limit);
    for (const row of due) this.tables.setMessage(row, { state: 'EXPIRED' });
    return Promise.resolve(
      due.map(({ id, tenantId, accountId, stream }) => ({ id, tenantId, sendingAccountId: accountId, stream })),
    );
  }

  private over(now: Date, limit: number): MessageRow[] {
    const due: MessageRow[] = [];
    for (const row of this.tables.messages.values()) {
      if (due.length >= limit) break;
      if ((row.state === 'READY' || row.state === 'SCHEDULED') && row.expiresMs <= now.getTime()) due.push(row);
    }
    return due;
  }
}
