import { SpendGuard } from '@libs/billing';
import { newId, type BatchId, type MessageId } from '@libs/kernel';
import { AcceptService, MessageService, StreamHolds } from '@libs/sending';
import { waitFor } from '../support/wait-for';
import { StagedCrash } from './staged-crash';

/** A tenant that pays a dollar for each recipient and wants to spend two of them a month. */
describe('marketing at the spend cap', () => {
  let staged: StagedCrash;
  let waiting: MessageId[];

  beforeAll(async () => {
    staged = await StagedCrash.start();
    const owner = await staged.superuser();
    await owner.query('INSERT INTO plan_price_tier SELECT id, 0, 1000000, 1 FROM plan_price');
    await owner.query('INSERT INTO spend_setting VALUES ($1, $2, 2000000, now())', [staged.tenant, []]);
    await owner.end();
  });
  afterAll(() => staged.close());

  const check = () => staged.running.app.get(SpendGuard, { strict: false }).check();
  const marketing = (count: number) =>
    staged.stack.accept(staged.tenant, 'shop', count, () => ({ stream: 'MARKETING' }));
  const fedUntil = (count: number) =>
    waitFor(async () => (await staged.engine.feed(), (await staged.listed()) === count), {
      what: `${String(count)} messages to be listed`,
      everyMs: 200,
    });
  const send = async () => {
    const batchId = newId<BatchId>();
    const grant = await staged.ledger.acquire(staged.account.id, staged.request(batchId));
    if (grant.kind !== 'grant') throw new Error(`no grant: ${JSON.stringify(grant)}`);
    await staged.engine.dispatch(staged.ticketOf(batchId, grant));
  };

  it('is sent below it', async () => {
    const ids = await marketing(1);
    await waitFor(async () => (await staged.listed()) === 1, { what: 'the message to be offered' });
    await check();
    await send();
    expect(await staged.statesOf(ids)).toEqual(['SENT']);
  });

  it('is held where it waits and refused where it comes, while transactional mail goes', async () => {
    const { ids, ticket } = await staged.granted(1);
    await staged.engine.dispatch(ticket);
    expect(await staged.statesOf(ids)).toEqual(['SENT']);
    waiting = await marketing(2);
    await waitFor(async () => (await staged.listed()) === 2, { what: 'the messages to be offered' });
    await check();
    await fedUntil(0);
    const waits = await staged.stack.inApi(MessageService).waits(staged.tenant, waiting);
    expect([...waits.values()].map(({ limit }) => limit)).toEqual(['SPEND_CAP', 'SPEND_CAP']);
    expect([...waits.values()][0]?.estimatedSendAt?.toISOString()).toMatch(/^\d{4}-\d\d-01T00:00:00\.000Z$/);

    const email = {
      from: { email: 'news@shop.example' },
      to: [{ email: 'ann@inbox.example' }],
      content: { inline: { subject: 's', text: 't' } },
    };
    const { results } = await staged.stack.inApi(AcceptService).accept(
      { tenantId: staged.tenant, mode: 'LIVE' },
      {
        idempotencyKey: newId(),
        emails: [
          { ...email, stream: 'MARKETING' },
          { ...email, stream: 'TRANSACTIONAL' },
        ],
      },
    );
    expect(results[0]).toMatchObject({ issues: [{ code: 'SPEND_CAP_REACHED', path: ['emails', '0', 'stream'] }] });
    await fedUntil(1);
    await send();
    expect(results[1]).toMatchObject({ message: { stream: 'TRANSACTIONAL' } });
    expect(await staged.statesOf(waiting)).toEqual(['READY']);
    expect(await staged.stack.states()).toEqual({ READY: 2, SENT: 3 });
  });

  it('goes on once the hold is gone', async () => {
    const holds = staged.stack.inApi(StreamHolds);
    expect(await holds.heldUntil(staged.tenant, 'MARKETING')).not.toBeNull();
    await staged.stack.query('DELETE FROM stream_hold');
    await fedUntil(2);
    await send();
    expect(await staged.statesOf(waiting)).toEqual(['SENT']);
  });
});
