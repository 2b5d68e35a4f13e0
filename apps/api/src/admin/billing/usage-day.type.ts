import { Field, InputType, ObjectType } from '@nestjs/graphql';
import { inAdminSchema } from '../../graphql/endpoint.schema';
import { BigIntScalar, DateTime } from '../../graphql/scalars';
import { UserError } from '../../graphql/words.type';

@ObjectType('UsageDay', { description: 'A day whose usage is counted.', ...inAdminSchema })
export class UsageDay {
  @Field(() => String, { description: 'The day in UTC, YYYY-MM-DD.' })
  day!: string;

  @Field(() => BigIntScalar, { description: '0: counted once. Every later count that found something new adds one.' })
  revision!: bigint;

  @Field(() => DateTime, { description: 'When it was counted last.' })
  countedAt!: Date;

  @Field(() => BigIntScalar, { description: 'Attempts that ended on it.' })
  attempts!: bigint;

  @Field(() => BigIntScalar, { description: 'Recipients of those SES took.' })
  recipients!: bigint;

  @Field(() => BigIntScalar, { description: 'Attempts whose outcome nobody knew then; it is counted again for them.' })
  inDoubt!: bigint;

  @Field(() => String, { description: 'sha-256 of its rows as they were counted last, in hexadecimal.' })
  hash!: string;
}

@InputType('CountUsageDayInput', { description: 'A day to count.', ...inAdminSchema })
export class CountUsageDayInput {
  @Field(() => String, { description: 'The day in UTC, YYYY-MM-DD; it must have been over for two hours.' })
  day!: string;
}

@ObjectType('CountUsageDayPayload', { description: 'The day as it is counted so far.', ...inAdminSchema })
export class CountUsageDayPayload {
  @Field(() => UsageDay, {
    nullable: true,
    description: 'Before the count that was asked for: `countedAt` moves when a worker has done it. Null: never yet.',
  })
  usageDay!: UsageDay | null;

  @Field(() => [UserError], { description: 'Why it cannot be counted.' })
  userErrors!: UserError[];
}
