import type { InDoubtPolicy, Stream } from '@libs/kernel';
import { Field, ID, InputType, Int, ObjectType } from '@nestjs/graphql';
import { connectionType } from '../../graphql/connection.type';
import { inAdminSchema } from '../../graphql/endpoint.schema';
import { BigIntScalar, DateTime, Decimal } from '../../graphql/scalars';
import { InDoubtPolicyEnum, StreamEnum, UserError } from '../../graphql/words.type';
import { PriceTermsInput } from './plan-price.type';

@ObjectType('Tier', { description: 'A class of AWS accounts that plans map to.', ...inAdminSchema })
export class Tier {
  @Field(() => String, { description: 'Its code: free, growth, premium, quarantine.' })
  code!: string;

  @Field(() => String, { description: 'Its name for people.' })
  name!: string;

  @Field(() => Int, { description: 'From low to high.' })
  rank!: number;

  @Field(() => BigIntScalar, {
    description: 'Recipients a day that a tenant of the tier may send whatever it sent before.',
  })
  rampFloor!: bigint;

  @Field(() => Decimal, {
    description: 'Above the floor, a day may have this many times the highest of the last seven days.',
  })
  rampFactor!: string;
}

@ObjectType('Plan', { description: 'What a tenant bought.', ...inAdminSchema })
export class Plan {
  @Field(() => ID, { description: 'Public id (plan_...).' })
  id!: string;

  @Field(() => String, { description: 'Short unique name.' })
  code!: string;

  @Field(() => String, { description: 'Name for people.' })
  name!: string;

  @Field(() => String, { description: 'The tier of AWS accounts that serves it.' })
  tier!: string;

  @Field(() => [StreamEnum], { description: 'Streams its tenants may send.' })
  streams!: Stream[];

  @Field(() => Int, { description: 'Share relative to other tenants on the same sending account, 1 to 1,000.' })
  weight!: number;

  @Field(() => BigIntScalar, {
    nullable: true,
    description: 'Recipients per rolling 24 hours. Null: no limit of the plan.',
  })
  recipientsPerDay!: bigint | null;

  @Field(() => Decimal, { nullable: true, description: 'Recipients per second. Null: no limit of the plan.' })
  recipientsPerSecond!: string | null;

  @Field(() => Boolean, { description: 'Its tenants use dedicated IP pools where the account has them.' })
  dedicatedIps!: boolean;

  @Field(() => Decimal, { description: 'US dollars a month, by the price in force now.' })
  baseFee!: string;

  @Field(() => Int, { description: 'Days the content of a message is kept after it was accepted.' })
  bodyRetentionDays!: number;

  @Field(() => Int, { description: 'Days its states, recipients and events are kept.' })
  metadataRetentionDays!: number;

  @Field(() => InDoubtPolicyEnum, { description: 'What becomes of transactional mail in doubt.' })
  transactionalInDoubt!: InDoubtPolicy;

  @Field(() => InDoubtPolicyEnum, { description: 'What becomes of marketing mail in doubt.' })
  marketingInDoubt!: InDoubtPolicy;

  @Field(() => DateTime, { description: 'When it was made.' })
  createdAt!: Date;
}

export const PlanConnection = connectionType<Plan>(() => Plan, 'Plan', inAdminSchema);

@InputType('CreatePlanInput', { description: 'A new plan, with what it costs from now on.', ...inAdminSchema })
export class CreatePlanInput extends PriceTermsInput {
  @Field(() => String, {
    description: '1 to 48 characters: a lower-case letter, then lower-case letters, digits, "-" or "_". Unique.',
  })
  code!: string;

  @Field(() => String, { description: '1 to 120 characters.' })
  name!: string;

  @Field(() => String, { description: 'Code of a tier that exists.' })
  tier!: string;

  @Field(() => [StreamEnum], { description: 'At least one.' })
  streams!: Stream[];

  @Field(() => Int, { defaultValue: 1, description: '1 to 1,000.' })
  weight!: number;

  @Field(() => BigIntScalar, {
    nullable: true,
    description: 'Recipients per rolling 24 hours, at least 1. Null: no limit of the plan.',
  })
  recipientsPerDay?: bigint | null;

  @Field(() => Decimal, {
    nullable: true,
    description: 'Recipients per second, above 0, at most three decimals. Null: no limit of the plan.',
  })
  recipientsPerSecond?: string | null;

  @Field(() => Boolean, { defaultValue: false, description: 'Use dedicated IP pools where the account has them.' })
  dedicatedIps!: boolean;

  @Field(() => Int, {
    defaultValue: 7,
    description: 'Days the content of a message is kept, 1 to 400; at most metadataRetentionDays.',
  })
  bodyRetentionDays!: number;

  @Field(() => Int, { defaultValue: 90, description: 'Days its states, recipients and events are kept, 3 to 800.' })
  metadataRetentionDays!: number;

  @Field(() => InDoubtPolicyEnum, {
    defaultValue: 'AT_LEAST_ONCE',
    description: 'What becomes of transactional mail in doubt, unless a message says otherwise.',
  })
  transactionalInDoubt!: InDoubtPolicy;

  @Field(() => InDoubtPolicyEnum, {
    defaultValue: 'AT_LEAST_ONCE',
    description: 'What becomes of marketing mail in doubt, unless a message says otherwise.',
  })
  marketingInDoubt!: InDoubtPolicy;
}

@ObjectType('CreatePlanPayload', { description: 'The new plan.', ...inAdminSchema })
export class CreatePlanPayload {
  @Field(() => Plan, { nullable: true, description: 'Null when it was refused.' })
  plan!: Plan | null;

  @Field(() => [UserError], { description: 'What is wrong with the input.' })
  userErrors!: UserError[];
}

@InputType('SetTierRampInput', { description: 'A new ramp of a tier.', ...inAdminSchema })
export class SetTierRampInput {
  @Field(() => String, { description: 'Code of the tier.' })
  tier!: string;

  @Field(() => BigIntScalar, { description: 'Recipients a day that are always allowed, at least 1.' })
  rampFloor!: bigint;

  @Field(() => Decimal, {
    description: 'Times the highest day of the last seven, 1 to 9999.99, at most two decimals.',
  })
  rampFactor!: string;
}

@ObjectType('SetTierRampPayload', { description: 'The tier as it is now.', ...inAdminSchema })
export class SetTierRampPayload {
  @Field(() => Tier, { nullable: true, description: 'Null when it was refused.' })
  tier!: Tier | null;

  @Field(() => [UserError], { description: 'What is wrong with the input.' })
  userErrors!: UserError[];
}
