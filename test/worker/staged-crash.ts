import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { SendingAccountService, type SendingAccount } from '@libs/fleet';
import { newId, type AttemptId, type BatchId, type MessageId, type TenantId } from '@libs/kernel';
import { Ledger, type Grant } from '@libs/quota';
import { EventApplier, SendEngine, type EmailInput, type Ticket } from '@libs/sending';
import { Redis } from 'ioredis';
import { Client } from 'pg';
import type { RunningWorker } from '../../apps/worker/src/create-worker';
import { waitFor } from '../support/wait-for';
import { SendingStack, type AccountWish, type StackOptions } from './sending-stack';

/** A worker whose parts are driven by hand, one after the other: no tick and no job runs by itself. */
export class StagedCrash {
  private constructor(
    readonly stack: SendingStack,
    readonly running: RunningWorker,
    public account: SendingAccount,
    readonly tenant: TenantId,
  ) {}

  static async start(options: StackOptions = {}, wish: AccountWish = {}): Promise<StagedCrash> {
    const stack = await SendingStack.start({ inDoubtAfterMs: 500, ...options });
    const running = await stack.createWorker();
    const account = await stack.account({ maxSendRate: 200, ...wish }, running);
    const staged = new StagedCrash(stack, running, account, await stack.tenant('shop'));
    await staged.engine.keepLedgers();
    await staged.lookAgain();
    return staged;
  }

  close(): Promise<void> {
    return this.stack.close();
  }

  get engine(): SendEngine {
    return this.running.app.get(SendEngine);
  }

  get ledger(): Ledger {
    return this.running.app.get(Ledger, { strict: false });
  }

  async lookAgain(): Promise<void> {
    this.account = await this.stack.inApi(SendingAccountService).get(this.account.id);
  }

  /** What a pump asks of the ledger. */
  request(opId: string = newId<BatchId>()): Parameters<Ledger['acquire']>[1] {
    return { opId, epoch: this.account.epoch, want: 100, leadMs: 100, sliceMs: 1_000, workers: 1 };
  }

  /** Offers what is READY and takes a grant for it, as the pump would. */
  async granted(
    count = 3,
    name = 'shop',
    change?: (i: number) => Partial<EmailInput>,
  ): Promise<{ ids: MessageId[]; ticket: Ticket; grant: Grant }> {
    const ids = await this.stack.accept(this.tenant, name, count, change);
    // The api answers before its offer has reached Redis.
    await waitFor(async () => (await this.listed()) >= count, { what: 'the messages to be offered' });
    const batchId = newId<BatchId>();
    const grant = await this.ledger.acquire(this.account.id, this.request(batchId));
    if (grant.kind !== 'grant') throw new Error(`no grant: ${JSON.stringify(grant)}`);
    expect(grant.messages.map((message) => message.id).sort()).toEqual([...ids].sort());
    return { ids, ticket: this.ticketOf(batchId, grant), grant };
  }

  ticketOf(batchId: BatchId, grant: Grant): Ticket {
    const { slotStartMs, deadlineMs, bucketStartMs, recipients, rate, messages } = grant;
    return {
      batchId,
      sendingAccountId: this.account.id,
      epoch: String(this.account.epoch),
      bucketStartMs,
      slotStartMs,
      deadlineMs,
      granted: recipients,
      rate,
      messages: messages.map(({ tenantId, id, recipients: n }) => ({ tenantId, id, recipients: n })),
    };
  }

  /** Recipients the ledger has charged. */
  async used(): Promise<bigint> {
    return (await this.ledger.stats(this.account.id))?.used24h ?? -1n;
  }

  /** The same once nothing of the tests before is under way any more. */
  async usedAtRest(): Promise<bigint> {
    await waitFor(
      async () => {
        await this.sweepOverdue();
        return (await this.ledger.stats(this.account.id))?.inflight === 0;
      },
      { what: 'all grants to be settled', everyMs: 200 },
    );
    return this.used();
  }

  /** Messages in the ready lists of the account. */
  async listed(): Promise<number> {
    const stats = await this.ledger.stats(this.account.id);
    return (stats?.ready ?? []).reduce((sum, list) => sum + list.messages, 0);
  }

  async statesOf(ids: readonly MessageId[]): Promise<string[]> {
    const rows = await this.stack.query<{ state: string }>('SELECT DISTINCT state FROM message WHERE id = ANY($1)', [
      ids,
    ]);
    return rows.map(({ state }) => state).sort();
  }

  async batch(id: BatchId): Promise<{ state: string; claimed: number } | undefined> {
    const [row] = await this.stack.query<{ state: string; claimed: number }>(
      'SELECT state, claimed FROM batch WHERE id = $1',
      [id],
    );
    return row;
  }

  /** Takes these messages out of the way of the next test. */
  async putAside(ids: readonly MessageId[]): Promise<void> {
    await this.stack.query(
      `UPDATE message SET state = 'CANCELED', settled_at = now() WHERE id = ANY($1) AND state <> 'SENT'`,
      [ids],
    );
    await this.stack.query('DELETE FROM backlog WHERE message_id = ANY($1)', [ids]);
    await this.stack.query('DELETE FROM in_doubt WHERE message_id = ANY($1)', [ids]);
    for (const stream of ['TRANSACTIONAL', 'MARKETING'] as const) {
      await this.ledger.drop(this.account.id, this.tenant, stream);
    }
  }

  /** A worker that died: the rows its claim committed. */
  async deadClaim(ticket: Ticket, worker = `dead-${ticket.batchId}`): Promise<AttemptId[]> {
    const { messages } = ticket;
    await this.stack.query(
      `INSERT INTO batch (id, sending_account_id, state, worker, granted, claimed, bucket, slot_end, created_at, tenant_ids, message_ids)
       VALUES ($1, $2, 'OPEN', $3, $4, $4, $5, $6, $6, $7, $8)`,
      [
        ticket.batchId,
        this.account.id,
        worker,
        ticket.granted,
        new Date(ticket.bucketStartMs),
        new Date(ticket.deadlineMs),
        messages.map(({ tenantId }) => tenantId),
        messages.map(({ id }) => id),
      ],
    );
    const attempts: AttemptId[] = [];
    for (const { id, recipients } of messages) {
      const attempt = newId<AttemptId>();
      attempts.push(attempt);
      await this.stack.query(
        `UPDATE message SET state = 'INTENT', batch_id = $2, attempt_no = attempt_no + 1 WHERE id = $1`,
        [id, ticket.batchId],
      );
      await this.stack.query('DELETE FROM backlog WHERE message_id = $1', [id]);
      await this.stack.query(
        `INSERT INTO attempt (tenant_id, id, message_id, attempt_no, batch_id, sending_account_id, lane_id, mode, stream, n_rcpt, bytes, state, created_at)
         SELECT tenant_id, $2, id, attempt_no, batch_id, sending_account_id, lane_id, mode, stream, $3, bytes, 'INTENT', now() FROM message WHERE id = $1`,
        [id, attempt, recipients],
      );
    }
    return attempts;
  }

  /** The flight record that a dead worker left of a batch. */
  leaveRecord(ticket: Ticket, lines: string): void {
    mkdirSync(this.stack.recorderDir, { recursive: true });
    // No process has pid 1 and this start time.
    const file = path.join(this.stack.recorderDir, `dead-${ticket.batchId}.1.999999999999.flight`);
    writeFileSync(file, `C ${ticket.batchId} ${this.account.id}\n${lines}`);
  }

  /** Sweeps as if the slots of all grants were over, which takes five seconds and more. */
  async sweepOverdue(): Promise<void> {
    const redis = new Redis(this.stack.redis.url);
    const inflight = `pf:{${this.account.id}}:inflight`;
    for (const grant of await redis.zrange(inflight, 0, -1)) await redis.zadd(inflight, 0, grant);
    redis.disconnect();
    await this.engine.sweep();
  }

  async applyEvents(): Promise<void> {
    await this.running.app.get(EventApplier).applyStored();
  }

  async settleByEvents(ids: readonly MessageId[], state: string): Promise<void> {
    await waitFor(
      async () => {
        await this.applyEvents();
        return (await this.statesOf(ids)).join() === state;
      },
      { what: `the messages to be ${state}`, everyMs: 50 },
    );
  }

  async rebuilt(): Promise<void> {
    await waitFor(
      async () => {
        await this.engine.keepLedgers();
        await this.lookAgain();
        return this.ledger.isCurrent(this.account.id, this.account.epoch);
      },
      { what: 'the ledger to be rebuilt', withinMs: 40_000, everyMs: 100 },
    );
  }

  /** Holds the account's row, so that a claim waits at its first statement; killWaiting ends that claim's connection. */
  async blockClaims(): Promise<{ killWaiting: () => Promise<boolean>; release: () => Promise<void> }> {
    const [holder, killer] = [await this.superuser(), await this.superuser()];
    await holder.query('BEGIN');
    await holder.query('SELECT 1 FROM sending_account WHERE id = $1 FOR UPDATE', [this.account.id]);
    return {
      killWaiting: async () => {
        const { rowCount } = await killer.query(
          `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE application_name = 'test-worker' AND wait_event_type = 'Lock' AND query LIKE '%FOR SHARE%'`,
        );
        return (rowCount ?? 0) > 0;
      },
      release: async () => {
        await holder.query('ROLLBACK');
        await Promise.all([holder.end(), killer.end()]);
      },
    };
  }

  async superuser(): Promise<Client> {
    const client = new Client({ connectionString: this.stack.database.superuserUrl });
    await client.connect();
    return client;
  }

  /** PostgreSQL takes nobody any more, until what this answers is called. */
  async cutPostgres(): Promise<() => Promise<void>> {
    const away = new URL(this.stack.database.superuserUrl);
    const name = away.pathname.slice(1);
    away.pathname = '/postgres';
    const client = new Client({ connectionString: away.href });
    await client.connect();
    await client.query(`ALTER DATABASE "${name}" ALLOW_CONNECTIONS false`);
    await client.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1', [name]);
    return async () => {
      await client.query(`ALTER DATABASE "${name}" ALLOW_CONNECTIONS true`);
      await client.end();
    };
  }

  /** Requests to SES without a committed attempt that was there before: must be none, ever. */
  async sentWithoutIntent(): Promise<number> {
    const attempts = await this.stack.query<{ id: string; at: Date }>('SELECT id, created_at AS at FROM attempt');
    const known = new Map(attempts.map(({ id, at }) => [id, at.getTime()]));
    return (await this.stack.sends()).filter(({ tags, at }) => {
      const claimed = known.get(tags?.['attempt'] ?? '');
      return claimed === undefined || claimed > at;
    }).length;
  }
}
