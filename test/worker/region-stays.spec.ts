import type { SendingAccount } from '@libs/fleet';
import type { MessageId } from '@libs/kernel';
import { waitFor } from '../support/wait-for';
import { StagedCrash } from './staged-crash';

/** Mail that asks for a region, where its account is closed and others of its tenant are open. */
describe('a message that asks for a region', () => {
  let staged: StagedCrash;

  beforeAll(async () => {
    staged = await StagedCrash.start({ rerouteAfterMs: 500 });
  });
  afterAll(() => staged.close());

  async function arrange(...statements: readonly (readonly [string, readonly unknown[]])[]): Promise<void> {
    const superuser = await staged.superuser();
    for (const [text, parameters] of statements) await superuser.query(text, [...parameters]);
    await superuser.end();
  }
  /** An account that the tenant was on once: its set and its identity are there. */
  async function sibling(region: string, max24HourSend: number): Promise<SendingAccount> {
    const account = await staged.stack.account({}, staged.running);
    const regions = { [region]: { max24HourSend, maxSendRate: 200, productionAccess: true } };
    await staged.stack.aws.putAccount(account.accountId, { regions });
    await arrange(
      ['UPDATE sending_account SET region = $2 WHERE id = $1', [account.id, region]],
      [
        `INSERT INTO configuration_set (tenant_id, sending_account_id, stream, name, lane_id, ready_at)
         SELECT c.tenant_id, $2, c.stream, c.name, l.id, c.ready_at
           FROM configuration_set c, lane l WHERE c.sending_account_id = $1 AND l.sending_account_id = $2`,
        [staged.account.id, account.id],
      ],
      [
        `INSERT INTO domain_identity (tenant_id, domain_id, sending_account_id, state)
         SELECT tenant_id, domain_id, $2, state FROM domain_identity WHERE sending_account_id = $1`,
        [staged.account.id, account.id],
      ],
    );
    return account;
  }
  const accountsOf = async (ids: readonly MessageId[]) => {
    const rows = await staged.stack.query<{ id: MessageId; account: string }>(
      'SELECT id, sending_account_id AS account FROM message WHERE id = ANY($1)',
      [ids],
    );
    return ids.map((id) => rows.find((row) => row.id === id)?.account);
  };
  const rerouted = (count: number) =>
    waitFor(async () => (await staged.engine.keepLedgers(), (await staged.engine.reroute()) === count), {
      what: `${String(count)} to take another way`,
      withinMs: 40_000,
      everyMs: 100,
    });

  it('stays in it, and takes a smaller sibling there rather than the largest elsewhere', async () => {
    const abroad = await sibling('eu-west-1', 50_000);
    const ids = await staged.stack.accept(staged.tenant, 'shop', 2, (i) => (i === 0 ? { region: 'us' } : {}));
    await arrange([`UPDATE sending_account SET state = 'PAUSED' WHERE id = $1`, [staged.account.id]]);
    await rerouted(1);
    expect(await accountsOf(ids)).toEqual([staged.account.id, abroad.id]);
    expect(await staged.engine.reroute()).toBe(0);

    const near = await sibling('us-west-2', 500);
    await rerouted(1);
    expect(await accountsOf(ids)).toEqual([near.id, abroad.id]);
  }, 120_000);

  it('does not keep what is behind it from another way, however many there are', async () => {
    const stay = await staged.stack.accept(staged.tenant, 'shop', 5_000, () => ({ region: 'us-east-1' }));
    const [last] = await staged.stack.accept(staged.tenant, 'shop', 1);
    expect(await staged.engine.reroute()).toBe(0);
    expect(await staged.engine.reroute()).toBe(1);
    const [first, moved] = await accountsOf([stay[0]!, last!]);
    expect(first).toBe(staged.account.id);
    expect(moved).not.toBe(staged.account.id);
    // From the start again after the end, and what has come meanwhile goes too.
    await staged.stack.accept(staged.tenant, 'shop', 1);
    expect([await staged.engine.reroute(), await staged.engine.reroute(), await staged.engine.reroute()]).toContain(1);
  }, 120_000);
});
