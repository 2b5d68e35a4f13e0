import { Field, Int, ObjectType } from '@nestjs/graphql';
import { inCustomerSchema } from '../../graphql/endpoint.schema';
import { UserError } from '../../graphql/words.type';
import { Message } from '../message/message.type';

@ObjectType('SendEmailPayload', {
  description: 'What became of the message. A message here is durable.',
  ...inCustomerSchema,
})
export class SendEmailPayload {
  @Field(() => Message, {
    nullable: true,
    description: 'The accepted message. Null when it was refused or only checked.',
  })
  message!: Message | null;

  @Field(() => Boolean, { description: 'True when this key was used before and this is the first answer again.' })
  replayed!: boolean;

  @Field(() => [UserError], { description: 'Everything that is wrong with it, at once.' })
  userErrors!: UserError[];
}

@ObjectType('SendResult', { description: 'What became of one entry of a batch.', ...inCustomerSchema })
export class SendResult {
  @Field(() => Int, { description: 'Its place in `emails`, from 0.' })
  index!: number;

  @Field(() => Message, {
    nullable: true,
    description: 'The accepted message. Null when it was refused or only checked.',
  })
  message!: Message | null;

  @Field(() => [UserError], { description: 'Everything that is wrong with this entry.' })
  userErrors!: UserError[];
}

@ObjectType('SendEmailsPayload', {
  description: 'What became of each entry; valid ones are accepted beside refused ones.',
  ...inCustomerSchema,
})
export class SendEmailsPayload {
  @Field(() => [SendResult], { description: 'One per entry, in order. Empty when the batch as a whole was refused.' })
  results!: SendResult[];

  @Field(() => Boolean, { description: 'True when this key was used before and these are the first answers again.' })
  replayed!: boolean;

  @Field(() => [UserError], { description: 'What is wrong with the batch as a whole.' })
  userErrors!: UserError[];
}
