import type { BatchId, MessageId, SendingAccountId, TenantId } from '@libs/kernel';
import { defineJob } from '@libs/queueing';
import { z } from 'zod';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

const id = <Id extends string>() => z.custom<Id>((value) => typeof value === 'string' && UUID.test(value));

interface TicketMessage {
  readonly tenantId: TenantId;
  readonly id: MessageId;
  readonly recipients: number;
}

function isMessage(value: unknown): value is TicketMessage {
  if (typeof value !== 'object' || value === null) return false;
  const { tenantId, id: message, recipients } = value as Partial<Record<keyof TicketMessage, unknown>>;
  return (
    typeof tenantId === 'string' &&
    UUID.test(tenantId) &&
    typeof message === 'string' &&
    UUID.test(message) &&
    Number.isInteger(recipients) &&
    (recipients as number) > 0
  );
}

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
  // Checked by hand: a ticket has hundreds, and a schema for each costs more than everything else on its way.
  messages: z.custom<readonly TicketMessage[]>((value) => Array.isArray(value) && value.every(isMessage)),
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
