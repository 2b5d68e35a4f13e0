import { SuppressionService } from '@libs/deliverability';
import { SystemClock, type MessageId, type TenantId } from '@libs/kernel';
import { TenantService } from '@libs/tenancy';
import { waitFor } from '../support/wait-for';
import { SendingStack } from './sending-stack';

describe('the send engine', () => {
  let stack: SendingStack;
  let tenant: TenantId;

  beforeAll(async () => {
    stack = await SendingStack.start();
    await stack.account({ maxSendRate: 200 });
    tenant = await stack.tenant('shop');
    await stack.startWorker();
  });
  afterAll(() => stack.close());

  const state = async (id: MessageId) => {
    const [row] = await stack.query<{ state: string; detail: string }>(
      'SELECT state, detail FROM message WHERE id = $1',
      [id],
    );
    return row;
  };

  it('sends a message once, tagged, and its events come back into its timeline', async () => {
    const [id] = (await stack.accept(tenant, 'shop', 1)) as [MessageId];
    await waitFor(async () => (await state(id))?.state === 'SENT', {
      what: 'the message to be sent',
    });
    const arrivals = (await stack.accepted()).filter((arrival) => arrival.tags?.['message'] === id);
    expect(arrivals).toHaveLength(1);
    const types = await waitFor(
      async () => {
        const rows = await stack.query<{ type: string }>('SELECT type FROM message_event WHERE message_id = $1', [id]);
        return rows.some(({ type }) => type === 'message.delivered') && rows.map(({ type }) => type);
      },
      { what: 'the delivery to show' },
    );
    // Accepting and sending are facts of the message and its attempt, and are not written a second time.
    expect(types).toEqual(['message.delivered']);
    const [attempt] = await stack.query('SELECT id, state, n_rcpt, ses_message_id FROM attempt WHERE message_id = $1', [
      id,
    ]);
    expect(attempt).toMatchObject({
      state: 'SENT',
      n_rcpt: 1,
      id: arrivals[0]?.tags?.['attempt'],
      ses_message_id: arrivals[0]?.messageId,
    });
  });

  it('sends transactional mail before the marketing mail that waits', async () => {
    // Released together, however long handing in takes.
    const scheduledAt = new Date(new SystemClock().nowMs() + 5_000);
    const bulk = await stack.accept(tenant, 'shop', 600, () => ({ stream: 'MARKETING', scheduledAt }));
    const [urgent] = (await stack.accept(tenant, 'shop', 1, () => ({ scheduledAt }))) as [MessageId];
    await waitFor(async () => (await stack.judge([urgent, ...bulk])).lost === 0, { what: 'all', withinMs: 30_000 });
    const order = (await stack.accepted()).map((arrival) => arrival.tags?.['message'] ?? '');
    const overtaken = bulk.filter((id) => order.indexOf(id) > order.indexOf(urgent));
    expect(overtaken.length).toBeGreaterThan(100);
  });

  it('gives a message of fifty recipients the time of fifty', async () => {
    const to = Array.from({ length: 50 }, (_, i) => ({ email: `many${String(i)}@inbox.example` }));
    const ids = await stack.accept(tenant, 'shop', 6, () => ({ to }));
    await waitFor(async () => (await stack.judge(ids)).lost === 0, { what: 'the large messages' });
    expect(await stack.excess()).toEqual({ overQuota: 0, overRate: 0 });
  });

  it('does not send to who was suppressed after accepting, and sends to the others', async () => {
    const scheduledAt = new Date(new SystemClock().nowMs() + 2_500);
    const [one, both] = (await stack.accept(tenant, 'shop', 2, (i) => ({
      scheduledAt,
      to:
        i === 0
          ? [{ email: 'Gone@inbox.example' }]
          : [{ email: 'Gone@inbox.example' }, { email: 'stays@inbox.example' }],
    }))) as [MessageId, MessageId];
    await stack.inApi(SuppressionService).suppress(tenant, ['gone@inbox.example'], { actor: 'key:test' });
    await waitFor(async () => (await state(both))?.state === 'SENT' && (await state(one))?.state === 'SUPPRESSED', {
      what: 'both to be settled',
    });
    const arrivals = await stack.accepted();
    expect(arrivals.filter((arrival) => arrival.recipients?.some((address) => /^gone@/i.test(address)))).toEqual([]);
    expect(arrivals.find((arrival) => arrival.tags?.['message'] === both)?.recipients).toEqual(['stays@inbox.example']);
    const attempts = await stack.query('SELECT n_rcpt FROM attempt WHERE message_id = ANY($1)', [[one, both]]);
    expect(attempts).toEqual([{ n_rcpt: 1 }]);
  });

  it('lets a paused tenant’s messages wait, and sends them when it is resumed', async () => {
    const paused = await stack.tenant('paused');
    const scheduledAt = new Date(new SystemClock().nowMs() + 1_500);
    const ids = await stack.accept(paused, 'paused', 3, () => ({ scheduledAt }));
    await stack.inApi(TenantService).pause(paused, 'review', { actor: 'operator:test' });
    const areDue = async () => (await stack.states(paused))['READY'] === 3;
    await waitFor(areDue, { what: 'the messages to be due' });
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    expect(await stack.states(paused)).toEqual({ READY: 3 });
    await stack.inApi(TenantService).resume(paused, { actor: 'operator:test' });
    await waitFor(async () => (await stack.states(paused))['SENT'] === 3, {
      what: 'the resumed tenant',
      withinMs: 30_000,
    });
    expect(await stack.judge(ids)).toEqual({ lost: 0, duplicated: 0 });
  });

  it('expires loudly what could not go in time', async () => {
    const held = await stack.tenant('held');
    const soon = new SystemClock().nowMs();
    const [id] = (await stack.accept(held, 'held', 1, () => ({
      scheduledAt: new Date(soon + 50_000),
      expiresAt: new Date(soon + 120_000),
    }))) as [MessageId];
    await stack.query(
      `WITH m AS (UPDATE message SET expires_at = $2, not_before = $3 WHERE id = $1 RETURNING id)
       UPDATE backlog SET expires_at = $2, due_at = $3 FROM m WHERE message_id = m.id`,
      [id, new Date(soon + 3_000), new Date(soon + 60_000)],
    );
    await waitFor(async () => (await state(id))?.state === 'EXPIRED', {
      what: 'the message to expire',
    });
    const events = await stack.query<{ type: string }>('SELECT type FROM message_event WHERE message_id = $1', [id]);
    expect(events.map(({ type }) => type)).toContain('message.expired');
  });

  it('tries throttled messages again until they go', async () => {
    const slow = await stack.tenant('slow');
    await stack.aws.addFault({ operation: 'SendEmail', kind: '429', count: 2 });
    const ids = await stack.accept(slow, 'slow', 2);
    await waitFor(async () => (await stack.judge(ids)).lost === 0, {
      what: 'throttled messages to go',
      withinMs: 30_000,
    });
    expect((await stack.judge(ids)).duplicated).toBe(0);
  });

  it('shares the work of one account between two workers without sending anything twice', async () => {
    const second = await stack.startWorker();
    const ids = await stack.accept(tenant, 'shop', 200);
    await waitFor(async () => (await stack.judge(ids)).lost === 0, { what: 'all to be sent', withinMs: 30_000 });
    expect((await stack.judge(ids)).duplicated).toBe(0);
    await stack.stopWorker(second);
    expect(await stack.excess()).toEqual({ overQuota: 0, overRate: 0 });
  });

  it('delivers a flood and a trickle side by side, within rate and quota, nothing lost and nothing doubled', async () => {
    // So slow that what the machine does to the order is nothing against the ten seconds of the flood.
    await stack.account({ maxSendRate: 20, max24HourSend: 1_000_000 });
    const [loud, quiet] = [await stack.tenant('loud'), await stack.tenant('quiet')];
    // Released together, however long handing in takes.
    const scheduledAt = new Date(new SystemClock().nowMs() + 5_000);
    const flood = await stack.accept(loud, 'loud', 200, () => ({ scheduledAt }));
    const trickle = await stack.accept(quiet, 'quiet', 10, () => ({ scheduledAt }));
    await waitFor(async () => (await stack.judge([...flood, ...trickle])).lost === 0, {
      what: 'both tenants',
      withinMs: 80_000,
    });
    // Served side by side: much of the flood comes after the last of the trickle.
    const order = (await stack.accepted()).map((arrival) => arrival.tags?.['message'] ?? '');
    const last = Math.max(...trickle.map((id) => order.indexOf(id)));
    expect(flood.filter((id) => order.indexOf(id) > last).length).toBeGreaterThan(100);
    expect(await stack.judge([...flood, ...trickle])).toEqual({ lost: 0, duplicated: 0 });
    expect(await stack.excess()).toEqual({ overQuota: 0, overRate: 0 });
  }, 120_000);
});
