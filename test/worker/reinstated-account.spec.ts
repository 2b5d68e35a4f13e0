import { AwsAccountService, managePermissions, trustPolicy } from '@libs/fleet';
import type { MessageId } from '@libs/kernel';
import { TenantService } from '@libs/tenancy';
import { FleetProcessor } from '../../apps/worker/src/processors/fleet.processor';
import { waitFor } from '../support/wait-for';
import { RefusedMail } from './refused-mail';
import { HUB_ARN } from './sending-stack';
import type { StagedCrash } from './staged-crash';

const by = { actor: 'operator:test' };

/** What an operator lets go again goes at once, and not when somebody looks the next time. */
describe('mail that was stopped', () => {
  let refused: RefusedMail;
  let staged: StagedCrash;

  beforeAll(async () => {
    refused = await RefusedMail.start();
    ({ staged } = refused);
  });
  afterAll(() => refused.close());

  const region = (change: object) =>
    staged.stack.aws.putAccount(staged.account.accountId, { regions: { 'us-east-1': change } });
  const frozenUntil = async () => (await staged.ledger.stats(staged.account.id))?.frozenUntilMs;
  const verify = () => refused.inWorker(FleetProcessor).verify({ awsAccountId: staged.account.awsAccountId });

  /** Has some mail refused for the whole account. */
  async function refusedOnce(): Promise<MessageId[]> {
    const { ids, ticket } = await staged.granted(2);
    await staged.engine.dispatch(ticket);
    expect(await staged.statesOf(ids)).toEqual(['READY']);
    expect(await frozenUntil()).toBeGreaterThan(staged.ledger.nowMs());
    return ids;
  }
  /** Sent within less than what was refused used to wait by itself. */
  async function goes(ids: readonly MessageId[]): Promise<void> {
    const isSent = async () => {
      await staged.engine.feed();
      if ((await staged.listed()) > 0) await refused.dispatchListed();
      return (await staged.statesOf(ids)).join() === 'SENT';
    };
    await waitFor(isSent, { what: 'the mail to go', withinMs: 40_000, everyMs: 200 });
  }
  async function audited(): Promise<string[]> {
    const superuser = await staged.superuser();
    const { rows } = await superuser.query<{ action: string }>(
      `SELECT action FROM audit_log WHERE action LIKE 'sendingAccount.%' ORDER BY at, id`,
    );
    await superuser.end();
    return rows.map(({ action }) => action);
  }

  it('by a pause of AWS goes, also what was tried, once an operator has the account verified', async () => {
    await region({ enforcementStatus: 'SHUTDOWN' });
    const ids = await refusedOnce();
    await region({ enforcementStatus: 'HEALTHY' });
    await verify();
    expect(await frozenUntil()).toBe(0);
    await goes(ids);
  });

  it('by a pause of AWS right after the one before is known as such, and audited', async () => {
    const known = (await audited()).length;
    await region({ enforcementStatus: 'SHUTDOWN' });
    const ids = await refusedOnce();
    await waitFor(async () => (await audited()).length > known, { what: 'the pause to be written down' });
    expect((await audited()).slice(known)).toEqual(['sendingAccount.paused']);
    await staged.lookAgain();
    expect(staged.account.state).toBe('PAUSED');
    await region({ enforcementStatus: 'HEALTHY' });
    await verify();
    await goes(ids);
  });

  it('by a pause of AWS goes soon after AWS lets it, without anybody', async () => {
    await region({ enforcementStatus: 'SHUTDOWN' });
    await staged.engine.observeAccounts();
    expect(await frozenUntil()).toBeGreaterThan(staged.ledger.nowMs());
    await region({ enforcementStatus: 'HEALTHY' });
    // The engine knows accounts for a second.
    await waitFor(async () => (await staged.engine.observePaused(), (await frozenUntil()) === 0), {
      what: 'the account to be looked at',
      everyMs: 100,
    });
  });

  it('by a suspension goes once an operator has the account verified, whatever the rest of that finds; both are audited', async () => {
    const known = (await audited()).length;
    await region({ suspended: true });
    const ids = await refusedOnce();
    await region({ suspended: false });
    await staged.engine.observePaused();
    expect(await frozenUntil()).toBeGreaterThan(staged.ledger.nowMs());
    const account = await staged.stack.inApi(AwsAccountService).get(staged.account.awsAccountId);
    const all = managePermissions(account.accountId);
    const Statement = all.Statement.filter(({ Action }) => !Action.some((name) => name.startsWith('sns:')));
    await staged.stack.aws.putAccount(account.accountId, {
      roles: [
        {
          arn: account.manageRoleArn,
          trustPolicy: trustPolicy(HUB_ARN, account.externalId),
          permissionPolicy: { ...all, Statement },
        },
      ],
    });
    await verify();
    expect(await staged.stack.inApi(AwsAccountService).get(account.id)).toMatchObject({
      state: 'FAILED',
      failedStep: 'TOPIC',
    });
    expect(await frozenUntil()).toBe(0);
    expect((await audited()).slice(known)).toEqual(['sendingAccount.suspended', 'sendingAccount.production']);
    await goes(ids);
  });

  it('by a pause that is found while a ledger is rebuilt is said aloud and audited like any other', async () => {
    const known = (await audited()).length;
    await region({ enforcementStatus: 'SHUTDOWN' });
    await staged.stack.redis.flush();
    await staged.rebuilt();
    expect(await frozenUntil()).toBeGreaterThan(staged.ledger.nowMs());
    expect((await audited()).slice(known)).toEqual(['sendingAccount.paused']);
    await region({ enforcementStatus: 'HEALTHY' });
    await verify();
    expect((await audited()).slice(known)).toEqual(['sendingAccount.paused', 'sendingAccount.production']);
  });

  it('by a pause of its tenant goes, also what was granted before, once the tenant is resumed', async () => {
    const tenants = staged.stack.inApi(TenantService);
    const { ids, ticket } = await staged.granted(2);
    await tenants.pause(staged.tenant, 'unpaid', by);
    await staged.engine.dispatch(ticket);
    expect(await staged.statesOf(ids)).toEqual(['READY']);
    await tenants.resume(staged.tenant, by);
    await goes(ids);
  });
});
