import { newId, type BatchId, type LaneId, type MessageId } from '@libs/kernel';
import { PlacementService, ProvisioningService } from '@libs/placement';
import { waitFor } from '../support/wait-for';
import { StagedCrash } from './staged-crash';

const by = { actor: 'operator:test' };

/** A placement that ends between the moment a message reads it and the moment it is written, or while it is on its way. */
describe('a message whose tenant gets another placement meanwhile', () => {
  let staged: StagedCrash;

  beforeAll(async () => {
    staged = await StagedCrash.start();
  });
  afterAll(() => staged.close());

  const placesOf = (ids: readonly MessageId[]) =>
    staged.stack.query<{ account: string; lane: string; state: string }>(
      'SELECT sending_account_id AS account, lane_id AS lane, state FROM message WHERE id = ANY($1)',
      [ids],
    );

  it('goes by the lane that the tenant has by now, although it was granted for another', async () => {
    const { ids, ticket } = await staged.granted(2);
    const lane = newId<LaneId>();
    await staged.stack.query(
      `INSERT INTO lane (id, sending_account_id, kind, pool_name, created_at) VALUES ($1, $2, 'POOL', 'other', now())`,
      [lane, staged.account.id],
    );
    await staged.stack.query('UPDATE placement SET lane_id = $1 WHERE valid_to IS NULL', [lane]);
    await staged.stack.query('UPDATE configuration_set SET lane_id = $1', [lane]);
    await staged.engine.dispatch(ticket);
    expect(await placesOf(ids)).toEqual(ids.map(() => ({ account: staged.account.id, lane, state: 'READY' })));

    await waitFor(async () => (await staged.engine.feed(), (await staged.listed()) === 2), {
      what: 'both to be listed again',
      everyMs: 200,
    });
    const batchId = newId<BatchId>();
    const grant = await staged.ledger.acquire(staged.account.id, staged.request(batchId));
    if (grant.kind !== 'grant') throw new Error(`no grant: ${JSON.stringify(grant)}`);
    await staged.engine.dispatch(staged.ticketOf(batchId, grant));
    expect(await staged.statesOf(ids)).toEqual(['SENT']);
    expect(await staged.stack.query('SELECT DISTINCT lane_id AS lane FROM attempt')).toEqual([{ lane }]);
  });

  it('comes back from a sibling whose way out is gone: nobody would make it anew', async () => {
    const sibling = await staged.stack.account({ maxSendRate: 200 }, staged.running);
    await staged.stack.query(
      `INSERT INTO configuration_set (tenant_id, sending_account_id, stream, name, lane_id, ready_at)
       SELECT $1, $2, 'TRANSACTIONAL', 'pf-test', id, NULL FROM lane WHERE sending_account_id = $2`,
      [staged.tenant, sibling.id],
    );
    const ids = await staged.stack.accept(staged.tenant, 'shop', 1);
    for (const [table, id] of [
      ['message', 'id'],
      ['backlog', 'message_id'],
    ]) {
      await staged.stack.query(`UPDATE ${table} SET sending_account_id = $1 WHERE ${id} = $2`, [sibling.id, ids[0]]);
    }
    await staged.stack.query(
      `INSERT INTO reroute (tenant_id, mode, stream, to_account, from_account, at) VALUES ($1, 'LIVE', 'TRANSACTIONAL', $2, $3, now())`,
      [staged.tenant, sibling.id, staged.account.id],
    );
    await waitFor(async () => (await staged.engine.feed(), (await placesOf(ids))[0]?.account === staged.account.id), {
      what: 'the message to come back',
      everyMs: 200,
    });
    await staged.putAside(ids);
  });

  it('follows the tenant to another account when it was written with the placement that had just ended', async () => {
    const second = await staged.stack.account({ maxSendRate: 200 }, staged.running);
    const holder = await staged.superuser();
    await holder.query('BEGIN');
    // As a move holds it. The accept begins, sees the placement of now, and waits.
    await holder.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`backlog ${staged.tenant}`]);
    const accepting = staged.stack.accept(staged.tenant, 'shop', 1);
    await waitFor(
      async () => {
        const { rows } = await holder.query(`SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted`);
        return rows.length > 0;
      },
      { what: 'the accept to wait' },
    );
    const move = { tenantId: staged.tenant, sendingAccountId: second.id };
    await staged.stack.inApi(PlacementService).placeTenantOn(move, by);
    await holder.query('ROLLBACK');
    await holder.end();
    const ids = await accepting;
    expect(await placesOf(ids)).toMatchObject([{ account: staged.account.id, state: 'READY' }]);

    // Nobody moves anything any more; what is fed finds it.
    await staged.running.app.get(ProvisioningService, { strict: false }).provision(staged.tenant);
    await waitFor(
      async () => {
        await staged.engine.feed();
        return (await placesOf(ids))[0]?.account === second.id;
      },
      { what: 'the message to follow', everyMs: 200 },
    );
  });
});
