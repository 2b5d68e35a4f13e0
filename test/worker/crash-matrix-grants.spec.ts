import { newId, type BatchId } from '@libs/kernel';
import { AcceptService, type EmailInput } from '@libs/sending';
import { waitFor } from '../support/wait-for';
import { StagedCrash } from './staged-crash';

/** Rows 1 to 8 of the crash matrix: from accepting a message to the claim of its ticket. */
describe('after a crash before anything is sent', () => {
  let staged: StagedCrash;

  beforeAll(async () => {
    staged = await StagedCrash.start();
  });
  afterAll(() => staged.close());

  const email: EmailInput = {
    from: { email: 'news@shop.example' },
    to: [{ email: 'ann@inbox.example' }],
    content: { inline: { subject: 'Hello', text: 'Hello' } },
  };
  const handIn = (idempotencyKey: string) =>
    staged.stack
      .inApi(AcceptService)
      .accept({ tenantId: staged.tenant, mode: 'LIVE' }, { idempotencyKey, emails: [email] });
  const idOf = ({ results }: Awaited<ReturnType<typeof handIn>>) => {
    const [first] = results;
    if (!first || !('message' in first)) throw new Error(`refused: ${JSON.stringify(first)}`);
    return first.message.id;
  };
  const waiting = async () => (await staged.stack.query('SELECT message_id FROM backlog')).length;

  it('row 1: an accept that never committed leaves nothing, and its key serves the next try', async () => {
    const holder = await staged.superuser();
    await holder.query('BEGIN');
    // Every accept takes this lock, shared; so it stands still in the middle of its transaction.
    await holder.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`backlog ${staged.tenant}`]);
    const dying = handIn('row-1').then(
      () => 'answered',
      () => 'failed',
    );
    const killed = async () =>
      (
        await holder.query(
          `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'test-app' AND wait_event_type = 'Lock'`,
        )
      ).rowCount === 1;
    await waitFor(killed, { what: 'the accept to wait' });
    await holder.query('ROLLBACK');
    await holder.end();
    expect(await dying).toBe('failed');
    expect(await staged.stack.query('SELECT 1 FROM message')).toEqual([]);
    const id = idOf(await handIn('row-1'));
    expect(await staged.statesOf([id])).toEqual(['READY']);
    await staged.putAside([id]);
  });

  it('row 2: a client that did not hear the answer asks again with its key and is told the same message', async () => {
    const first = await handIn('row-2');
    const second = await handIn('row-2');
    expect(second.replayed).toBe(true);
    expect(idOf(second)).toBe(idOf(first));
    expect(await waiting()).toBe(1);
    await staged.putAside([idOf(first)]);
  });

  it('row 3: a message that was never offered is found by the feeder', async () => {
    const id = idOf(await handIn('row-3'));
    await waitFor(async () => (await staged.listed()) === 1, { what: 'the offer' });
    // As if the api had died before it.
    await staged.ledger.drop(staged.account.id, staged.tenant, 'TRANSACTIONAL');
    await waitFor(async () => ((await staged.engine.feed()) > 0 ? true : false), {
      what: 'the feeder to find it',
      everyMs: 100,
    });
    expect(await staged.listed()).toBe(1);
    await staged.putAside([id]);
  });

  it('row 4: a grant that fails takes nothing from the quota and nobody from the list', async () => {
    const ids = await staged.stack.accept(staged.tenant, 'shop', 3);
    await waitFor(async () => (await staged.listed()) === 3, { what: 'the offer' });
    const before = await staged.used();
    // A ledger of another epoch, a request that cannot be read: the script ends without having written.
    expect(await staged.ledger.acquire(staged.account.id, { ...staged.request(), epoch: 999n })).toEqual({
      kind: 'stale',
    });
    await expect(
      staged.ledger.acquire(staged.account.id, { ...staged.request(), want: 'many' as unknown as number }),
    ).rejects.toThrow();
    expect(await staged.used()).toBe(before);
    expect(await staged.listed()).toBe(3);
    await staged.putAside(ids);
  });

  it('row 5: a grant whose answer was lost is asked for again and charged once', async () => {
    const ids = await staged.stack.accept(staged.tenant, 'shop', 3);
    await waitFor(async () => (await staged.listed()) === 3, { what: 'the offer' });
    const before = await staged.used();
    const request = staged.request(newId<BatchId>());
    const first = await staged.ledger.acquire(staged.account.id, request);
    const second = await staged.ledger.acquire(staged.account.id, request);
    expect(first).toMatchObject({ kind: 'grant', recipients: 3 });
    expect(second).toMatchObject({ kind: 'grant', recipients: 3 });
    expect(await staged.used()).toBe(before + 3n);
    await staged.sweepOverdue();
    expect(await staged.used()).toBe(before);
    await staged.putAside(ids);
  });

  it('row 6 and 7: a grant without a claim is voided, refunded and offered again, and its ticket can never send', async () => {
    const before = await staged.used();
    const { ids, ticket, grant } = await staged.granted();
    expect(await staged.used()).toBe(before + 3n);
    await staged.sweepOverdue();
    expect(await staged.batch(ticket.batchId)).toMatchObject({ state: 'VOID' });
    expect(await staged.used()).toBe(before);
    // The ticket arrives after all, with all the time in the world.
    await staged.engine.dispatch({ ...ticket, deadlineMs: grant.deadlineMs + 600_000 });
    expect(await staged.stack.judge(ids)).toEqual({ lost: 3, duplicated: 0 });
    await waitFor(async () => (await staged.engine.feed(), (await staged.listed()) === 3), {
      what: 'the messages to be offered again',
      everyMs: 100,
    });
    await staged.putAside(ids);
  });

  it('row 7: what a dead worker never got to claim is not taken from the worker that did', async () => {
    const { ids, ticket } = await staged.granted();
    await staged.deadClaim(ticket, 'alive');
    staged.leaveRecord(ticket, '');
    await staged.engine.sweep();
    expect(await staged.statesOf(ids)).toEqual(['INTENT']);
    expect(await staged.batch(ticket.batchId)).toEqual({ state: 'OPEN', claimed: 3 });
    await staged.stack.query(`UPDATE batch SET state = 'SETTLED' WHERE id = $1`, [ticket.batchId]);
    await staged.putAside(ids);
  });

  it('row 8: a claim that was rolled back leaves only its line in the record, and its ticket is void for good', async () => {
    const before = await staged.usedAtRest();
    const { ids, ticket, grant } = await staged.granted();
    staged.leaveRecord(ticket, '');
    await staged.engine.sweep();
    expect(await staged.batch(ticket.batchId)).toMatchObject({ state: 'VOID', claimed: 0 });
    expect(await staged.statesOf(ids)).toEqual(['READY']);
    await staged.engine.dispatch({ ...ticket, deadlineMs: grant.deadlineMs + 600_000 });
    expect(await staged.stack.judge(ids)).toEqual({ lost: 3, duplicated: 0 });
    expect(await staged.usedAtRest()).toBe(before);
    await staged.putAside(ids);
  });

  it('a grant whose time is over stays open while its batch is another worker’s, and is given back once that is closed', async () => {
    const before = await staged.usedAtRest();
    const { ids, ticket } = await staged.granted(2);
    await staged.deadClaim(ticket);
    await staged.sweepOverdue();
    // It may still ask for another slot, and tell what it did not use.
    expect(await staged.ledger.stats(staged.account.id)).toMatchObject({ inflight: 1, used24h: before + 2n });
    staged.leaveRecord(ticket, '');
    await staged.engine.sweep();
    expect(await staged.ledger.stats(staged.account.id)).toMatchObject({ inflight: 0, used24h: before });
    expect(await staged.statesOf(ids)).toEqual(['READY']);
    await staged.putAside(ids);
  });
});
