import type { Mode } from '@libs/kernel';
import { Field, ID, InputType, ObjectType } from '@nestjs/graphql';
import { inCustomerSchema } from '../../graphql/endpoint.schema';
import { DateTime } from '../../graphql/scalars';
import { ModeEnum, UserError } from '../../graphql/words.type';
import { NodeType } from '../node/node.type';

@ObjectType('ApiKey', {
  description: 'A key of a tenant. The key itself is shown once, when it is made.',
  implements: () => [NodeType],
  ...inCustomerSchema,
})
export class ApiKey extends NodeType {
  static readonly graphqlName = 'ApiKey';

  @Field(() => String, { description: 'What you called it.' })
  name!: string;

  @Field(() => String, { description: 'Its first 12 characters, to recognise it by.' })
  prefix!: string;

  @Field(() => [String], { description: 'What it may do.' })
  scopes!: string[];

  @Field(() => DateTime, { nullable: true, description: 'To the minute. Null when it was never used.' })
  lastUsedAt!: Date | null;
}

@InputType('CreateApiKeyInput', { description: 'A new key.', ...inCustomerSchema })
export class CreateApiKeyInput {
  @Field(() => String, { description: '1 to 120 characters.' })
  name!: string;

  @Field(() => ModeEnum, { description: 'TEST for development, LIVE for real mail.' })
  mode!: Mode;

  @Field(() => [String], {
    description:
      'At least one of: send, read, domains, webhooks, billing:read, billing:write, keys. None that your own key lacks.',
  })
  scopes!: string[];

  @Field(() => DateTime, { nullable: true, description: 'When it stops working. Null: never.' })
  expiresAt?: Date | null;
}

@ObjectType('CreateApiKeyPayload', { description: 'The new key.', ...inCustomerSchema })
export class CreateApiKeyPayload {
  @Field(() => ApiKey, { nullable: true, description: 'What is kept of it. Null when it was refused.' })
  apiKey!: ApiKey | null;

  @Field(() => String, { nullable: true, description: 'The key itself, shown this once. Null when it was refused.' })
  key!: string | null;

  @Field(() => [UserError], { description: 'What is wrong with the input.' })
  userErrors!: UserError[];
}

@InputType('RevokeApiKeyInput', { description: 'A key to end.', ...inCustomerSchema })
export class RevokeApiKeyInput {
  @Field(() => ID, { description: 'Its id.' })
  id!: string;
}

@ObjectType('RevokeApiKeyPayload', { description: 'The ended key.', ...inCustomerSchema })
export class RevokeApiKeyPayload {
  @Field(() => ApiKey, {
    nullable: true,
    description: 'It is refused everywhere within 1 s. Null when it was not found.',
  })
  apiKey!: ApiKey | null;

  @Field(() => [UserError], { description: 'What is wrong with the input.' })
  userErrors!: UserError[];
}
