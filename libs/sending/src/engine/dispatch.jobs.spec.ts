import { newId, type BatchId, type MessageId, type SendingAccountId, type TenantId } from '@libs/kernel';
import fc from 'fast-check';
import { dispatchBulk, type Ticket } from './dispatch.jobs';

const ticket = (messages: Ticket['messages']): Ticket => ({
  batchId: newId<BatchId>(),
  sendingAccountId: newId<SendingAccountId>(),
  epoch: '7',
  bucketStartMs: 1,
  slotStartMs: 2.5,
  deadlineMs: 3,
  granted: 100,
  rate: { num: 199, den: 200 },
  messages,
});

const throughRedis = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

describe('a ticket', () => {
  it('is read as it was written', () => {
    const tenants = [newId<TenantId>(), newId<TenantId>(), newId<TenantId>()] as const;
    const message = fc.record({
      tenantId: fc.constantFrom(...tenants),
      id: fc.uuid().map((id) => id as MessageId),
      recipients: fc.constantFrom(1, 1, 1, 2, 50),
    });
    fc.assert(
      fc.property(fc.array(message, { maxLength: 200 }), (messages) => {
        const sent = ticket(messages);
        expect(dispatchBulk.payload.parse(throughRedis(dispatchBulk.write?.(sent)))).toEqual(sent);
      }),
    );
  });

  it.each(['not hex', '0123', '00000000000000000000000000000001', '00000000000000000000000000000001 2*0'])(
    'is refused with messages such as "%s"',
    (messages) => {
      expect(dispatchBulk.payload.safeParse({ ...ticket([]), messages }).success).toBe(false);
    },
  );
});
