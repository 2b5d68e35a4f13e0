import type { BatchId, MessageId, SendingAccountId, TenantId } from '@libs/kernel';
import { defineJob } from '@libs/queueing';
import { z } from 'zod';

const id = <Id extends string>() => z.uuid().transform((text) => text as Id) as unknown as z.ZodType<Id>;

/**
 * A ticket: what one grant of the ledger allows. It gives no right to send; the batch row does. Times are engine
 * milliseconds of the ledger's clock.
 */
export const ticketSchema = z.object({
  batchId: id<BatchId>(),
  sendingAccountId: id<SendingAccountId>(),
  epoch: z.string().regex(/^\d+$/),
  bucketStartMs: z.number(),
  slotStartMs: z.number(),
  deadlineMs: z.number(),
  /** Recipients granted. */
  granted: z.number().int().positive(),
  /** The paced rate, recipients per second. */
  rate: z.object({ num: z.number().int().positive(), den: z.number().int().positive() }),
  messages: z.array(
    z.object({ tenantId: id<TenantId>(), id: id<MessageId>(), recipients: z.number().int().positive() }),
  ),
});
export type Ticket = z.output<typeof ticketSchema>;

/** Two queues instead of priorities: a priority insert costs O(backlog). One try: the sweeper is the redelivery. */
export const dispatchTransactional = defineJob({
  name: 'sending.dispatch-transactional',
  queue: 'dispatch-tx',
  payload: ticketSchema,
  id: ({ batchId }) => batchId,
});
export const dispatchBulk = defineJob({
  name: 'sending.dispatch-bulk',
  queue: 'dispatch-bulk',
  payload: ticketSchema,
  id: ({ batchId }) => batchId,
});
