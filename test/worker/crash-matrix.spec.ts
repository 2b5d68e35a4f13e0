import { SendEngine } from '@libs/sending';
import { JobQueue } from '@libs/queueing';
import Redis from 'ioredis';
import { waitFor } from '../support/wait-for';
import { StagedCrash } from './staged-crash';

/** Rows 9 to 14 and 28 of the crash matrix: a worker that dies or stands still with messages in its hands. */
describe('after a crash of a worker', () => {
  let staged: StagedCrash;

  beforeAll(async () => {
    staged = await StagedCrash.start();
  });
  afterAll(() => staged.close());

  it('row 9: what a killed worker had claimed and not started goes again at once', async () => {
    const { ids, ticket } = await staged.granted();
    await staged.deadClaim(ticket);
    staged.leaveRecord(ticket, '');
    await staged.engine.sweep();
    expect(await staged.statesOf(ids)).toEqual(['READY']);
    expect(await staged.batch(ticket.batchId)).toEqual({ state: 'SETTLED', claimed: 0 });
    expect(
      await staged.stack.query('SELECT count(*)::int AS n FROM backlog WHERE message_id = ANY($1)', [ids]),
    ).toEqual([{ n: 3 }]);
    await staged.putAside(ids);
  });

  it('row 9: without a record of it (its host is gone) what it had claimed is in doubt, long after its slots', async () => {
    const { ids, ticket } = await staged.granted(1);
    await staged.deadClaim(ticket);
    await staged.engine.sweep();
    expect(await staged.statesOf(ids)).toEqual(['INTENT']);
    await staged.stack.query(`UPDATE batch SET slot_end = slot_end - interval '90 seconds' WHERE id = $1`, [
      ticket.batchId,
    ]);
    await staged.engine.sweep();
    expect(await staged.statesOf(ids)).toEqual(['IN_DOUBT']);
    expect(await staged.batch(ticket.batchId)).toEqual({ state: 'SETTLED', claimed: 1 });
    await staged.putAside(ids);
  });

  it('row 10 and 11: answered is recorded, started is in doubt, the rest is READY', async () => {
    const { ids, ticket } = await staged.granted();
    const [answered, started] = await staged.deadClaim(ticket);
    staged.leaveRecord(ticket, `S ${answered!}\nA ${answered!} sent ses-1\nS ${started!}\n`);
    await staged.engine.sweep();
    const rows = await staged.stack.query('SELECT id, state, ses_message_id FROM attempt WHERE batch_id = $1', [
      ticket.batchId,
    ]);
    expect(rows).toHaveLength(3);
    expect(rows).toContainEqual({ id: answered, state: 'SENT', ses_message_id: 'ses-1' });
    expect(rows).toContainEqual({ id: started, state: 'IN_DOUBT', ses_message_id: null });
    expect(await staged.statesOf(ids)).toEqual(['IN_DOUBT', 'READY', 'SENT']);
    expect(await staged.stack.query('SELECT attempt_id, policy FROM in_doubt')).toEqual([
      { attempt_id: started, policy: 'AT_LEAST_ONCE' },
    ]);
    // Both count: SES has one and may have the other.
    expect(await staged.batch(ticket.batchId)).toEqual({ state: 'SETTLED', claimed: 2 });
    await staged.putAside(ids);
  });

  it('row 12 and 14: a ticket delivered twice, at once or later, sends once', async () => {
    const { ids, ticket } = await staged.granted();
    await Promise.all([staged.engine.dispatch(ticket), staged.engine.dispatch(ticket)]);
    await staged.engine.dispatch(ticket);
    expect(await staged.stack.judge(ids)).toEqual({ lost: 0, duplicated: 0 });
    expect(await staged.statesOf(ids)).toEqual(['SENT']);
    const attempts = await staged.stack.query('SELECT 1 FROM attempt WHERE message_id = ANY($1)', [ids]);
    expect(attempts).toHaveLength(3);
  });

  it('row 14: two workers with the same ticket, because Bull gave up on the first, send once', async () => {
    const other = await staged.stack.createWorker();
    const { ids, ticket } = await staged.granted();
    await Promise.all([staged.engine.dispatch(ticket), other.app.get(SendEngine).dispatch(ticket)]);
    expect(await staged.stack.judge(ids)).toEqual({ lost: 0, duplicated: 0 });
    await staged.stack.stopWorker(other);
  });

  it('row 13: a worker that wakes after the deadline sends nothing and gives everything back', async () => {
    const before = await staged.usedAtRest();
    const { ids, ticket } = await staged.granted();
    // Its deadline passes between the claim and the first request.
    await staged.engine.dispatch({
      ...ticket,
      slotStartMs: staged.ledger.nowMs() - 10,
      deadlineMs: staged.ledger.nowMs() + 5,
      rate: { num: 1, den: 1 },
    });
    const { lost, duplicated } = await staged.stack.judge(ids);
    expect(duplicated).toBe(0);
    expect((await staged.usedAtRest()) - before).toBe(BigInt(3 - lost));
    await staged.putAside(ids);
  });

  it('row 28: a drained worker leaves no open batch, no ticket half done and no record behind', async () => {
    const { worker, app } = await staged.stack.startWorker();
    const ids = await staged.stack.accept(staged.tenant, 'shop', 100);
    await waitFor(async () => (await staged.stack.judge(ids)).lost < 100, {
      what: 'sending to begin',
    });
    await worker.stop();
    expect(app.get(SendEngine).load).toEqual({ batches: 0, outcomes: 0 });
    expect(await staged.stack.query(`SELECT 1 FROM batch WHERE state = 'OPEN'`)).toEqual([]);
    expect(await staged.stack.query(`SELECT 1 FROM message WHERE state = 'INTENT'`)).toEqual([]);
    expect((await staged.stack.judge(ids)).duplicated).toBe(0);
    expect(await app.get(JobQueue).counts('dispatch-tx')).toMatchObject({ active: 0 });
  });

  it('row 28: a worker is drained also while events come without end', async () => {
    const flow = await staged.superuser();
    await flow.query(
      `INSERT INTO notification (id, sending_account_id, topic_arn, type, body, received_at, state)
       SELECT gen_random_uuid(), $1, 'arn', 'Notification', '{}', now(), 'STORED' FROM generate_series(1, 10000)`,
      [staged.account.id],
    );
    const { worker } = await staged.stack.startWorker();
    const drained = new AbortController();
    const flowing = (async () => {
      while (!drained.signal.aborted)
        await flow.query(`UPDATE notification SET state = 'STORED' WHERE state = 'REJECTED'`);
    })();
    const isApplying = async () =>
      (await flow.query('SELECT FROM notification WHERE reason IS NOT NULL')).rows.length > 0;
    await waitFor(isApplying, { what: 'events to be looked at' });
    await worker.stop();
    drained.abort();
    await flowing;
    await flow.query('DELETE FROM notification WHERE reason IS NOT NULL');
    await flow.end();
  });

  it('P14: every request to SES had a committed intent, and nothing went over quota or rate', async () => {
    expect(await staged.sentWithoutIntent()).toBe(0);
    expect(await staged.stack.excess()).toEqual({ overQuota: 0, overRate: 0 });
  });

  it('stores nothing but what a worker may lose in Redis: ids, costs and numbers', async () => {
    const redis = new Redis(staged.stack.redis.url);
    const keys = await redis.keys('pf:*');
    redis.disconnect();
    expect(keys.length).toBeGreaterThan(0);
    expect(keys.every((key) => key.startsWith(`pf:{${staged.account.id}}:`))).toBe(true);
  });
});
