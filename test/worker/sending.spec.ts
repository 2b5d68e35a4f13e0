import type { MessageId, TenantId } from '@libs/kernel';
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
  }, 60_000);
  afterAll(() => stack.close(), 60_000);

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
      withinMs: 15_000,
    });
    const arrivals = (await stack.accepted()).filter((arrival) => arrival.tags?.['message'] === id);
    expect(arrivals).toHaveLength(1);
    const types = await waitFor(
      async () => {
        const rows = await stack.query<{ type: string }>('SELECT type FROM message_event WHERE message_id = $1', [id]);
        return rows.some(({ type }) => type === 'message.delivered') && rows.map(({ type }) => type).sort();
      },
      { what: 'the delivery to show', withinMs: 10_000 },
    );
    expect(types).toEqual(['message.delivered', 'message.queued', 'message.sent']);
    const [attempt] = await stack.query('SELECT id, state, n_rcpt, ses_message_id FROM attempt WHERE message_id = $1', [
      id,
    ]);
    expect(attempt).toMatchObject({
      state: 'SENT',
      n_rcpt: 1,
      id: arrivals[0]?.tags?.['attempt'],
      ses_message_id: arrivals[0]?.messageId,
    });
  }, 40_000);
});
