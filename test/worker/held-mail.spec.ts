import { DeleteConfigurationSetCommand, DeleteEmailIdentityCommand } from '@aws-sdk/client-sesv2';
import { AccountVerification, DomainService, IdentityService, sendPermissions, trustPolicy } from '@libs/fleet';
import { newId, type AwsAccountId, type MessageId } from '@libs/kernel';
import { ProvisioningService } from '@libs/placement';
import { MessageService, SendEngine } from '@libs/sending';
import { waitFor } from '../support/wait-for';
import { RefusedMail } from './refused-mail';
import type { StagedCrash } from './staged-crash';

const HUB_ARN = 'arn:aws:iam::999900000000:user/postfleet-hub';

/** What SES refuses for a whole route or domain: it is tried once, and then waits without being granted or tried. */
describe('mail that SES refuses until something is mended', () => {
  let refused: RefusedMail;
  let staged: StagedCrash;
  /** Messages of the case that runs. */
  let held: MessageId[] = [];

  beforeAll(async () => {
    refused = await RefusedMail.start();
    ({ staged } = refused);
  });
  afterAll(() => refused.close());

  const advance = () => refused.inWorker(ProvisioningService).advance();
  const attempts = async (ids: readonly MessageId[] = held) =>
    (await staged.stack.query('SELECT id FROM attempt WHERE message_id = ANY($1)', [ids])).length;
  /** For longer than the feeder leaves a message to the api, and than it takes to ask anew who waits. */
  const notFed = async () => {
    const listed: number[] = [];
    await waitFor(
      async () => {
        await staged.engine.feed();
        return listed.push(await staged.listed()) > 12;
      },
      { what: 'three seconds', everyMs: 250 },
    );
    expect(Math.max(...listed)).toBe(0);
  };
  /** Even a ticket that comes all the same tries nothing. */
  const expectHeld = async (limit: string, explanation: RegExp) => {
    const before = await attempts();
    await refused.comeDue(held);
    await notFed();
    const now = staged.ledger.nowMs();
    const messages = held.map((id) => ({ tenantId: staged.tenant, id, recipients: 1 }));
    await staged.engine.dispatch({
      batchId: newId(),
      sendingAccountId: staged.account.id,
      epoch: String(staged.account.epoch),
      bucketStartMs: now,
      slotStartMs: now,
      deadlineMs: now + 5_000,
      granted: held.length,
      rate: { num: 200, den: 1 },
      messages,
    });
    expect(await attempts()).toBe(before);
    expect(await staged.statesOf(held)).toEqual(['READY']);
    const waits = await staged.stack.inApi(MessageService).waits(staged.tenant, held);
    for (const wait of waits.values()) {
      expect(wait.limit).toBe(limit);
      expect(wait.explanation).toMatch(explanation);
    }
    expect(waits.size).toBe(held.length);
  };
  const expectSent = async (listed = held.length) => {
    await refused.comeDue(held);
    await refused.fedUntil(listed);
    await refused.dispatchListed();
    await waitFor(
      async () => {
        await refused.comeDue(held);
        await staged.engine.feed();
        if ((await staged.listed()) > 0) await refused.dispatchListed();
        return (await staged.statesOf(held)).join() === 'SENT';
      },
      { what: 'all of it to be sent', everyMs: 250 },
    );
    expect(await staged.stack.judge(held)).toEqual({ lost: 0, duplicated: 0 });
  };

  describe('because its domain is not verified any more', () => {
    const domain = 'shop.example';
    const verify = (status: 'PENDING' | 'SUCCESS') =>
      staged.stack.aws.verifyIdentity({
        account: staged.account.accountId,
        region: 'us-east-1',
        identity: domain,
        status,
      });

    it('is tried once, waits unclaimed and says why, while the other domain of the tenant goes on', async () => {
      await staged.stack.inApi(DomainService).add(staged.tenant, ['other.example'], { actor: 'operator:test' });
      await refused.inWorker(ProvisioningService).provision(staged.tenant);
      const { ids, ticket } = await staged.granted(3);
      held = ids;
      await verify('PENDING');
      await staged.engine.dispatch(ticket);
      expect(await attempts()).toBe(3);
      await advance();
      await expectHeld('DOMAIN_NOT_READY', /DNS records/);

      const others = await staged.stack.accept(staged.tenant, 'other', 2);
      await waitFor(async () => (await staged.listed()) > 0, { what: 'the other mail to be offered' });
      await refused.dispatchListed();
      expect(await staged.statesOf(others)).toEqual(['SENT']);
      expect(await attempts()).toBe(3);
    });

    it('is asked about at SES now and then, and goes by itself once it is verified', async () => {
      await verify('SUCCESS');
      await advance();
      expect(await refused.inWorker(IdentityService).allVerified(staged.tenant, staged.account.id)).toBe(false);
      await staged.stack.query(`UPDATE domain_identity SET checked_at = checked_at - interval '11 seconds'`);
      await advance();
      expect(await refused.inWorker(IdentityService).allVerified(staged.tenant, staged.account.id)).toBe(true);
      await expectSent();
    });

    it('is made anew at SES when somebody deleted it', async () => {
      const { ids, ticket } = await staged.granted(2);
      held = ids;
      await refused.ses.send(new DeleteEmailIdentityCommand({ EmailIdentity: domain }));
      await staged.engine.dispatch(ticket);
      expect(await attempts()).toBe(2);
      await staged.stack.query(`UPDATE domain_identity SET checked_at = checked_at - interval '11 seconds'`);
      await advance();
      await waitFor(async () => refused.inWorker(IdentityService).allVerified(staged.tenant, staged.account.id), {
        what: 'the identity to be verified anew',
      });
      await expectSent();
    });
  });

  describe('because its configuration set is gone', () => {
    const lose = async () =>
      refused.ses.send(
        new DeleteConfigurationSetCommand({ ConfigurationSetName: (await refused.route()).configurationSet }),
      );

    it('waits until the set has been made anew, and then goes at once, a message first', async () => {
      const { ids, ticket } = await staged.granted(3);
      held = ids;
      await lose();
      await staged.engine.dispatch(ticket);
      expect(await attempts()).toBe(3);
      expect(await refused.route()).toMatchObject({ readyAt: null, heldFor: 'DRIFT', refusals: 1 });
      await expectHeld('PAUSED', /refuses mail on our side/);
      await advance();
      expect((await refused.route()).readyAt).not.toBeNull();
      await expectSent(1);
    });

    it('waits longer each time when that does not help', async () => {
      await staged.stack.query(`UPDATE configuration_set SET held_until = held_until - interval '5 seconds'`);
      const { ids, ticket } = await staged.granted(1);
      held = ids;
      await lose();
      await staged.engine.dispatch(ticket);
      await advance();
      const { heldUntil, refusals, readyAt } = await refused.route();
      expect(readyAt).not.toBeNull();
      expect(refusals).toBe(2);
      expect(heldUntil?.getTime()).toBeGreaterThan(staged.ledger.nowMs() + 20_000);
      await expectHeld('PAUSED', /refuses mail on our side/);
      await staged.stack.query(`UPDATE configuration_set SET held_until = held_until - interval '1 hour'`);
      await expectSent();
    });
  });

  describe('because the configuration set of a stream that the plan has no more is gone', () => {
    const placed = (validTo: string) =>
      staged.stack.query(`UPDATE placement SET valid_to = ${validTo} WHERE tenant_id = $1 AND stream = 'MARKETING'`, [
        staged.tenant,
      ]);

    it('goes once the set has been made anew, which only the waiting mail asks for', async () => {
      const { ids, ticket } = await staged.granted(3, 'shop', () => ({ stream: 'MARKETING' }));
      held = ids;
      await placed('greatest(valid_from, now())');
      await refused.ses.send(
        new DeleteConfigurationSetCommand({
          ConfigurationSetName: (await refused.route('MARKETING')).configurationSet,
        }),
      );
      await staged.engine.dispatch(ticket);
      await advance();
      expect((await refused.route('MARKETING')).readyAt).toBeNull();
      await staged.engine.restoreRoutes();
      expect((await refused.route('MARKETING')).readyAt).not.toBeNull();
      await expectSent(1);
    });

    it('is not made anew when nothing waits for it', async () => {
      await staged.stack.query(`UPDATE configuration_set SET ready_at = NULL WHERE stream = 'MARKETING'`);
      await staged.engine.restoreRoutes();
      expect((await refused.route('MARKETING')).readyAt).toBeNull();
      await placed('NULL');
      await advance();
      expect((await refused.route('MARKETING')).readyAt).not.toBeNull();
    });
  });

  describe('because the send role is denied', () => {
    const permit = async (policy: 'as it was' | 'nothing' | 'no trust') => {
      const { accountId } = staged.account;
      const [row] = await staged.stack.query<{ arn: string; external: string }>(
        'SELECT send_role_arn AS arn, external_id AS external FROM aws_account WHERE account_id = $1',
        [accountId],
      );
      if (!row) throw new Error('no account');
      const nothing = { Version: '2012-10-17', Statement: [] };
      const nobody = trustPolicy('arn:aws:iam::111122223333:user/somebody-else', row.external);
      await staged.stack.aws.putAccount(accountId, {
        roles: [
          {
            arn: row.arn,
            trustPolicy: policy === 'no trust' ? nobody : trustPolicy(HUB_ARN, row.external),
            permissionPolicy: policy === 'nothing' ? nothing : sendPermissions(accountId),
          },
        ],
      });
    };

    it('is held after the first answer and tried by one message when the hold has ended', async () => {
      await staged.stack.query('UPDATE configuration_set SET held_until = NULL, refusals = 0');
      const { ids, ticket } = await staged.granted(3);
      held = ids;
      await permit('nothing');
      await staged.engine.dispatch(ticket);
      expect(await attempts()).toBe(3);
      expect(await refused.route()).toMatchObject({ heldFor: 'DENIED', refusals: 1 });
      expect(await refused.route('MARKETING')).toMatchObject({ refusals: 0 });
      await expectHeld('PAUSED', /refuses mail on our side/);

      await staged.stack.query(
        `UPDATE configuration_set SET held_until = now() - interval '3 seconds' WHERE refusals > 0`,
      );
      await refused.comeDue(held);
      await refused.fedUntil(1);
      await refused.dispatchListed();
      expect(await attempts()).toBe(4);
      expect(await refused.route()).toMatchObject({ heldFor: 'DENIED', refusals: 2 });
      const waits = await staged.stack.query<{ s: number }>(
        'SELECT round(extract(epoch FROM due_at - now()))::int AS s FROM backlog WHERE message_id = ANY($1) AND due_at IS NOT NULL',
        [held],
      );
      // The second attempt of that one message: twice five seconds.
      expect(waits).toHaveLength(1);
      expect(waits[0]?.s).toBeGreaterThan(5);
      expect(waits[0]?.s).toBeLessThanOrEqual(10);
    });

    it('goes, a message first, once the role works again', async () => {
      await permit('as it was');
      await staged.stack.query(
        `UPDATE configuration_set SET held_until = now() - interval '3 seconds' WHERE refusals > 0`,
      );
      await expectSent(1);
    });

    it('is tried at once when an operator has the account verified, and only then', async () => {
      await staged.stack.query(
        `UPDATE configuration_set SET held_until = now() + interval '1 hour', held_for = 'DENIED' WHERE stream = 'TRANSACTIONAL'`,
      );
      await staged.stack.query(
        `UPDATE configuration_set SET held_until = now() + interval '1 hour', held_for = 'DRIFT' WHERE stream = 'MARKETING'`,
      );
      const [account] = await staged.stack.query<{ id: AwsAccountId }>(
        'SELECT id FROM aws_account WHERE account_id = $1',
        [staged.account.accountId],
      );
      if (!account) throw new Error('no account');
      const stillHeld = async () => {
        const rows = await staged.stack.query<{ stream: string }>(
          'SELECT stream FROM configuration_set WHERE held_until > now()',
        );
        return rows.map(({ stream }) => stream).sort();
      };
      await permit('no trust');
      expect((await refused.inWorker(AccountVerification).verify(account.id)).state).toBe('FAILED');
      expect(await stillHeld()).toEqual(['MARKETING', 'TRANSACTIONAL']);
      await permit('as it was');
      expect((await refused.inWorker(AccountVerification).verify(account.id)).state).toBe('ACTIVE');
      expect(await stillHeld()).toEqual(['MARKETING']);
      await staged.stack.query('UPDATE configuration_set SET held_until = NULL, held_for = NULL, refusals = 0');
    });

    it('is held the same when the role may not even be taken on', async () => {
      await staged.stack.query('UPDATE configuration_set SET held_until = NULL, refusals = 0');
      const stranger = await staged.stack.createWorker();
      const { ids, ticket } = await staged.granted(2);
      held = ids;
      await permit('no trust');
      await stranger.app.get(SendEngine).dispatch(ticket);
      expect(await attempts()).toBe(2);
      expect(await refused.route()).toMatchObject({ heldFor: 'DENIED', refusals: 1 });
      await permit('as it was');
    });
  });
});
