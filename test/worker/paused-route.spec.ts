import { PutConfigurationSetSendingOptionsCommand, SESv2Client } from '@aws-sdk/client-sesv2';
import { RouteService } from '@libs/fleet';
import { newId, type BatchId, type MessageId } from '@libs/kernel';
import { ProvisioningService } from '@libs/placement';
import { MessageService } from '@libs/sending';
import { waitFor } from '../support/wait-for';
import { StagedCrash } from './staged-crash';

const OWNER = { accessKeyId: 'AKIAOWNER00000000001', secretAccessKey: 'own-secret-own-secret-own-secret-0001' };

/** A tenant's configuration set that somebody switched off at SES, as its owner may and as SES itself does. */
describe('a configuration set that is paused', () => {
  let staged: StagedCrash;
  let ses: SESv2Client;
  let held: MessageId[] = [];

  beforeAll(async () => {
    staged = await StagedCrash.start();
    const users = [{ ...OWNER, userName: 'owner', admin: true }];
    await staged.stack.aws.putAccount(staged.account.accountId, { users });
    const { endpoint } = staged.stack.simulator;
    ses = new SESv2Client({ endpoint, region: 'us-east-1', credentials: OWNER, maxAttempts: 1 });
  }, 60_000);
  afterAll(async () => {
    ses.destroy();
    await staged.close();
  }, 60_000);

  const route = async (stream = 'TRANSACTIONAL') => {
    const routes = await staged.running.app.get(RouteService, { strict: false }).list(staged.tenant);
    const found = routes.find((one) => one.stream === stream);
    if (!found) throw new Error('the tenant has no route');
    return found;
  };
  const setSending = async (SendingEnabled: boolean) => {
    const { configurationSet: ConfigurationSetName } = await route();
    await ses.send(new PutConfigurationSetSendingOptionsCommand({ ConfigurationSetName, SendingEnabled }));
  };
  const lookAtRoutes = () => staged.running.app.get(ProvisioningService, { strict: false }).advance();
  const attempts = () => staged.stack.query('SELECT state FROM attempt WHERE message_id = ANY($1)', [held]);
  /** As if the time that was put off had passed. */
  const comeDue = async () => {
    await staged.stack.query('UPDATE message SET not_before = NULL WHERE id = ANY($1)', [held]);
    await staged.stack.query('UPDATE backlog SET due_at = NULL WHERE message_id = ANY($1)', [held]);
  };
  /** The feeder leaves what is younger than two seconds to the api. */
  const fedUntil = (count: number) =>
    waitFor(async () => (await staged.engine.feed(), (await staged.listed()) === count), {
      what: `${String(count)} messages to be listed`,
      withinMs: 10_000,
      everyMs: 200,
    });

  it('holds its mail after the first answer: it is tried no more, says why it waits, and is not granted anything', async () => {
    const { ids, ticket } = await staged.granted(3);
    held = ids;
    await setSending(false);
    await staged.engine.dispatch(ticket);
    expect(await staged.statesOf(ids)).toEqual(['READY']);
    expect(await attempts()).toEqual([{ state: 'NOT_SENT' }, { state: 'NOT_SENT' }, { state: 'NOT_SENT' }]);
    await waitFor(async () => (await route()).readyAt === null, { what: 'the route to be looked at again' });
    await lookAtRoutes();
    expect(await route()).toMatchObject({ readyAt: null, pausedAt: expect.any(Date) as Date });
    expect(await route('MARKETING')).toMatchObject({ readyAt: expect.any(Date) as Date, pausedAt: null });

    await comeDue();
    await staged.engine.feed();
    expect(await staged.listed()).toBe(0);
    // Even a ticket that comes all the same tries nothing.
    const now = staged.ledger.nowMs();
    await staged.engine.dispatch({ ...ticket, batchId: newId(), slotStartMs: now, deadlineMs: now + 5_000 });
    expect(await attempts()).toHaveLength(3);
    const waits = await staged.stack.inApi(MessageService).waits(staged.tenant, ids);
    expect([...waits.values()].map(({ limit }) => limit)).toEqual(['PAUSED', 'PAUSED', 'PAUSED']);
  }, 30_000);

  it('is asked about at SES now and then, not at every look', async () => {
    const before = (await route()).pausedAt;
    await lookAtRoutes();
    expect((await route()).pausedAt).toEqual(before);
  });

  it('sends everything once the pause has ended', async () => {
    await setSending(true);
    await staged.stack.query(`UPDATE configuration_set SET paused_at = paused_at - interval '1 minute'`);
    await lookAtRoutes();
    expect(await route()).toMatchObject({ readyAt: expect.any(Date) as Date, pausedAt: null });
    await comeDue();
    await fedUntil(3);
    expect(await staged.stack.judge(held)).toEqual({ lost: 3, duplicated: 0 });
    const batchId = newId<BatchId>();
    const grant = await staged.ledger.acquire(staged.account.id, staged.request(batchId));
    if (grant.kind !== 'grant') throw new Error(`no grant: ${JSON.stringify(grant)}`);
    await staged.engine.dispatch(staged.ticketOf(batchId, grant));
    expect(await staged.statesOf(held)).toEqual(['SENT']);
    expect(await staged.stack.judge(held)).toEqual({ lost: 0, duplicated: 0 });
  }, 30_000);
});
