import type { SendingAccount } from '@libs/fleet';
import { newId, type BatchId, type SendingAccountId, type TenantId } from '@libs/kernel';
import { PlacementService, ProvisioningService } from '@libs/placement';
import { BacklogService } from '@libs/sending';
import { waitFor } from '../support/wait-for';
import { StagedCrash } from './staged-crash';

const by = { actor: 'operator:test' };

/** What a tenant may send in a day is the tenant's, whichever accounts its mail takes. */
describe('the daily cap of a tenant', () => {
  let staged: StagedCrash;
  let home: SendingAccountId;
  let other: SendingAccountId;

  beforeAll(async () => {
    staged = await StagedCrash.start({ rerouteAfterMs: 500 });
    home = staged.account.id;
    other = (await staged.stack.account({ maxSendRate: 200 }, staged.running)).id;
    await ledgersAreCurrent();
  });
  afterAll(() => staged.close());

  async function lookAt(id: SendingAccountId): Promise<SendingAccount> {
    staged.account = { ...staged.account, id };
    await staged.lookAgain();
    return staged.account;
  }
  async function ledgersAreCurrent(): Promise<void> {
    for (const id of [home, other]) {
      await lookAt(id);
      await staged.rebuilt();
    }
  }
  async function arrange(text: string, parameters: readonly unknown[]): Promise<void> {
    const superuser = await staged.superuser();
    await superuser.query(text, [...parameters]);
    await superuser.end();
  }
  async function placed(tenant: TenantId, account: SendingAccountId): Promise<void> {
    const placements = staged.stack.inApi(PlacementService);
    const [current] = await placements.currentFor([tenant]);
    if (current?.sendingAccountId !== account) {
      await placements.placeTenantOn({ tenantId: tenant, sendingAccountId: account }, by);
    }
    await staged.running.app.get(ProvisioningService, { strict: false }).provision(tenant);
    await staged.running.app.get(BacklogService, { strict: false }).followPlacements(tenant);
  }
  /** Sends what is granted on that account, and answers how many recipients that were. */
  async function sendOnce(account: SendingAccountId): Promise<number> {
    await lookAt(account);
    await staged.engine.feed();
    const batchId = newId<BatchId>();
    const grant = await staged.ledger.acquire(account, staged.request(batchId));
    if (grant.kind !== 'grant') return 0;
    await staged.engine.dispatch(staged.ticketOf(batchId, grant));
    return grant.recipients;
  }
  /** So many at least go on that account by and by: answers how many did. */
  async function send(account: SendingAccountId, atLeast: number): Promise<number> {
    let sent = 0;
    await waitFor(async () => (sent += await sendOnce(account)) >= atLeast, {
      what: `${String(atLeast)} recipients to go`,
      everyMs: 200,
    });
    return sent;
  }
  /** A tenant that has sent 8 recipients of its day's 10 through that account. */
  async function almostThere(name: string, recipientsPerDay: bigint | null = 10n): Promise<TenantId> {
    const tenant = await staged.stack.tenant(name, { recipientsPerDay });
    await placed(tenant, home);
    await staged.stack.accept(tenant, name, 8);
    expect(await send(home, 8)).toBe(8);
    return tenant;
  }
  /** What an api offers is told by what that read; the engine's own look comes before and after. */
  async function noMoreGoes(tenant: TenantId, name: string, account: SendingAccountId): Promise<void> {
    await staged.stack.accept(tenant, name, 1);
    await waitFor(async () => (await lookAt(account), (await staged.listed()) > 0), {
      what: 'the message to be offered',
    });
    expect(await sendOnce(account)).toBe(0);
    await staged.stack.query('DELETE FROM backlog WHERE tenant_id = $1', [tenant]);
    for (const id of [home, other]) await staged.ledger.drop(id, tenant, 'TRANSACTIONAL');
  }

  it('counts what it sent through the account that it has left, after a loss of Redis too', async () => {
    const tenant = await almostThere('mover');
    await placed(tenant, other);
    await staged.stack.accept(tenant, 'mover', 8);
    expect(await send(other, 2)).toBe(2);
    await staged.stack.redis.flush();
    await ledgersAreCurrent();
    await noMoreGoes(tenant, 'mover', other);
  }, 90_000);

  it('counts that also while the account it has left has no ledger, and does not wait for it', async () => {
    const tenant = await almostThere('orphan');
    await placed(tenant, other);
    await staged.ledger.forget(home);
    await staged.stack.accept(tenant, 'orphan', 8);
    expect(await send(other, 2)).toBe(2);
    await noMoreGoes(tenant, 'orphan', other);
    await ledgersAreCurrent();
  });

  it('counts what went through a sibling when its own account is back', async () => {
    const tenant = await staged.stack.tenant('guest', { recipientsPerDay: 10n });
    for (const id of [other, home]) await placed(tenant, id);
    await arrange(`UPDATE sending_account SET state = 'PAUSED' WHERE id = $1`, [home]);
    await staged.stack.accept(tenant, 'guest', 8);
    await waitFor(async () => (await staged.engine.reroute()) > 0, { what: 'another way' });
    expect(await send(other, 8)).toBe(8);
    await arrange(`UPDATE sending_account SET state = 'PRODUCTION' WHERE id = $1`, [home]);
    await staged.stack.accept(tenant, 'guest', 8);
    expect(await send(home, 2)).toBe(2);
    await noMoreGoes(tenant, 'guest', home);
  });

  it('is kept where only the ramp sets it, after a loss of Redis too', async () => {
    await arrange(`UPDATE tier SET ramp_floor = 10 WHERE code = 'growth'`, []);
    // What is known of plans and ramps is a few seconds old.
    const tenant = await almostThere('riser', null);
    await staged.stack.redis.flush();
    await ledgersAreCurrent();
    await staged.stack.accept(tenant, 'riser', 8);
    expect(await send(home, 2)).toBe(2);
    await noMoreGoes(tenant, 'riser', home);
  }, 90_000);
});
