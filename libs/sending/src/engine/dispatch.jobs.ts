import { isUuid, type BatchId, type MessageId, type SendingAccountId, type TenantId } from '@libs/kernel';
import { defineJob } from '@libs/queueing';
import { z } from 'zod';

const id = <Id extends string>() => z.custom<Id>((value) => typeof value === 'string' && isUuid(value));

interface TicketMessage {
  readonly tenantId: TenantId;
  readonly id: MessageId;
  readonly recipients: number;
}

/**
 * As it stands in Redis: `<tenant> <id> <id>*<recipients> ...` for each run of messages of one tenant, the uuids without
 * their dashes. A third of what objects take: a ticket has hundreds of messages, and goes through Redis three times.
 */
const PACKED = /^(?:(?:^|;)[0-9a-f]{32}(?: [0-9a-f]{32}(?:\*[1-9]\d{0,5})?)+)*$/;

const bare = (uuid: string) => uuid.replaceAll('-', '');
const dashed = (hex: string) =>
  `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20, 32)}`;

function packMessages(messages: readonly TicketMessage[]): string {
  let packed = '';
  let tenant: TenantId | undefined;
  for (const { tenantId, id: message, recipients } of messages) {
    if (tenantId !== tenant) packed += `${packed === '' ? '' : ';'}${bare(tenantId)}`;
    tenant = tenantId;
    packed += ` ${bare(message)}${recipients === 1 ? '' : `*${String(recipients)}`}`;
  }
  return packed;
}

function unpackMessages(packed: string): readonly TicketMessage[] {
  const messages: TicketMessage[] = [];
  for (const run of packed === '' ? [] : packed.split(';')) {
    const [tenant = '', ...entries] = run.split(' ');
    const tenantId = dashed(tenant) as TenantId;
    for (const entry of entries) {
      const recipients = entry.length > 32 ? Number(entry.slice(33)) : 1;
      messages.push({ tenantId, id: dashed(entry) as MessageId, recipients });
    }
  }
  return messages;
}

/**
 * A ticket: what one grant of the ledger allows. It gives no right to send; the batch row does. Times are engine
 * milliseconds of the ledger's clock.
 */
const ticketSchema = z.object({
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
  /** It was lent its slots, so they are nobody else's: late or not, it goes. */
  urgent: z.literal(true).optional(),
  // One pattern for all of them: a schema for each costs more than everything else on their way.
  messages: z.string().regex(PACKED).transform(unpackMessages),
});
export type Ticket = z.output<typeof ticketSchema>;

const packed = (ticket: Ticket): z.input<typeof ticketSchema> => ({
  ...ticket,
  messages: packMessages(ticket.messages),
});

/** Two queues instead of priorities: a priority insert costs O(backlog). One try: the sweeper is the redelivery. */
export const dispatchTransactional = defineJob({
  name: 'sending.dispatch-transactional',
  queue: 'dispatch-tx',
  payload: ticketSchema,
  write: packed,
  id: ({ batchId }) => batchId,
});
export const dispatchBulk = defineJob({
  name: 'sending.dispatch-bulk',
  queue: 'dispatch-bulk',
  payload: ticketSchema,
  write: packed,
  id: ({ batchId }) => batchId,
});
