import { readFileSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { newId, type BatchId, type MessageId, type SendingAccountId } from '@libs/kernel';
import { Ledger } from '@libs/quota';
import { SendEngine } from '@libs/sending';
import { Redis } from 'ioredis';
import { FleetProcessor } from '../../apps/worker/src/processors/fleet.processor';
import { temporaryFolder } from '../stack/fixtures';
import { startRedis } from '../support/redis-cluster';
import { waitFor } from '../support/wait-for';
import { StagedCrash } from './staged-crash';

/** Limits at their edges, and a PostgreSQL that answers and refuses: nothing is lost, and it is said what is wrong. */
describe('on a bad day', () => {
  let staged: StagedCrash;

  beforeAll(async () => {
    staged = await StagedCrash.start();
  });
  afterAll(() => staged.close());

  const limits = async (region: { max24HourSend?: number; maxSendRate?: number }) => {
    await staged.stack.aws.putAccount(staged.account.accountId, { regions: { 'us-east-1': region } });
    await staged.engine.observeAccounts();
    await staged.lookAgain();
  };
  const ask = () => staged.ledger.acquire(staged.account.id, staged.request());
  const offered = async (count: number, recipients = 1) => {
    const ids = await staged.stack.accept(staged.tenant, 'shop', count, (i) => ({
      to: Array.from({ length: recipients }, (_, n) => ({ email: `r${String(n)}-${String(i)}@inbox.example` })),
    }));
    await waitFor(async () => (await staged.listed()) === count, { what: 'the offer' });
    return ids;
  };

  it('a content that is none ends its message and no other, and its batch is closed', async () => {
    const { ids, ticket } = await staged.granted(2);
    const [bad, good] = ids;
    const superuser = await staged.superuser();
    await superuser.query(`UPDATE message_body SET content = '"torn"' WHERE message_id = $1`, [bad]);
    await superuser.end();
    await staged.engine.dispatch(ticket);
    expect(await staged.statesOf([bad as MessageId])).toEqual(['REJECTED']);
    expect(await staged.statesOf([good as MessageId])).toEqual(['SENT']);
    expect(await staged.batch(ticket.batchId)).toMatchObject({ state: 'SETTLED' });
  });

  it('a grant that a full disk keeps from being claimed is given back at once, not when its slots are over', async () => {
    // The recorder's file, by the name that the worker will give it, on a disk that takes nothing.
    const stat = readFileSync('/proc/self/stat', 'utf8');
    const started = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
    const file = `full-disk.${String(process.pid)}.${started}.flight`;
    symlinkSync('/dev/full', path.join(staged.stack.recorderDir, file));
    const worker = await staged.stack.createWorker({}, 'full-disk');
    const before = await staged.used();
    const { ids, ticket } = await staged.granted(2);
    await worker.app.get(SendEngine).dispatch(ticket);
    expect(staged.stack.logLines.join('\n')).toMatch(/ENOSPC.*the flight recorder cannot be written/);
    expect(await staged.batch(ticket.batchId)).toEqual({ state: 'VOID', claimed: 0 });
    expect(await staged.ledger.stats(staged.account.id)).toMatchObject({ inflight: 0, used24h: before });
    await staged.stack.stopWorker(worker);
    await waitFor(async () => (await staged.engine.feed(), (await staged.listed()) === 2), {
      what: 'both to be listed again',
      everyMs: 200,
    });
    await staged.putAside(ids);
    staged.stack.logLines.length = 0;
  });

  it('a message that was tried thousands of times waits longer, so that the number of its attempts does not run out', async () => {
    const { ids, ticket } = await staged.granted(2);
    const [often, first] = ids as [MessageId, MessageId];
    await staged.stack.query('UPDATE message SET attempt_no = 11999 WHERE id = $1', [often]);
    await staged.deadClaim(ticket);
    staged.leaveRecord(ticket, '');
    await staged.engine.recover();
    const rows = await staged.stack.query<{ id: MessageId; waits: number | null }>(
      `SELECT m.id, extract(epoch FROM m.not_before - a.ended_at)::int AS waits
         FROM message m JOIN attempt a ON a.message_id = m.id WHERE m.id = ANY($1)`,
      [ids],
    );
    expect(new Map(rows.map(({ id, waits }) => [id, waits]))).toEqual(
      new Map([
        [often, 120],
        [first, null],
      ]),
    );
    await staged.putAside(ids);
  });

  it('a quota of -1 is no limit, one of 0 lets nothing through and keeps everything', async () => {
    await limits({ max24HourSend: 0 });
    const ids = await offered(2);
    expect(await ask()).toMatchObject({ kind: 'empty', why: 'day' });
    expect(await staged.statesOf(ids)).toEqual(['READY']);
    await limits({ max24HourSend: -1 });
    expect(await ask()).toMatchObject({ kind: 'grant', recipients: 2 });
    await staged.putAside(ids);
  });

  it('a quota lowered below what is used closes the day at the next grant and opens it when it is raised', async () => {
    await limits({ max24HourSend: 50_000 });
    const { ids: sent, ticket } = await staged.granted(5);
    await staged.engine.dispatch(ticket);
    await limits({ max24HourSend: 3 });
    const ids = await offered(1);
    expect(await ask()).toMatchObject({ kind: 'empty', why: 'day' });
    await limits({ max24HourSend: 50_000 });
    expect(await ask()).toMatchObject({ kind: 'grant', recipients: 1 });
    expect((await staged.stack.judge(sent)).duplicated).toBe(0);
    await staged.putAside(ids);
  });

  it('an account that an operator has had verified goes on at once, by what AWS allows it now', async () => {
    const inAws = (region: object) =>
      staged.stack.aws.putAccount(staged.account.accountId, { regions: { 'us-east-1': region } });
    await inAws({ enforcementStatus: 'SHUTDOWN' });
    await staged.engine.observeAccounts();
    const first = await offered(1);
    expect(await ask()).toMatchObject({ kind: 'frozen' });
    // Also by a ledger that was lost meanwhile.
    await staged.stack.redis.flush();
    await staged.rebuilt();
    const ids = await offered(1);
    expect(await ask()).toMatchObject({ kind: 'frozen' });
    await inAws({ enforcementStatus: 'HEALTHY', max24HourSend: 40_000 });
    await staged.running.app.get(FleetProcessor).verify({ awsAccountId: staged.account.awsAccountId });
    expect((await staged.ledger.stats(staged.account.id))?.quota).toBe(40_000n);
    expect(await ask()).toMatchObject({ kind: 'grant', recipients: 1 });
    await limits({ max24HourSend: 50_000 });
    await staged.putAside([...first, ...ids]);
  });

  it('a rate of one in two seconds and a message of fifty recipients at one a second are granted, each alone', async () => {
    await limits({ maxSendRate: 0.5 });
    const slow = await offered(2);
    await waitFor(async () => (await ask()).kind === 'grant', { what: 'the first of two' });
    expect(await ask()).toMatchObject({ kind: 'empty', why: 'rate' });
    await staged.putAside(slow);
    await limits({ maxSendRate: 1 });
    const large = await offered(1, 50);
    await waitFor(async () => ((await ask()) as { recipients?: number }).recipients === 50, {
      what: 'the message of fifty',
    });
    await staged.putAside(large);
    await limits({ maxSendRate: 200 });
  });

  it('a message of fifty that went a moment ago has its time at SES before a ledger that was lost grants anything', async () => {
    await staged.stack.redis.flush();
    await staged.rebuilt();
    const batchId = newId<BatchId>();
    await offered(1, 50);
    const grant = await waitFor(
      async () => {
        const reply = await staged.ledger.acquire(staged.account.id, staged.request(batchId));
        return reply.kind === 'grant' && reply;
      },
      { what: 'the grant' },
    );
    await staged.engine.dispatch(staged.ticketOf(batchId, grant));
    await limits({ maxSendRate: 1 });
    await staged.stack.redis.flush();
    const before = staged.ledger.nowMs();
    await staged.rebuilt();
    expect((await staged.ledger.stats(staged.account.id))!.rateFreeAtMs).toBeGreaterThanOrEqual(before + 50_000);
    await limits({ maxSendRate: 200 });
  });

  it('a ticket of an account that was removed sends nothing, and its messages stay', async () => {
    // The message of fifty has used the rate for the best part of a minute.
    await staged.stack.redis.flush();
    await staged.rebuilt();
    const ids = await staged.stack.accept(staged.tenant, 'shop', 2);
    const now = staged.ledger.nowMs();
    await staged.engine.dispatch({
      batchId: newId(),
      sendingAccountId: newId<SendingAccountId>(),
      epoch: '1',
      bucketStartMs: now,
      slotStartMs: now,
      deadlineMs: now + 5_000,
      granted: 2,
      rate: { num: 200, den: 1 },
      messages: ids.map((id) => ({ tenantId: staged.tenant, id, recipients: 1 })),
    });
    expect(await staged.stack.judge(ids)).toEqual({ lost: 2, duplicated: 0 });
    expect(await staged.statesOf(ids)).toEqual(['READY']);
    await staged.putAside(ids);
  });

  it('an account whose keys cannot be used keeps no other account from being fed', async () => {
    const other = await staged.stack.account({}, staged.running);
    await waitFor(
      async () => (await staged.engine.keepLedgers(), (await staged.ledger.stats(other.id)) !== undefined),
      { what: 'the ledger of the other account', withinMs: 30_000 },
    );
    const ids = await offered(2);
    for (const table of ['message', 'backlog']) {
      const id = table === 'message' ? 'id' : 'message_id';
      await staged.stack.query(`UPDATE ${table} SET sending_account_id = $1 WHERE ${id} = $2`, [other.id, ids[0]]);
    }
    // Sent that way on purpose, or it would follow its tenant back.
    await staged.stack.query(
      `INSERT INTO reroute (tenant_id, mode, stream, to_account, from_account, at) VALUES ($1, 'LIVE', 'TRANSACTIONAL', $2, $3, now())`,
      [staged.tenant, other.id, staged.account.id],
    );
    await staged.stack.query(
      `INSERT INTO configuration_set (tenant_id, sending_account_id, stream, name, lane_id, ready_at)
       SELECT $1, $2, 'TRANSACTIONAL', 'pf-test', id, now() FROM lane WHERE sending_account_id = $2`,
      [staged.tenant, other.id],
    );
    await staged.ledger.drop(staged.account.id, staged.tenant, 'TRANSACTIONAL');
    const redis = new Redis(staged.stack.redis.url);
    const lock = `pf:{${other.id}}:lock:feed`;
    await redis.del(lock);
    await redis.rpush(lock, 'no lock');
    await waitFor(
      async () => {
        await staged.engine.feed().catch(() => undefined);
        return (await staged.listed()) === 1;
      },
      { what: 'the list to be filled again' },
    );
    await expect(staged.engine.feed()).rejects.toThrow(/WRONGTYPE/);
    await redis.del(lock);
    redis.disconnect();
    await staged.putAside(ids);
  });

  it('one look for who waits that was held up is no reason to miss for long who comes next', async () => {
    const holder = await staged.superuser();
    await holder.query('BEGIN');
    await holder.query('LOCK TABLE backlog IN ACCESS EXCLUSIVE MODE');
    const isWaiting = async () => {
      const { rows } = await holder.query(
        `SELECT 1 FROM pg_locks WHERE NOT granted AND relation = 'backlog'::regclass`,
      );
      return rows.length > 0;
    };
    let heldUp = Promise.resolve(0);
    await waitFor(
      async () => {
        // It asks once a second; all others cost nothing while nobody waits.
        heldUp = heldUp.then(() => staged.engine.feed());
        return isWaiting();
      },
      { what: 'the look to be held up', everyMs: 100 },
    );
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    await holder.query('ROLLBACK');
    await holder.end();
    await heldUp;

    const ids = await offered(2);
    await staged.ledger.drop(staged.account.id, staged.tenant, 'TRANSACTIONAL');
    await waitFor(async () => (await staged.engine.feed(), (await staged.listed()) === 2), {
      what: 'the feeder to find it',
      withinMs: 20_000,
      everyMs: 200,
    });
    await staged.putAside(ids);
  });

  it('a Redis that may evict keys by now is found when the accounts are looked at next, connected or not', async () => {
    const server = await startRedis(temporaryFolder(), []);
    const admin = new Redis(server.url);
    const worker = await staged.stack.createWorker({ REDIS_URL: server.url });
    try {
      const ledger = worker.app.get(Ledger, { strict: false });
      const { id } = staged.account;
      const limits = { quota: 1_000n, rate: { num: 10, den: 1 }, sesSent: 0n };
      expect(await ledger.rebuild(id, 99n, limits, [], new Map(), 0)).toBe(true);
      const ask = () => ledger.acquire(id, { ...staged.request(), epoch: 99n });
      expect((await ask()).kind).toBe('empty');
      await admin.config('SET', 'maxmemory-policy', 'allkeys-lru');
      await worker.app.get(SendEngine).observeAccounts();
      await expect(ask()).rejects.toThrow(/evicting.*allkeys-lru.*CONFIG SET maxmemory-policy noeviction/);
    } finally {
      await staged.stack.stopWorker(worker);
      admin.disconnect();
      await server.stop();
    }
  });

  it.each([
    ['is read-only', 'SET default_transaction_read_only = on', 'RESET default_transaction_read_only'],
    ['has no connection to spare', 'CONNECTION LIMIT 0', 'CONNECTION LIMIT -1'],
  ])(
    'a PostgreSQL that %s takes no mail and no claim, nothing is sent, and all goes on afterwards',
    async (_what, on, off) => {
      const { ids, ticket } = await staged.granted(2);
      const superuser = await staged.superuser();
      const name = new URL(staged.stack.database.superuserUrl).pathname.slice(1);
      await superuser.query(`ALTER DATABASE "${name}" ${on}`);
      await superuser.query(
        'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND pid <> pg_backend_pid()',
        [name],
      );
      await expect(staged.stack.accept(staged.tenant, 'shop', 1)).rejects.toThrow();
      const dispatching = staged.engine.dispatch({ ...ticket, deadlineMs: staged.ledger.nowMs() + 60_000 });
      await waitFor(() => staged.stack.logLines.some((line) => line.includes('a claim failed')), {
        what: 'the claim to be refused',
      });
      expect(await staged.stack.judge(ids)).toEqual({ lost: 2, duplicated: 0 });
      await superuser.query('SET default_transaction_read_only = off');
      await superuser.query(`ALTER DATABASE "${name}" ${off}`);
      // Connections that were made meanwhile keep what they were told.
      await superuser.query(
        'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND pid <> pg_backend_pid()',
        [name],
      );
      await superuser.end();
      await dispatching;
      expect(await staged.statesOf(ids)).toEqual(['READY']);
      await staged.putAside(ids);
      staged.stack.logLines.length = 0;
    },
  );
});
