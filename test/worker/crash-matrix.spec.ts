import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { SendingAccountService, type SendingAccount } from '@libs/fleet';
import { newId, type AttemptId, type BatchId, type MessageId, type TenantId } from '@libs/kernel';
import { JobQueue } from '@libs/queueing';
import { Ledger, type Grant } from '@libs/quota';
import { EventApplier, SendEngine, type Ticket } from '@libs/sending';
import Redis from 'ioredis';
import { Client } from 'pg';
import type { RunningWorker } from '../../apps/worker/src/create-worker';
import { waitFor } from '../support/wait-for';
import { SendingStack } from './sending-stack';

/** Rows of the crash matrix (ENGINE.md, section 4), each driven to its point by hand: no tick and no job runs by itself. */
describe('after a crash', () => {
  let stack: SendingStack;
  let account: SendingAccount;
  let tenant: TenantId;
  let running: RunningWorker;
  let engine: SendEngine;
  let ledger: Ledger;

  beforeAll(async () => {
    stack = await SendingStack.start({ inDoubtAfterMs: 500 });
    running = await stack.createWorker();
    engine = running.app.get(SendEngine);
    ledger = running.app.get(Ledger, { strict: false });
    account = await stack.account({ maxSendRate: 200 }, running);
    tenant = await stack.tenant('shop');
    await engine.keepLedgers();
    account = await current();
  }, 60_000);
  afterAll(() => stack.close(), 60_000);

  const current = () => stack.inApi(SendingAccountService).get(account.id);

  /** Offers what is READY and takes a grant for it, as the pump would. */
  async function granted(count = 3): Promise<{ ids: MessageId[]; ticket: Ticket; grant: Grant }> {
    const ids = await stack.accept(tenant, 'shop', count);
    // The api answers before its offer has reached Redis.
    await waitFor(
      async () =>
        ((await ledger.stats(account.id))?.ready ?? []).reduce((sum, list) => sum + list.messages, 0) >= count,
      { what: 'the messages to be offered' },
    );
    const batchId = newId<BatchId>();
    const grant = await ledger.acquire(account.id, {
      opId: batchId,
      epoch: account.epoch,
      want: 100,
      leadMs: 100,
      sliceMs: 1_000,
      workers: 1,
    });
    if (grant.kind !== 'grant') throw new Error(`no grant: ${JSON.stringify(grant)}`);
    expect(grant.messages.map((message) => message.id).sort()).toEqual([...ids].sort());
    const { slotStartMs, deadlineMs, bucketStartMs, recipients, rate, messages } = grant;
    const ticket = {
      batchId,
      sendingAccountId: account.id,
      epoch: String(account.epoch),
      bucketStartMs,
      slotStartMs,
      deadlineMs,
      granted: recipients,
      rate,
      messages: messages.map(({ tenantId, id, recipients: n }) => ({ tenantId, id, recipients: n })),
    };
    return { ids, ticket, grant };
  }

  const used = async () => (await ledger.stats(account.id))?.used24h;
  const statesOf = async (ids: readonly MessageId[]) => {
    const rows = await stack.query<{ state: string }>('SELECT DISTINCT state FROM message WHERE id = ANY($1)', [ids]);
    return rows.map(({ state }) => state).sort();
  };
  const batch = async (id: BatchId) => {
    const [row] = await stack.query<{ state: string; claimed: number }>(
      'SELECT state, claimed FROM batch WHERE id = $1',
      [id],
    );
    return row;
  };

  /** A worker that died: its record of that batch, and the rows its claim committed. */
  async function deadClaim(ticket: Ticket, worker = `dead-${ticket.batchId}`): Promise<AttemptId[]> {
    await stack.query(
      `INSERT INTO batch (id, sending_account_id, state, worker, granted, claimed, bucket, slot_end, created_at)
       VALUES ($1, $2, 'OPEN', $3, $4, $4, $5, $6, $6)`,
      [ticket.batchId, account.id, worker, ticket.granted, new Date(ticket.bucketStartMs), new Date(ticket.deadlineMs)],
    );
    const attempts: AttemptId[] = [];
    for (const { id, recipients } of ticket.messages) {
      const attempt = newId<AttemptId>();
      attempts.push(attempt);
      await stack.query(
        `UPDATE message SET state = 'INTENT', batch_id = $2, attempt_no = attempt_no + 1 WHERE id = $1`,
        [id, ticket.batchId],
      );
      await stack.query(`UPDATE recipient SET state = 'SENDING' WHERE message_id = $1`, [id]);
      await stack.query(
        `INSERT INTO attempt (tenant_id, id, message_id, attempt_no, batch_id, sending_account_id, lane_id, mode, stream, n_rcpt, bytes, state, created_at)
         SELECT tenant_id, $2, id, attempt_no, batch_id, sending_account_id, lane_id, mode, stream, $3, bytes, 'INTENT', now() FROM message WHERE id = $1`,
        [id, attempt, recipients],
      );
    }
    return attempts;
  }

  function leaveRecord(ticket: Ticket, lines: string): void {
    mkdirSync(stack.recorderDir, { recursive: true });
    // No process has pid 1 and this start time.
    const file = path.join(stack.recorderDir, `dead-${ticket.batchId}.1.999999999999.flight`);
    writeFileSync(file, `C ${ticket.batchId} ${account.id}\n${lines}`);
  }

  it('row 5-7: a grant without a claim is voided, refunded and offered again, and its ticket can never send', async () => {
    const before = await used();
    const { ids, ticket, grant } = await granted();
    expect(await used()).toBe((before ?? 0n) + 3n);
    await waitFor(async () => (await ledger.overdue(account.id, 10)).length > 0, {
      what: 'the grant to be overdue',
      withinMs: 15_000,
    });
    await engine.sweep();
    expect(await batch(ticket.batchId)).toMatchObject({ state: 'VOID' });
    expect(await used()).toBe(before);
    // The ticket arrives after all, with all the time in the world.
    await engine.dispatch({ ...ticket, deadlineMs: grant.deadlineMs + 600_000 });
    expect(await stack.judge(ids)).toEqual({ lost: 3, duplicated: 0 });
    await engine.feed();
    const stats = await ledger.stats(account.id);
    expect(stats?.ready).toEqual([{ tenantId: tenant, stream: 'TRANSACTIONAL', messages: 3, atOwnLimit: false }]);
    await ledger.drop(account.id, tenant, 'TRANSACTIONAL');
    await stack.query(`UPDATE message SET state = 'CANCELED' WHERE id = ANY($1)`, [ids]);
  }, 40_000);

  it('row 9: what a killed worker had claimed and not started goes again at once', async () => {
    const { ids, ticket } = await granted();
    await deadClaim(ticket);
    leaveRecord(ticket, '');
    await engine.sweep();
    expect(await statesOf(ids)).toEqual(['READY']);
    expect(await batch(ticket.batchId)).toEqual({ state: 'SETTLED', claimed: 0 });
    expect(await stack.query('SELECT DISTINCT state FROM recipient WHERE message_id = ANY($1)', [ids])).toEqual([
      { state: 'QUEUED' },
    ]);
    await stack.query(`UPDATE message SET state = 'CANCELED' WHERE id = ANY($1)`, [ids]);
  });

  it('row 10 and 11: answered is recorded, started is in doubt, the rest is READY', async () => {
    const { ids, ticket } = await granted();
    const [answered, started] = await deadClaim(ticket);
    leaveRecord(ticket, `S ${answered!}\nA ${answered!} sent ses-1\nS ${started!}\n`);
    await engine.sweep();
    const rows = await stack.query('SELECT id, state, ses_message_id FROM attempt WHERE batch_id = $1', [
      ticket.batchId,
    ]);
    expect(rows).toHaveLength(3);
    expect(rows).toContainEqual({ id: answered, state: 'SENT', ses_message_id: 'ses-1' });
    expect(rows).toContainEqual({ id: started, state: 'IN_DOUBT', ses_message_id: null });
    expect(await statesOf(ids)).toEqual(['IN_DOUBT', 'READY', 'SENT']);
    // Both count: SES has one and may have the other.
    expect(await batch(ticket.batchId)).toEqual({ state: 'SETTLED', claimed: 2 });
    await stack.query(`UPDATE message SET state = 'CANCELED' WHERE id = ANY($1)`, [ids]);
  });

  it('row 7: what a dead worker never got to claim is not taken from the worker that did', async () => {
    const { ids, ticket } = await granted();
    await deadClaim(ticket, 'alive');
    leaveRecord(ticket, '');
    await engine.sweep();
    expect(await statesOf(ids)).toEqual(['INTENT']);
    expect(await batch(ticket.batchId)).toEqual({ state: 'OPEN', claimed: 3 });
    await stack.query(`UPDATE batch SET state = 'SETTLED' WHERE id = $1`, [ticket.batchId]);
    await stack.query(`UPDATE message SET state = 'CANCELED' WHERE id = ANY($1)`, [ids]);
  });

  it('row 12 and 14: a ticket delivered twice sends once', async () => {
    const { ids, ticket } = await granted();
    await Promise.all([engine.dispatch(ticket), engine.dispatch(ticket)]);
    await engine.dispatch(ticket);
    expect(await stack.judge(ids)).toEqual({ lost: 0, duplicated: 0 });
    expect(await statesOf(ids)).toEqual(['SENT']);
    const attempts = await stack.query('SELECT 1 FROM attempt WHERE message_id = ANY($1)', [ids]);
    expect(attempts).toHaveLength(3);
  });

  it('row 13: a worker that wakes after the deadline sends nothing and gives everything back', async () => {
    const before = await used();
    const { ids, ticket } = await granted();
    // Its deadline passes between the claim and the first request.
    await engine.dispatch({
      ...ticket,
      slotStartMs: ledger.nowMs() - 10,
      deadlineMs: ledger.nowMs() + 5,
      rate: { num: 1, den: 1 },
    });
    const sent = (await stack.accepted()).filter((arrival) =>
      ids.includes((arrival.tags?.['message'] ?? '') as MessageId),
    );
    expect(await stack.judge(ids)).toMatchObject({ lost: 3 - sent.length, duplicated: 0 });
    expect((await used())! - before!).toBe(BigInt(sent.length));
    await stack.query(`UPDATE message SET state = 'CANCELED' WHERE id = ANY($1) AND state = 'READY'`, [ids]);
  });

  it('row 20: nothing is sent after a claim that the database did not confirm, and its messages go again', async () => {
    const { ids, ticket } = await granted();
    const blocker = await blockClaims();
    const dispatching = engine.dispatch(ticket);
    await waitFor(() => blocker.killWaiting(), { what: 'the claim to wait for the account row', withinMs: 5_000 });
    await blocker.release();
    await dispatching;
    expect(await stack.judge(ids)).toEqual({ lost: 3, duplicated: 0 });
    expect(await statesOf(ids)).toEqual(['READY']);
    expect(await batch(ticket.batchId)).toMatchObject({ state: 'VOID' });
    await stack.query(`UPDATE message SET state = 'CANCELED' WHERE id = ANY($1)`, [ids]);
  });

  /** Holds the account's row, so that a claim waits at its first statement; killWaiting ends that claim's connection. */
  async function blockClaims() {
    const holder = new Client({ connectionString: stack.database.superuserUrl });
    const killer = new Client({ connectionString: stack.database.superuserUrl });
    await Promise.all([holder.connect(), killer.connect()]);
    await holder.query('BEGIN');
    await holder.query('SELECT 1 FROM sending_account WHERE id = $1 FOR UPDATE', [account.id]);
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

  it('row 23: a message whose connection broke is in doubt, and settled by its own Send event without a second copy', async () => {
    await stack.aws.addFault({ operation: 'SendEmail', kind: 'accept-then-reset', count: 1 });
    const { ids, ticket } = await granted(1);
    await engine.dispatch(ticket);
    expect(await statesOf(ids)).toEqual(['IN_DOUBT']);
    await settleByEvents(ids, 'SENT');
    expect(await stack.judge(ids)).toEqual({ lost: 0, duplicated: 0 });
  }, 30_000);

  it('row 23: a message that SES never had goes again once its neighbours are confirmed', async () => {
    await stack.aws.addFault({ operation: 'SendEmail', kind: 'reset-before', count: 1 });
    const { ids, ticket } = await granted(12);
    await engine.dispatch(ticket);
    expect(await statesOf(ids)).toEqual(['IN_DOUBT', 'SENT']);
    await waitFor(async () => (await applyEvents(), (await engine.resolveDoubts()) > 0), {
      what: 'the doubt to be settled',
      withinMs: 15_000,
    });
    expect(await statesOf(ids)).toEqual(['READY', 'SENT']);
    expect(await stack.judge(ids)).toEqual({ lost: 1, duplicated: 0 });
    await stack.query(`UPDATE message SET state = 'CANCELED' WHERE id = ANY($1) AND state = 'READY'`, [ids]);
  }, 30_000);

  it('row 25: while no events come, a message in doubt is held and not sent a second time', async () => {
    stack.setWebhookDown(true);
    await stack.aws.addFault({ operation: 'SendEmail', kind: 'accept-then-reset', count: 1 });
    const { ids, ticket } = await granted(12);
    await engine.dispatch(ticket);
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(await engine.resolveDoubts()).toBe(0);
    expect(await statesOf(ids)).toEqual(['IN_DOUBT', 'SENT']);
    stack.setWebhookDown(false);
  }, 30_000);

  it('row 24: a throttled message waits and burns nothing', async () => {
    await stack.aws.addFault({ operation: 'SendEmail', kind: '429', count: 1 });
    const { ids, ticket } = await granted(1);
    await engine.dispatch(ticket);
    const [row] = await stack.query<{ state: string; not_before: Date | null; attempt_no: number }>(
      'SELECT state, not_before, attempt_no FROM message WHERE id = $1',
      ids,
    );
    expect(row).toMatchObject({ state: 'READY', attempt_no: 1 });
    expect(row?.not_before).not.toBeNull();
    expect(await stack.query('SELECT state FROM attempt WHERE message_id = $1', ids)).toEqual([{ state: 'NOT_SENT' }]);
    expect((await ledger.stats(account.id))?.frozenUntilMs).toBeGreaterThan(0);
    await ledger.unfreeze(account.id);
    await stack.query(`UPDATE message SET state = 'CANCELED' WHERE id = ANY($1)`, [ids]);
  });

  it('row 16: a wiped Redis grants nothing until the ledger is rebuilt, and no older ticket can be claimed', async () => {
    const before = await used();
    const { ids, ticket } = await granted();
    await stack.redis.flush();
    const refused = await ledger.acquire(account.id, {
      opId: newId(),
      epoch: account.epoch,
      want: 100,
      leadMs: 100,
      sliceMs: 1_000,
      workers: 1,
    });
    expect(refused).toEqual({ kind: 'stale' });
    await waitFor(
      async () => {
        await engine.keepLedgers();
        account = await current();
        return ledger.isCurrent(account.id, account.epoch);
      },
      { what: 'the ledger to be rebuilt', withinMs: 40_000, everyMs: 100 },
    );
    expect(account.epoch).toBe(BigInt(ticket.epoch) + 1n);
    // Looked at again before the cached accounts are fresh, it is not taken for stale and rebuilt a second time.
    await engine.keepLedgers();
    expect((await current()).epoch).toBe(account.epoch);
    await engine.dispatch({ ...ticket, deadlineMs: ledger.nowMs() + 600_000 });
    expect(await stack.judge(ids)).toEqual({ lost: 3, duplicated: 0 });
    expect(await statesOf(ids)).toEqual(['READY']);
    // As much as SES counts, or more, never less; the granted and never claimed three are free again.
    const sent = (await stack.accepted()).length;
    const rebuilt = await used();
    expect(rebuilt).toBeGreaterThanOrEqual(BigInt(sent));
    expect(rebuilt).toBeLessThanOrEqual(before!);
    await stack.query(`UPDATE message SET state = 'CANCELED' WHERE id = ANY($1)`, [ids]);
  }, 60_000);

  it('row 28: a drained worker leaves no open batch, no ticket half done and no record behind', async () => {
    const { worker, app } = await stack.startWorker();
    const ids = await stack.accept(tenant, 'shop', 100);
    await waitFor(async () => (await stack.judge(ids)).lost < 100, { what: 'sending to begin', withinMs: 15_000 });
    await worker.stop();
    expect(app.get(SendEngine).load).toEqual({ batches: 0, outcomes: 0 });
    expect(await stack.query(`SELECT 1 FROM batch WHERE state = 'OPEN'`)).toEqual([]);
    expect(await stack.query(`SELECT 1 FROM message WHERE state = 'INTENT'`)).toEqual([]);
    expect((await stack.judge(ids)).duplicated).toBe(0);
    expect(await app.get(JobQueue).counts('dispatch-tx')).toMatchObject({ active: 0 });
  }, 60_000);

  async function applyEvents(): Promise<void> {
    await running.app.get(EventApplier).applyStored();
  }

  async function settleByEvents(ids: readonly MessageId[], state: string): Promise<void> {
    await waitFor(
      async () => {
        await applyEvents();
        return (await statesOf(ids)).join() === state;
      },
      { what: `the messages to be ${state}`, withinMs: 15_000, everyMs: 50 },
    );
  }

  it('keeps the judge content: nothing over quota, nothing over rate', async () => {
    expect(await stack.excess()).toEqual({ overQuota: 0, overRate: 0 });
  });

  it('stores nothing but what a worker may lose in Redis: ids, costs and numbers', async () => {
    const redis = new Redis(stack.redis.url);
    const keys = await redis.keys('pf:*');
    redis.disconnect();
    expect(keys.length).toBeGreaterThan(0);
    expect(keys.every((key) => key.startsWith(`pf:{${account.id}}:`))).toBe(true);
  });
});
