import type { MailAddress, Mode, Stream } from '@libs/kernel';
import { LIMITS, MESSAGE_STATES, type Limit, type Message as MessageRow, type MessageState } from '@libs/sending';
import { Field, Int, ObjectType, registerEnumType } from '@nestjs/graphql';
import { connectionType, type Connection } from '../../graphql/connection.type';
import { inCustomerSchema } from '../../graphql/endpoint.schema';
import { DateTime, Decimal, EmailAddress, Json } from '../../graphql/scalars';
import { enumOf, ModeEnum, StreamEnum } from '../../graphql/words.type';
import { NodeType } from '../node/node.type';

export const MessageStateEnum = enumOf(MESSAGE_STATES);
registerEnumType(MessageStateEnum, {
  name: 'MessageState',
  description: 'Where a message or recipient stands. An outcome is never taken back.',
  valuesMap: {
    SCHEDULED: { description: 'Waits for its `scheduledAt`.' },
    QUEUED: { description: 'Accepted; `wait` says what it waits for.' },
    SENDING: { description: 'A worker is handing it over.' },
    SENT: { description: 'Amazon SES took it.' },
    DELIVERED: { description: 'The receiving server took it.' },
    BOUNCED: { description: 'The receiving server refused it for good.' },
    COMPLAINED: { description: 'The recipient marked it as spam.' },
    REJECTED: { description: 'Refused before it left.' },
    SUPPRESSED: { description: 'Not sent: the address is on the suppression list.' },
    EXPIRED: { description: 'Not sent: `expiresAt` passed first.' },
    CANCELED: { description: 'Not sent: taken back by `cancelMessages`.' },
    IN_DOUBT: { description: 'Handed over without an answer; its event settles it.' },
  },
});

export const LimitEnum = enumOf(LIMITS);
registerEnumType(LimitEnum, {
  name: 'Limit',
  description: 'Which kind of limit holds a message.',
  valuesMap: {
    NONE: { description: 'None: it is next, being sent, or being looked for.' },
    SCHEDULED_FOR_LATER: { description: 'Its `scheduledAt`.' },
    ACCOUNT_DAY_QUOTA: { description: 'The capacity of 24 hours that it shares is used up.' },
    ACCOUNT_RATE: { description: 'What leaves per second.' },
    POOL_WARMUP: { description: 'The dedicated addresses it leaves from are still warming up.' },
    PLAN_QUOTA: { description: "The plan's recipients in 24 hours." },
    RAMP: { description: 'A volume far above that of the last week is released step by step, day by day.' },
    PLAN_RATE: { description: "The plan's recipients a second." },
    FAIR_SHARE: { description: 'Others wait too, and it is not its turn.' },
    REGION: { description: 'The region it asks for: elsewhere it could go.' },
    DOMAIN_NOT_READY: { description: 'The domain it is sent from is not verified, or not set up where it leaves.' },
    PAUSED: { description: 'Sending is paused, by you, by the operator or on our side.' },
    SPEND_CAP: { description: 'Your charges of the month have reached your spend cap; see `billing { spend }`.' },
  },
  ...inCustomerSchema,
});

@ObjectType('Address', { description: 'A mail address with an optional display name.', ...inCustomerSchema })
export class Address {
  @Field(() => EmailAddress, { description: 'The bare address.' })
  email!: string;

  @Field(() => String, { nullable: true, description: 'Display name. Null when none was given.' })
  name!: string | null;
}

@ObjectType('Recipient', {
  description: "One recipient's own outcome; `Message.state` is the least advanced of them.",
  ...inCustomerSchema,
})
export class Recipient {
  @Field(() => EmailAddress, { description: 'The bare address.' })
  address!: string;

  @Field(() => MessageStateEnum, { description: 'Where the mail to this address stands.' })
  state!: MessageState;

  @Field(() => DateTime, { description: 'Since when.' })
  at!: Date;

  @Field(() => String, {
    nullable: true,
    description: "The receiving server's words, or ours. Null when there is nothing to say.",
  })
  detail!: string | null;
}

@ObjectType('Wait', { description: 'Why a message has not gone out, and when it should.', ...inCustomerSchema })
export class Wait {
  @Field(() => LimitEnum, { description: 'The kind of limit that holds it now; NONE when it is next.' })
  limit!: Limit;

  @Field(() => String, { description: 'The same in a sentence.' })
  explanation!: string;

  @Field(() => DateTime, { nullable: true, description: 'An estimate. Null when none can be made.' })
  estimatedSendAt!: Date | null;

  @Field(() => Int, { nullable: true, description: 'How many of your own messages go first. Null when not known.' })
  ahead!: number | null;
}

@ObjectType('Event', {
  description: 'Something that happened to a message, or to you.',
  implements: () => [NodeType],
  ...inCustomerSchema,
})
export class EventType extends NodeType {
  static readonly graphqlName = 'Event';
  messageId!: string | null;

  @Field(() => String, { description: 'For example "message.delivered".' })
  type!: string;

  @Field(() => DateTime, { description: 'When it happened, by the clock of whoever saw it.' })
  at!: Date;

  @Field(() => Message, { nullable: true, description: 'The message it happened to. Null when it concerns none.' })
  message?: Message | null;

  @Field(() => EmailAddress, { nullable: true, description: 'The recipient concerned. Null when it concerns all.' })
  recipient!: string | null;

  @Field(() => String, { description: 'One sentence for people.' })
  summary!: string;

  @Field(() => Json, { description: 'Details, by type.' })
  data!: unknown;
}

export const EventConnection = connectionType<EventType>(() => EventType, 'Event', inCustomerSchema);

@ObjectType('Message', {
  description: 'One e-mail to 1 to 50 recipients.',
  implements: () => [NodeType],
  ...inCustomerSchema,
})
export class Message extends NodeType {
  static readonly graphqlName = 'Message';
  /** Fields are read from it when a query asks for them: of a batch of a thousand mostly the ids. */
  row!: MessageRow;

  @Field(() => MessageStateEnum, { description: "The least advanced of its recipients' states." })
  get state(): MessageState {
    return this.row.state;
  }

  @Field(() => StreamEnum, { description: 'Its stream.' })
  get stream(): Stream {
    return this.row.stream;
  }

  @Field(() => ModeEnum, { description: 'Live or test; decided by the key it was sent with.' })
  get mode(): Mode {
    return this.row.mode;
  }

  @Field(() => Address, { description: 'Who it is from.' })
  get from(): Address {
    return toAddress(this.row.from);
  }

  @Field(() => [Address], { description: 'The addresses of its To header.' })
  get to(): Address[] {
    return this.row.to.map(toAddress);
  }

  @Field(() => [Recipient], { description: 'Every recipient (To, Cc, Bcc) with its own outcome.' })
  get recipients(): Recipient[] {
    return this.row.recipients.map(({ email, state, at, detail }) => ({ address: email, state, at, detail }));
  }

  @Field(() => String, { description: 'Its subject.' })
  get subject(): string {
    return this.row.subject;
  }

  @Field(() => String, { nullable: true, description: 'The region asked for. Null when none was.' })
  get region(): string | null {
    return this.row.region;
  }

  @Field(() => Json, { description: 'Its tags, as [{name, value}].' })
  get tags(): unknown {
    return this.row.tags;
  }

  @Field(() => DateTime, { description: 'When it was accepted.' })
  get createdAt(): Date {
    return this.row.createdAt;
  }

  @Field(() => DateTime, { nullable: true, description: 'Not before this. Null when it may go at once.' })
  get scheduledAt(): Date | null {
    return this.row.scheduledAt;
  }

  @Field(() => DateTime, { description: 'Not after this.' })
  get expiresAt(): Date {
    return this.row.expiresAt;
  }

  @Field(() => Wait, {
    nullable: true,
    description: 'Which limit holds it, and when it should go. Null once sent or settled.',
  })
  wait?: Wait | null;

  @Field(() => EventConnection, { description: 'What happened to it, oldest first.' })
  timeline?: Connection<EventType>;

  @Field(() => Decimal, {
    nullable: true,
    description:
      'US dollars that Amazon SES takes for this message, from the rate card in force when it was sent; what you are charged is in `billing`. Null until then, and in test mode.',
  })
  cost?: string | null;
}

export const MessageConnection = connectionType<Message>(() => Message, 'Message', inCustomerSchema);

function toAddress({ email, name }: MailAddress): Address {
  return { email, name: name ?? null };
}
