import { PutConfigurationSetSendingOptionsCommand } from '@aws-sdk/client-sesv2';
import { newId, type MessageId } from '@libs/kernel';
import { ProvisioningService } from '@libs/placement';
import { MessageService } from '@libs/sending';
import { waitFor } from '../support/wait-for';
import { RefusedMail } from './refused-mail';
import type { StagedCrash } from './staged-crash';

/** A tenant's configuration set that somebody switched off at SES, as its owner may and as SES itself does. */
describe('a configuration set that is paused', () => {
  let refused: RefusedMail;
  let staged: StagedCrash;
  let held: MessageId[] = [];

  beforeAll(async () => {
    refused = await RefusedMail.start();
    ({ staged } = refused);
  });
  afterAll(() => refused.close());

  const setSending = async (SendingEnabled: boolean) => {
    const { configurationSet: ConfigurationSetName } = await refused.route();
    await refused.ses.send(new PutConfigurationSetSendingOptionsCommand({ ConfigurationSetName, SendingEnabled }));
  };
  const lookAtRoutes = () => refused.inWorker(ProvisioningService).advance();
  const attempts = () => staged.stack.query('SELECT state FROM attempt WHERE message_id = ANY($1)', [held]);

  it('holds its mail after the first answer: it is tried no more, says why it waits, and is not granted anything', async () => {
    const { ids, ticket } = await staged.granted(3);
    held = ids;
    await setSending(false);
    await staged.engine.dispatch(ticket);
    expect(await staged.statesOf(ids)).toEqual(['READY']);
    expect(await attempts()).toEqual([{ state: 'NOT_SENT' }, { state: 'NOT_SENT' }, { state: 'NOT_SENT' }]);
    await waitFor(async () => (await refused.route()).readyAt === null, { what: 'the route to be looked at again' });
    await lookAtRoutes();
    expect(await refused.route()).toMatchObject({ readyAt: null, pausedAt: expect.any(Date) as Date });
    expect(await refused.route('MARKETING')).toMatchObject({ readyAt: expect.any(Date) as Date, pausedAt: null });

    await refused.comeDue(held);
    await staged.engine.feed();
    expect(await staged.listed()).toBe(0);
    // Even a ticket that comes all the same tries nothing.
    const now = staged.ledger.nowMs();
    await staged.engine.dispatch({ ...ticket, batchId: newId(), slotStartMs: now, deadlineMs: now + 5_000 });
    expect(await attempts()).toHaveLength(3);
    const waits = await staged.stack.inApi(MessageService).waits(staged.tenant, ids);
    expect([...waits.values()].map(({ limit }) => limit)).toEqual(['PAUSED', 'PAUSED', 'PAUSED']);
  });

  it('is asked about at SES now and then, not at every look', async () => {
    const before = (await refused.route()).pausedAt;
    await lookAtRoutes();
    expect((await refused.route()).pausedAt).toEqual(before);
  });

  it('sends everything once the pause has ended', async () => {
    await setSending(true);
    await staged.stack.query(`UPDATE configuration_set SET paused_at = paused_at - interval '1 minute'`);
    await lookAtRoutes();
    expect(await refused.route()).toMatchObject({ readyAt: expect.any(Date) as Date, pausedAt: null });
    await refused.comeDue(held);
    await refused.fedUntil(3);
    expect(await staged.stack.judge(held)).toEqual({ lost: 3, duplicated: 0 });
    await refused.dispatchListed();
    expect(await staged.statesOf(held)).toEqual(['SENT']);
    expect(await staged.stack.judge(held)).toEqual({ lost: 0, duplicated: 0 });
  });
});
