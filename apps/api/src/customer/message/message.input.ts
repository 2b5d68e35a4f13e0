import type { Stream } from '@libs/kernel';
import type { MessageState } from '@libs/sending';
import { Field, ID, InputType } from '@nestjs/graphql';
import { inCustomerSchema } from '../../graphql/endpoint.schema';
import { DateTime, EmailAddress } from '../../graphql/scalars';
import { StreamEnum } from '../../graphql/words.type';
import { MessageStateEnum } from './message.type';

@InputType('TagInput', { description: 'A name and a value to find messages by.', ...inCustomerSchema })
export class TagInput {
  @Field(() => String, {
    description: '1 to 256 characters of A-Z a-z 0-9 _ -; "tenant", "message" and "attempt" are reserved.',
  })
  name!: string;

  @Field(() => String, { description: '1 to 256 characters of A-Z a-z 0-9 _ -.' })
  value!: string;
}

@InputType('DateTimeRange', { description: 'A half-open span of time.', ...inCustomerSchema })
export class DateTimeRange {
  @Field(() => DateTime, { nullable: true, description: 'At or after this.' })
  gte?: Date | null;

  @Field(() => DateTime, { nullable: true, description: 'Before this.' })
  lt?: Date | null;
}

@InputType('MessageFilter', { description: 'All conditions given must hold.', ...inCustomerSchema })
export class MessageFilter {
  @Field(() => [MessageStateEnum], { nullable: true, description: 'In one of these states, one at least.' })
  state?: MessageState[] | null;

  @Field(() => StreamEnum, { nullable: true, description: 'Of this stream.' })
  stream?: Stream | null;

  @Field(() => EmailAddress, { nullable: true, description: 'With this recipient (To, Cc or Bcc).' })
  to?: string | null;

  @Field(() => TagInput, { nullable: true, description: 'With this tag.' })
  tag?: TagInput | null;

  @Field(() => DateTimeRange, { nullable: true, description: 'Accepted within this span.' })
  createdAt?: DateTimeRange | null;

  @Field(() => String, { nullable: true, description: 'Accepted under this idempotency key.' })
  idempotencyKey?: string | null;
}

@InputType('CancelMessagesInput', {
  description: 'Which messages to take back: exactly one of the two.',
  isOneOf: true,
  ...inCustomerSchema,
})
export class CancelMessagesInput {
  @Field(() => [ID], { nullable: true, description: 'Ids of messages, at most 1,000.' })
  ids?: string[] | null;

  @Field(() => MessageFilter, {
    nullable: true,
    description: 'Every message that has not left yet and matches. One condition at least.',
  })
  filter?: MessageFilter | null;
}
