import { Field, ID, InputType, ObjectType } from '@nestjs/graphql';
import { inAdminSchema } from '../../graphql/endpoint.schema';
import { BigIntScalar, DateTime, Decimal } from '../../graphql/scalars';
import { UserError } from '../../graphql/words.type';
import { PeriodStateEnum, type PeriodState } from './billing.words';

@ObjectType('BillingAlarm', { description: 'AWS’s bill says something else than we reckoned.', ...inAdminSchema })
export class BillingAlarm {
  @Field(() => String, { description: 'DELTA: more than 0.1 % off. UNKNOWN_USAGE: a kind of usage we do not know.' })
  kind!: string;

  @Field(() => String, { description: 'AWS’s number of the account.' })
  awsAccount!: string;

  @Field(() => String, { description: 'The region.' })
  region!: string;

  @Field(() => String, { description: 'What AWS calls it.' })
  usageType!: string;

  @Field(() => Decimal, { description: 'US dollars we reckoned.' })
  ours!: string;

  @Field(() => Decimal, { description: 'US dollars AWS bills.' })
  billed!: string;

  @Field(() => DateTime, { description: 'When it was found.' })
  raisedAt!: Date;
}

@ObjectType('BillingVerdict', {
  description: 'One of the fourteen invariants of a month’s books, as the worker last judged it.',
  ...inAdminSchema,
})
export class BillingVerdict {
  @Field(() => ID, { description: '1 to 14.' })
  invariant!: string;

  @Field(() => String, { description: 'What must hold.' })
  name!: string;

  @Field(() => BigIntScalar, { description: 'How often it does not; 0 when it holds.' })
  violations!: bigint;

  @Field(() => [String], { description: 'The first ten violations, in words.' })
  examples!: readonly string[];

  @Field(() => DateTime, { description: 'When it was judged.' })
  judgedAt!: Date;
}

@ObjectType('BillImport', { description: 'A report of AWS that was taken in.', ...inAdminSchema })
export class BillImport {
  @Field(() => ID, { description: 'Its number.' })
  id!: string;

  @Field(() => String, { description: 'The account that pays.' })
  payer!: string;

  @Field(() => String, { description: 'CUR or FOCUS.' })
  format!: string;

  @Field(() => String, { description: 'The name it came under.' })
  fileName!: string;

  @Field(() => String, { description: 'Of the file as it came, in hexadecimal.' })
  sha256!: string;

  @Field(() => BigIntScalar, { description: 'Lines in it.' })
  lines!: bigint;

  @Field(() => Decimal, { description: 'US dollars it charges the fleet’s accounts.' })
  total!: string;

  @Field(() => Decimal, { description: 'US dollars it charges accounts that are not in the fleet.' })
  outside!: string;

  @Field(() => DateTime, { description: 'When it was taken in.' })
  importedAt!: Date;

  @Field(() => String, { description: 'By whom.' })
  actor!: string;

  @Field(() => DateTime, { nullable: true, description: 'When a later report took its place. Null: it counts.' })
  supersededAt!: Date | null;
}

@ObjectType('BillingPeriod', { description: 'A month and how far its close is.', ...inAdminSchema })
export class BillingPeriod {
  @Field(() => String, { description: 'The month in UTC, YYYY-MM.' })
  period!: string;

  @Field(() => PeriodStateEnum, { description: 'How final it is.' })
  state!: PeriodState;

  @Field(() => PeriodStateEnum, { nullable: true, description: 'Where it was asked to go. Null: nothing is asked.' })
  goal!: PeriodState | null;

  @Field(() => String, { nullable: true, description: 'What its close does right now. Null: nothing.' })
  step!: string | null;

  @Field(() => BigIntScalar, { description: 'How much of the step is done.' })
  done!: bigint;

  @Field(() => BigIntScalar, { description: 'How much there is in the step; 0 when that is not counted.' })
  total!: bigint;

  @Field(() => BigIntScalar, {
    description: 'Sends whose outcome nobody knew at the last reckoning: in no line yet, and carried.',
  })
  inDoubtMessages!: bigint;

  @Field(() => BigIntScalar, { description: 'Their recipients.' })
  inDoubtRecipients!: bigint;

  @Field(() => String, { nullable: true, description: 'Why its close stopped. Null: it did not.' })
  failure!: string | null;

  @Field(() => DateTime, {
    nullable: true,
    description: 'As of when its stored lines are true. Null: none are stored.',
  })
  refreshedAt!: Date | null;

  @Field(() => DateTime, { nullable: true, description: 'When it became provisional. Null: not yet.' })
  provisionalAt!: Date | null;

  @Field(() => DateTime, { nullable: true, description: 'When AWS’s bill was held against it. Null: not yet.' })
  reconciledAt!: Date | null;

  @Field(() => DateTime, { nullable: true, description: 'When it became final. Null: not yet.' })
  finalAt!: Date | null;
}

@InputType('ClosePeriodInput', { description: 'A month to close.', ...inAdminSchema })
export class ClosePeriodInput {
  @Field(() => String, { description: 'The month in UTC, YYYY-MM; it must be over.' })
  period!: string;
}

@ObjectType('ClosePeriodPayload', { description: 'The month, on its way.', ...inAdminSchema })
export class ClosePeriodPayload {
  @Field(() => BillingPeriod, { nullable: true, description: 'Null when it was refused.' })
  period!: BillingPeriod | null;

  @Field(() => [UserError], { description: 'Why it cannot be closed.' })
  userErrors!: UserError[];
}

@InputType('FinalisePeriodInput', { description: 'A month to make final.', ...inAdminSchema })
export class FinalisePeriodInput {
  @Field(() => String, { description: 'The month in UTC, YYYY-MM.' })
  period!: string;

  @Field(() => Boolean, {
    defaultValue: false,
    description: 'Although no bill of AWS was held against it. What turns out later is charged in the next open month.',
  })
  withoutBill!: boolean;
}

@ObjectType('FinalisePeriodPayload', { description: 'The month, on its way.', ...inAdminSchema })
export class FinalisePeriodPayload {
  @Field(() => BillingPeriod, { nullable: true, description: 'Null when it was refused.' })
  period!: BillingPeriod | null;

  @Field(() => [UserError], { description: 'Why it cannot be made final.' })
  userErrors!: UserError[];
}
