import { SendingAccountService } from '@libs/fleet';
import { type MessageId, type SendingAccountId, type TenantId } from '@libs/kernel';
import { PlacementService, ProvisioningService } from '@libs/placement';
import { PlanService, type Plan } from '@libs/plans';
import { Ledger } from '@libs/quota';
import { BacklogService, SendEngine } from '@libs/sending';
import { TenantService } from '@libs/tenancy';
import type { RunningWorker } from '../../apps/worker/src/create-worker';
import { waitFor } from '../support/wait-for';
import { SendingStack } from '../worker/sending-stack';

const by = { actor: 'operator:test' };

/** Journeys of mail that waits: what an operator changes must reach it, wherever it stands. */
describe('a backlog', () => {
  let stack: SendingStack;
  let worker: RunningWorker;
  let first: SendingAccountId;
  let second: SendingAccountId;

  beforeAll(async () => {
    stack = await SendingStack.start({ rerouteAfterMs: 1_000 });
    first = (await stack.account({ maxSendRate: 300, max24HourSend: 1_000_000 })).id;
    second = (await stack.account({ maxSendRate: 300 })).id;
    worker = await stack.startWorker();
  });
  afterAll(() => stack.close());

  const listed = async (tenant: TenantId) => {
    const stats = await worker.app.get(Ledger, { strict: false }).stats(first);
    return stats?.ready.filter((list) => list.tenantId === tenant).reduce((sum, list) => sum + list.messages, 0) ?? 0;
  };
  let larger: Plan;
  const sent = async (tenant: TenantId) => (await stack.states(tenant))['SENT'] ?? 0;

  it('that fills its ready list goes on as soon as its tenant has a larger plan', async () => {
    const tenant = await stack.tenant('capped', { recipientsPerDay: 400n });
    larger = await stack.inApi(PlanService).create(
      {
        code: 'larger',
        name: 'Larger',
        tier: 'growth',
        streams: ['TRANSACTIONAL', 'MARKETING'],
        weight: 10,
        recipientsPerDay: 10_000n,
        recipientsPerSecond: null,
        dedicatedIps: false,
        baseFeeMicro: 0n,
      },
      by,
    );
    const ids = await stack.accept(tenant, 'capped', 1_100, () => ({ stream: 'MARKETING' }));
    await waitFor(async () => (await sent(tenant)) === 400, { what: 'the day of the plan' });
    await waitFor(async () => (await listed(tenant)) > 500, { what: 'the ready list' });
    await stack.inApi(TenantService).setPlan(tenant, larger.id, by);
    await waitFor(async () => (await sent(tenant)) === 1_100, { what: 'the rest to go' });
    expect(await stack.judge(ids)).toEqual({ lost: 0, duplicated: 0 });
  });

  it('of a paused tenant leaves the ready list, so that nobody else’s rate is spent on it', async () => {
    // Most of it is still listed when the pause comes, however long that takes.
    const tenant = await stack.tenant('halted', { recipientsPerDay: 300n });
    const ids = await stack.accept(tenant, 'halted', 900, () => ({ stream: 'MARKETING' }));
    await waitFor(async () => (await listed(tenant)) > 500, { what: 'the ready list' });
    await stack.inApi(TenantService).pause(tenant, 'review', by);
    await waitFor(async () => (await listed(tenant)) === 0, { what: 'the list to be dropped' });
    await stack.inApi(TenantService).setPlan(tenant, larger.id, by);
    await stack.inApi(TenantService).resume(tenant, by);
    await waitFor(async () => (await sent(tenant)) === 900, { what: 'the resumed backlog', withinMs: 60_000 });
    expect(await stack.judge(ids)).toEqual({ lost: 0, duplicated: 0 });
  });

  it('goes along with a move while it is sent, and what comes back from the old account later follows', async () => {
    // Some of it is left when the move is done, however long that takes.
    const tenant = await stack.tenant('mover', { recipientsPerDay: 1_000n });
    const ids = await stack.accept(tenant, 'mover', 1_500, (i) => ({ stream: i % 3 ? 'MARKETING' : 'TRANSACTIONAL' }));
    await waitFor(async () => (await sent(tenant)) > 50, { what: 'the first to go' });
    const move = await stack.inApi(PlacementService).moveTenant({ tenantId: tenant, sendingAccountId: second }, by);
    await waitFor(
      async () =>
        (await stack.inApi(PlacementService).movesOf(tenant)).some(
          ({ id, state }) => id === move.id && state === 'DONE',
        ),
      { what: 'the switch' },
    );
    await waitFor(async () => (await stack.inApi(BacklogService).count(tenant, first)).messages === 0n, {
      what: 'the old account to be left',
    });
    // As an answer that was awaited during the switch leaves a message: ready again, where it was tried, and not soon.
    const [late] = await stack
      .query<{ id: MessageId }>(
        `WITH m AS (
           UPDATE message SET sending_account_id = $2, not_before = now() + interval '60 seconds'
            WHERE id = (SELECT id FROM message WHERE tenant_id = $1 AND state = 'READY' ORDER BY id DESC LIMIT 1 FOR UPDATE SKIP LOCKED)
           RETURNING id, not_before)
         UPDATE backlog b SET sending_account_id = $2, due_at = m.not_before FROM m WHERE b.message_id = m.id RETURNING m.id`,
        [tenant, first],
      )
      .then((rows) => rows.flat() as { id: MessageId }[]);
    expect(late).toBeDefined();
    await stack.inApi(TenantService).setPlan(tenant, larger.id, by);
    await waitFor(async () => (await stack.judge(ids)).lost === 0, { what: 'all to be sent', withinMs: 60_000 });
    expect(await stack.judge(ids)).toEqual({ lost: 0, duplicated: 0 });
    const accounts = await stack.query<{ at: SendingAccountId }>(
      'SELECT sending_account_id AS at FROM attempt WHERE message_id = $1',
      [late?.id],
    );
    expect(accounts).toEqual([{ at: second }]);
    expect(await stack.excess()).toEqual({ overQuota: 0, overRate: 0 });
  }, 80_000);

  it('of a closed account goes through a sibling where its tenant may send, and stays there when the account is back', async () => {
    const tenant = await stack.tenant('rerouted');
    // Placed on the first account, and known to the second, as after a move there and back.
    const provisioning = worker.app.get(ProvisioningService);
    await stack.inApi(PlacementService).moveTenant({ tenantId: tenant, sendingAccountId: second }, by);
    const isAt = async (account: SendingAccountId) =>
      (await stack.inApi(PlacementService).currentFor([tenant])).every((one) => one.sendingAccountId === account);
    await waitFor(() => isAt(second), { what: 'the move there' });
    await stack.inApi(PlacementService).moveTenant({ tenantId: tenant, sendingAccountId: first }, by);
    await waitFor(() => isAt(first), { what: 'the move back' });
    await provisioning.provision(tenant);
    const { accountId } = await stack.inApi(SendingAccountService).get(first);
    const region = (enforcementStatus: 'SHUTDOWN' | 'HEALTHY') =>
      stack.aws.putAccount(accountId, { regions: { 'us-east-1': { enforcementStatus } } });
    await region('SHUTDOWN');
    // SES refuses the tenant's transactional mail there: it would wait there as well, and could go nowhere else by then.
    await stack.query(
      `UPDATE configuration_set SET held_until = now() + interval '1 hour', held_for = 'DENIED'
        WHERE tenant_id = $1 AND sending_account_id = $2 AND stream = 'TRANSACTIONAL'`,
      [tenant, second],
    );
    const ids = await stack.accept(tenant, 'rerouted', 300, (i) => ({ stream: i % 3 ? 'MARKETING' : 'TRANSACTIONAL' }));
    await waitFor(async () => (await stack.judge(ids)).lost === 100, { what: 'marketing to go', withinMs: 40_000 });
    expect(
      await stack.query(
        `SELECT DISTINCT sending_account_id AS at FROM message WHERE tenant_id = $1 AND stream = 'TRANSACTIONAL'`,
        [tenant],
      ),
    ).toEqual([{ at: first }]);
    await stack.query('UPDATE configuration_set SET held_until = NULL, held_for = NULL WHERE tenant_id = $1', [tenant]);
    await waitFor(async () => (await stack.judge(ids)).lost === 0, { what: 'all to go another way', withinMs: 40_000 });
    expect(await stack.judge(ids)).toEqual({ lost: 0, duplicated: 0 });
    // What SES has accepted is written a moment later.
    const sentThrough = async (messages: readonly string[]) => {
      const sent = () =>
        stack.query<{ account: SendingAccountId }>(
          `SELECT sending_account_id AS account FROM attempt WHERE message_id = ANY($1) AND state = 'SENT'`,
          [messages],
        );
      await waitFor(async () => (await sent()).length === messages.length, { what: 'the outcomes' });
      return new Set((await sent()).map(({ account }) => account));
    };
    expect(await sentThrough(ids)).toEqual(new Set([second]));
    const said = await stack.query<{ n: number }>(
      `SELECT count(DISTINCT message_id)::int AS n FROM message_event WHERE message_id = ANY($1) AND type = 'message.rerouted'`,
      [ids],
    );
    expect(said).toEqual([{ n: 300 }]);
    expect(
      await stack.query('SELECT stream, to_account FROM reroute WHERE tenant_id = $1 ORDER BY stream', [tenant]),
    ).toEqual([
      { stream: 'MARKETING', to_account: second },
      { stream: 'TRANSACTIONAL', to_account: second },
    ]);
    // New mail follows the placement, which never changed.
    await region('HEALTHY');
    await worker.app.get(SendEngine).observeAccounts();
    await waitFor(
      async () =>
        (await stack.inApi(SendingAccountService).get(first)).state === 'PRODUCTION' ||
        worker.app
          .get(SendEngine)
          .observeAccounts()
          .then(() => false),
      { what: 'the account to be back', everyMs: 500 },
    );
    const [later] = await stack.accept(tenant, 'rerouted', 1);
    // Its outcome is written a moment after it arrived.
    await waitFor(async () => (await sentThrough([later!])).size > 0, { what: 'the next message' });
    expect(await sentThrough([later!])).toEqual(new Set([first]));
    expect(await stack.excess()).toEqual({ overQuota: 0, overRate: 0 });
  }, 120_000);
});
