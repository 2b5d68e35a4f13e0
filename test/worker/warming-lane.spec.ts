import { newId, type BatchId, type LaneId } from '@libs/kernel';
import { LimitsService, MessageService } from '@libs/sending';
import type { SendingAccount } from '@libs/fleet';
import { waitFor } from '../support/wait-for';
import { StagedCrash } from './staged-crash';

/** The caps of a lane whose IPs are being warmed up, from the first message of each tenant on. */
describe('a lane that is warmed up', () => {
  let staged: StagedCrash;
  let lane: LaneId;
  let bucketStartMs: number;

  beforeAll(async () => {
    staged = await StagedCrash.start({ rerouteAfterMs: 500 });
    lane = await warm(staged.account);
    await staged.engine.observeAccounts();
  });
  afterAll(() => staged.close());

  /** Its IPs are at one per cent: 500 recipients a day, 63 an hour. */
  async function warm({ id }: SendingAccount): Promise<LaneId> {
    const superuser = await staged.superuser();
    const { rows } = await superuser.query<{ id: LaneId }>('SELECT id FROM lane WHERE sending_account_id = $1', [id]);
    const [first] = rows;
    if (!first) throw new Error('an account without a lane');
    await superuser.query(
      `INSERT INTO dedicated_ip (sending_account_id, ip, lane_id, warmup_status, warmup_percentage, leased_at)
       VALUES ($1, '192.0.2.1', $2, 'IN_PROGRESS', 1, now())`,
      [id, first.id],
    );
    await superuser.end();
    return first.id;
  }
  const lanes = async () => (await staged.ledger.stats(staged.account.id))?.lanes ?? [];

  it('counts the first message of a tenant that nobody has fed yet', async () => {
    const { ids, ticket, grant } = await staged.granted(3);
    expect(grant.messages.map(({ laneId }) => laneId)).toEqual([lane, lane, lane]);
    expect(await lanes()).toMatchObject([{ laneId: lane, dayCap: 500, hourCap: 63, usedDay: 3, usedHour: 3 }]);
    await staged.engine.dispatch(ticket);
    expect(await staged.statesOf(ids)).toEqual(['SENT']);
    bucketStartMs = grant.bucketStartMs;
  });

  it('names to what is beyond its hour the moment in which the first of it leaves the window', async () => {
    const ids = await staged.stack.accept(staged.tenant, 'shop', 61);
    const waits = await staged.stack.inApi(MessageService).waits(staged.tenant, ids);
    const held = [...waits.values()].filter(({ limit }) => limit === 'POOL_WARMUP');
    expect(held).toEqual([
      {
        limit: 'POOL_WARMUP',
        ahead: 60,
        estimatedSendAt: new Date(bucketStartMs + 61 * 60_000),
        explanation: expect.stringMatching(
          /warming up and take 63 recipients an hour; 60 .* are ahead\. Room returns/,
        ) as string,
      },
    ]);
    await staged.putAside(ids);
  });

  it('is what a forecast reckons with', async () => {
    const ask = { recipients: 100, stream: 'TRANSACTIONAL' } as const;
    const { lastAt, bindingLimit } = await staged.stack.inApi(LimitsService).forecast(staged.tenant, 'LIVE', ask);
    expect(bindingLimit).toBe('POOL_WARMUP');
    expect(Number(lastAt)).toBeGreaterThan(bucketStartMs + 3_600_000);
  });

  it('is not passed by mail that comes from a closed account', async () => {
    const home = staged.account;
    const sibling = await staged.stack.account({ maxSendRate: 200 }, staged.running);
    const laneThere = await warm(sibling);
    const superuser = await staged.superuser();
    // Known to the sibling, as after a move there and back.
    await superuser.query(
      `INSERT INTO configuration_set (tenant_id, sending_account_id, stream, name, lane_id, ready_at)
       SELECT tenant_id, $2, stream, name, $3, ready_at FROM configuration_set WHERE sending_account_id = $1`,
      [home.id, sibling.id, laneThere],
    );
    await superuser.query(
      `INSERT INTO domain_identity (tenant_id, domain_id, sending_account_id, state)
       SELECT tenant_id, domain_id, $2, state FROM domain_identity WHERE sending_account_id = $1`,
      [home.id, sibling.id],
    );
    const ids = await staged.stack.accept(staged.tenant, 'shop', 2);
    await superuser.query(`UPDATE sending_account SET state = 'PAUSED' WHERE id = $1`, [home.id]);
    await superuser.end();
    await waitFor(async () => (await staged.engine.keepLedgers(), (await staged.engine.reroute()) === 2), {
      what: 'the messages to take another way',
      withinMs: 40_000,
      everyMs: 100,
    });
    const stats = await staged.ledger.stats(sibling.id);
    const request = { ...staged.request(newId<BatchId>()), epoch: stats?.epoch ?? 0n };
    const grant = await waitFor(
      async () => {
        // The tenant's limits are divided among both accounts first.
        await staged.engine.feed();
        const reply = await staged.ledger.acquire(sibling.id, request);
        return reply.kind === 'grant' ? reply : undefined;
      },
      { what: 'a grant' },
    );
    expect(grant.messages.map(({ id, laneId }) => [id, laneId]).sort()).toEqual(
      ids.map((id) => [id, laneThere]).sort(),
    );
  }, 90_000);
});
