import { Field, InputType, Int, ObjectType } from '@nestjs/graphql';
import { connectionType } from '../../graphql/connection.type';
import { inCustomerSchema } from '../../graphql/endpoint.schema';
import { DateTime, EmailAddress } from '../../graphql/scalars';
import { UserError } from '../../graphql/words.type';
import { EventType } from '../message/message.type';
import { NodeType } from '../node/node.type';

@ObjectType('Suppression', {
  description: 'An address that gets no mail from you.',
  implements: () => [NodeType],
  ...inCustomerSchema,
})
export class Suppression extends NodeType {
  static readonly graphqlName = 'Suppression';
  causeId!: string | null;

  @Field(() => EmailAddress, { description: 'The address.' })
  address!: string;

  @Field(() => String, { description: 'Why: "bounce", "complaint", or what you said.' })
  reason!: string;

  @Field(() => DateTime, { description: 'Since when.' })
  createdAt!: Date;

  @Field(() => EventType, {
    nullable: true,
    description: 'The event that caused it. Null when you added it yourself, and for keys of the other mode.',
  })
  cause?: EventType | null;
}

export const SuppressionConnection = connectionType<Suppression>(() => Suppression, 'Suppression', inCustomerSchema);

@InputType('SuppressionFilter', { description: 'All conditions given must hold.', ...inCustomerSchema })
export class SuppressionFilter {
  @Field(() => String, { nullable: true, description: 'With exactly this reason.' })
  reason?: string | null;

  @Field(() => EmailAddress, { nullable: true, description: 'Exactly this address.' })
  address?: string | null;
}

@InputType('SuppressRecipientsInput', {
  description: 'Addresses that shall get no more mail from you.',
  ...inCustomerSchema,
})
export class SuppressRecipientsInput {
  @Field(() => [EmailAddress], { description: '1 to 1,000 addresses.' })
  addresses!: string[];

  @Field(() => String, { nullable: true, description: 'Why, 1 to 200 printable characters; "manual" when not given.' })
  reason?: string | null;
}

@ObjectType('SuppressRecipientsPayload', { description: 'What was added.', ...inCustomerSchema })
export class SuppressRecipientsPayload {
  @Field(() => Int, { description: 'How many were not on the list before.' })
  added!: number;

  @Field(() => [UserError], { description: 'What is wrong with the input. Nothing was added then.' })
  userErrors!: UserError[];
}
