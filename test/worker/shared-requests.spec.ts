import { SendingAccountService, sendPermissions, trustPolicy } from '@libs/fleet';
import type { MessageId } from '@libs/kernel';
import type { EmailInput } from '@libs/sending';
import type { Arrival } from '../../apps/simulator/src';
import { EngineAccounts } from '../../libs/sending/src/engine/engine-accounts.service';
import { StagedCrash } from './staged-crash';
import { waitFor } from '../support/wait-for';

const HUB_ARN = 'arn:aws:iam::999900000000:user/postfleet-hub';
describe('marketing mail that starts in the same moment', () => {
  let staged: StagedCrash;

  beforeAll(async () => {
    // Twenty slots of such an account begin in the same moment.
    staged = await StagedCrash.start({}, { maxSendRate: 5_000 });
  });
  afterAll(() => staged.close());
  afterEach(() => staged.stack.aws.clearFaults());

  const campaign = (count: number, change: (i: number) => Partial<EmailInput> = () => ({})) =>
    staged.granted(count, 'shop', (i) => ({ stream: 'MARKETING', ...change(i) }));

  async function arrivalsOf(ids: readonly MessageId[]): Promise<Arrival[]> {
    const wanted = new Set<string>(ids);
    return (await staged.stack.sends()).filter(({ tags }) => wanted.has(tags?.['message'] ?? ''));
  }
  /** As the role is in an account that joined before SendBulkEmail was asked for. */
  async function denyBulk(): Promise<void> {
    const { accountId } = staged.account;
    const [row] = await staged.stack.query<{ arn: string; externalId: string }>(
      'SELECT send_role_arn AS arn, external_id AS "externalId" FROM aws_account WHERE account_id = $1',
      [accountId],
    );
    const { Statement, ...policy } = sendPermissions(accountId);
    const permissionPolicy = {
      ...policy,
      Statement: Statement.map((one) => ({
        ...one,
        Action: one.Action.filter((name) => name !== 'ses:SendBulkEmail'),
      })),
    };
    await staged.stack.aws.putAccount(accountId, {
      roles: [{ arn: row!.arn, trustPolicy: trustPolicy(HUB_ARN, row!.externalId), permissionPolicy }],
    });
  }
  const operationsOf = (arrivals: readonly Arrival[]) =>
    [...new Set(arrivals.map(({ operation }) => operation))].sort();

  it('shares requests, and each message keeps its recipient, its tags, its id of SES and its events', async () => {
    const { ids, ticket } = await campaign(20);
    await staged.engine.dispatch(ticket);
    expect(await staged.statesOf(ids)).toEqual(['SENT']);
    expect(await staged.stack.judge(ids)).toEqual({ lost: 0, duplicated: 0 });

    const arrivals = await arrivalsOf(ids);
    expect(operationsOf(arrivals)).toContain('SendBulkEmail');
    expect(new Set(arrivals.map(({ recipients }) => recipients?.join())).size).toBe(20);
    const attempts = await staged.stack.query<{ id: string; ses: string }>(
      'SELECT id, ses_message_id AS ses FROM attempt WHERE message_id = ANY($1)',
      [ids],
    );
    const seen = new Map(arrivals.map(({ tags, messageId }) => [tags?.['attempt'], messageId]));
    expect(attempts.map(({ id, ses }) => seen.get(id) === ses)).toEqual(ids.map(() => true));

    await waitFor(
      async () => {
        await staged.applyEvents();
        const rows = await staged.stack.query(
          `SELECT FROM recipient WHERE message_id = ANY($1) AND state = 'DELIVERED'`,
          [ids],
        );
        return rows.length === 20;
      },
      { what: 'every message to be delivered', everyMs: 100 },
    );
  });

  it('arrives as it was written, byte for byte the same as by itself', async () => {
    const long = '<td class="a">Grüße, 世界 😀 & co</td>\r\n';
    const written = [
      { subject: 'Plain', html: '<p>Hi</p>', text: 'Hi' },
      { subject: 'Plain', html: '<p>Hi</p>', text: 'Hi' },
      { subject: '"Quotes" & \'more\' <b>', html: '<a href="x?a=1&b=2">\'`=</a>', text: 'a "b" \\ \\\\ \\n \\u0041' },
      { subject: '{{x}} {{{subject}}} {{', html: '{{{html}}} {{#if x}}y{{/if}} {{ }} }}}', text: '{{text}} $& $1 %s' },
      { subject: 'Überraschung 世界 😀', html: '\u2028\u00a0\ufeff<p>é</p>\ttab', text: 'one\r\ntwo\nthree\r\n' },
      { subject: 'Long', html: long.repeat(900), text: 'x' },
      { subject: 'Too long to share', html: long.repeat(5_000), text: 'x' },
    ].flatMap((content) => [content, content]);
    const all: { ids: readonly MessageId[]; operations: string[] }[] = [];
    for (const stream of ['MARKETING', 'TRANSACTIONAL'] as const) {
      const { ids, ticket } = await campaign(written.length, (i) => ({ stream, content: { inline: written[i]! } }));
      await staged.engine.dispatch(ticket);
      expect(await staged.statesOf(ids)).toEqual(['SENT']);
      const arrivals = new Map((await arrivalsOf(ids)).map((arrival) => [arrival.tags?.['message'], arrival]));
      const read = await Promise.all(ids.map((id) => staged.stack.aws.mail(arrivals.get(id)?.messageId ?? '')));
      expect(read).toEqual(written);
      all.push({ ids, operations: ids.map((id) => arrivals.get(id)?.operation ?? '') });
    }
    const [shared, alone] = all.map(({ operations }) => operations);
    expect(shared?.slice(0, -2)).toContain('SendBulkEmail');
    expect(shared?.slice(-2)).toEqual(['SendEmail', 'SendEmail']);
    expect(new Set(alone)).toEqual(new Set(['SendEmail']));
  });

  it('goes one by one when it is transactional', async () => {
    const { ids, ticket } = await campaign(10, () => ({ stream: 'TRANSACTIONAL' }));
    await staged.engine.dispatch(ticket);
    expect(await staged.statesOf(ids)).toEqual(['SENT']);
    expect(operationsOf(await arrivalsOf(ids))).toEqual(['SendEmail']);
  });

  it('goes one by one while requests are not to be shared in its account, which any worker may have written down', async () => {
    const inWorker = <T>(service: abstract new (...args: never[]) => T): T =>
      staged.running.app.get(service as never, { strict: false });
    const { id } = staged.account;
    /** What is known of accounts is a second old; the pumps have it read. */
    const known = (isApart: boolean) =>
      waitFor(
        async () => {
          await inWorker(EngineAccounts).all();
          return inWorker(EngineAccounts).isApart(id, staged.ledger.nowMs()) === isApart;
        },
        { what: 'the worker to know', everyMs: 100 },
      );
    const sent = async () => {
      const { ids, ticket } = await campaign(20);
      await staged.engine.dispatch(ticket);
      expect(await staged.statesOf(ids)).toEqual(['SENT']);
      return operationsOf(await arrivalsOf(ids));
    };
    await inWorker(SendingAccountService).keepApart([id], new Date(staged.ledger.nowMs() + 600_000));
    await known(true);
    expect(await sent()).toEqual(['SendEmail']);
    await staged.stack.query(`UPDATE sending_account SET apart_until = now() - interval '1 second'`);
    await known(false);
    expect(await sent()).toContain('SendBulkEmail');
  });

  it('is in doubt together when the connection breaks, and is settled by its own events without a second copy', async () => {
    await staged.stack.aws.addFault({ operation: 'SendBulkEmail', kind: 'accept-then-reset' });
    const { ids, ticket } = await campaign(20);
    await staged.engine.dispatch(ticket);
    const [first] = await staged.statesOf(ids);
    expect(first).toBe('IN_DOUBT');
    await staged.settleByEvents(ids, 'SENT');
    expect(await staged.stack.judge(ids)).toEqual({ lost: 0, duplicated: 0 });
  });

  it('ends entry by entry: what SES refuses of a request is tried again alone', async () => {
    // SES refuses the first two tries of this one.
    const { ids, ticket } = await campaign(12, (i) =>
      i === 5 ? { to: [{ email: 'throttled+entry@postfleet.test' }] } : {},
    );
    await staged.engine.dispatch(ticket);
    const arrivals = await arrivalsOf(ids);
    const refused = arrivals.filter(({ verdict }) => verdict !== 'accepted');
    expect(refused.map(({ operation, recipients }) => [operation, recipients])).toEqual([
      ['SendBulkEmail', ['throttled+entry@postfleet.test']],
    ]);
    // On a slow machine the campaign is more than one request, and the later ones wait: the refusal slows the account down.
    const taken = arrivals.filter(({ verdict }) => verdict === 'accepted').map(({ tags }) => tags?.['message']);
    expect(taken.length).toBeGreaterThan(0);
    const states = await staged.stack.query<{ id: string; state: string }>(
      'SELECT id, state FROM message WHERE id = ANY($1)',
      [ids],
    );
    expect(new Map(states.map(({ id, state }) => [id, state]))).toEqual(
      new Map(states.map(({ id }) => [id, taken.includes(id) ? 'SENT' : 'READY'])),
    );
    expect(await staged.stack.judge(ids.filter((id) => taken.includes(id)))).toEqual({ lost: 0, duplicated: 0 });
    await staged.putAside(ids);
  });

  it('is named by the incident when SES has paused the account', async () => {
    const { ids, ticket } = await campaign(20);
    const region = (enforcementStatus: 'SHUTDOWN' | 'HEALTHY') =>
      staged.stack.aws.putAccount(staged.account.accountId, {
        regions: { [staged.account.region]: { enforcementStatus } },
      });
    await region('SHUTDOWN');
    await staged.engine.dispatch(ticket);
    expect(await staged.statesOf(ids)).toEqual(['READY']);
    const superuser = await staged.superuser();
    const { rows } = await superuser.query<{ detail: object }>(
      `SELECT detail FROM audit_log WHERE action = 'sendingAccount.paused'`,
    );
    await superuser.end();
    expect(rows).toEqual([{ detail: { from: 'PRODUCTION', answer: 'SendBulkEmail' } }]);

    await region('HEALTHY');
    await waitFor(
      async () => {
        await staged.engine.observeAccounts();
        await staged.lookAgain();
        return staged.account.state === 'PRODUCTION';
      },
      { what: 'the account to send again', everyMs: 200 },
    );
    await staged.putAside(ids);
  });

  it('goes one by one, without a loss, through a role that is not allowed to share', async () => {
    await denyBulk();
    const first = await campaign(20);
    await staged.engine.dispatch(first.ticket);
    expect(await staged.statesOf(first.ids)).toEqual(['SENT']);
    expect(await staged.stack.judge(first.ids)).toEqual({ lost: 0, duplicated: 0 });
    const denied = (await arrivalsOf(first.ids)).filter(({ verdict }) => verdict === 'AccessDeniedException');
    expect(operationsOf(denied)).toEqual(['SendBulkEmail']);

    // It is remembered, so that not every request is asked twice.
    const second = await campaign(20);
    await staged.engine.dispatch(second.ticket);
    expect(await staged.statesOf(second.ids)).toEqual(['SENT']);
    expect(operationsOf(await arrivalsOf(second.ids))).toEqual(['SendEmail']);
  });
});

describe('marketing mail of an account in which SES takes few shared requests', () => {
  let staged: StagedCrash;

  beforeAll(async () => {
    staged = await StagedCrash.start({}, { maxSendRate: 5_000 });
    await staged.stack.aws.addFault({ operation: 'SendBulkEmail', kind: '429-operation' });
  });
  afterAll(() => staged.close());

  it('goes one by one at once, as fast as the account may, and asks for none a second time', async () => {
    for (const first of [true, false]) {
      const known = (await staged.stack.sends()).length;
      const { ids, ticket } = await staged.granted(20, 'shop', () => ({ stream: 'MARKETING' }));
      await staged.engine.dispatch(ticket);
      expect(await staged.statesOf(ids)).toEqual(['SENT']);
      expect(await staged.stack.judge(ids)).toEqual({ lost: 0, duplicated: 0 });
      const operations = (await staged.stack.sends()).slice(known).map(({ operation }) => operation);
      expect(operations.includes('SendBulkEmail')).toBe(first);
      expect((await staged.ledger.stats(staged.account.id))?.pacePermille).toBe(1_000);
    }
  });
});

it('an operator can have all mail go one by one', async () => {
  const staged = await StagedCrash.start({ sharedRequests: 'off' }, { maxSendRate: 5_000 });
  try {
    const { ids, ticket } = await staged.granted(20, 'shop', () => ({ stream: 'MARKETING' }));
    await staged.engine.dispatch(ticket);
    expect(await staged.statesOf(ids)).toEqual(['SENT']);
    const operations = (await staged.stack.sends()).map(({ operation }) => operation);
    expect([...new Set(operations)]).toEqual(['SendEmail']);
  } finally {
    await staged.close();
  }
});
