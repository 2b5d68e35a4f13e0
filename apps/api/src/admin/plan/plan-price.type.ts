import { Field, ID, InputType, ObjectType } from '@nestjs/graphql';
import { inAdminSchema } from '../../graphql/endpoint.schema';
import { BigIntScalar, DateTime, Decimal } from '../../graphql/scalars';
import { UserError } from '../../graphql/words.type';

@ObjectType('OverageTier', { description: 'A price for recipients above the included ones.', ...inAdminSchema })
export class OverageTier {
  @Field(() => BigIntScalar, {
    description: 'The first recipient of a month, above the included ones, that it is for.',
  })
  from!: bigint;

  @Field(() => Decimal, { description: 'US dollars for `per` recipients; below zero is a rebate.' })
  price!: string;

  @Field(() => BigIntScalar, { description: 'So many recipients cost `price`.' })
  per!: bigint;
}

@InputType('OverageTierInput', { description: 'A price for recipients above the included ones.', ...inAdminSchema })
export class OverageTierInput {
  @Field(() => BigIntScalar, {
    description: 'The first recipient of a month, above the included ones, that it is for; of the first tier 0.',
  })
  from!: bigint;

  @Field(() => Decimal, { description: 'US dollars for `per` recipients, at most six decimals.' })
  price!: string;

  @Field(() => BigIntScalar, { defaultValue: 1_000n, description: 'So many recipients cost `price`.' })
  per!: bigint;
}

@InputType({ isAbstract: true })
export abstract class PriceTermsInput {
  @Field(() => Decimal, { defaultValue: '0', description: 'US dollars a month, at most six decimals.' })
  baseFee!: string;

  @Field(() => BigIntScalar, { defaultValue: 0n, description: 'Recipients a month that cost nothing more.' })
  includedRecipients!: bigint;

  @Field(() => [OverageTierInput], {
    defaultValue: [],
    description: 'Prices of recipients above the included ones, marginal, lowest first. None: they cost nothing.',
  })
  overage!: OverageTierInput[];

  @Field(() => Decimal, {
    defaultValue: '0',
    description: 'US dollars a month for a dedicated IP of the tenant’s own.',
  })
  dedicatedIpFee!: string;

  @Field(() => Decimal, { defaultValue: '0', description: 'US dollars that a month costs at least.' })
  minimum!: string;

  @Field(() => Boolean, { defaultValue: true, description: 'A promise that more usage never lowers the price.' })
  monotone!: boolean;
}

@ObjectType('PlanPrice', {
  description: 'A version of what a plan costs. It never changes; it only ends.',
  ...inAdminSchema,
})
export class PlanPrice {
  @Field(() => ID, { description: 'Cited by the lines of invoices.' })
  id!: string;

  @Field(() => DateTime, { description: 'In force from then on.' })
  validFrom!: Date;

  @Field(() => DateTime, { nullable: true, description: 'The first moment it no longer is. Null: no next one yet.' })
  validTo!: Date | null;

  @Field(() => Decimal, { description: 'US dollars a month.' })
  baseFee!: string;

  @Field(() => BigIntScalar, { description: 'Recipients a month that cost nothing more.' })
  includedRecipients!: bigint;

  @Field(() => [OverageTier], { description: 'Prices of recipients above the included ones, marginal, lowest first.' })
  overage!: OverageTier[];

  @Field(() => Decimal, { description: 'US dollars a month for a dedicated IP of the tenant’s own.' })
  dedicatedIpFee!: string;

  @Field(() => Decimal, { description: 'US dollars that a month costs at least.' })
  minimum!: string;

  @Field(() => Boolean, { description: 'More usage never lowers the price.' })
  monotone!: boolean;

  @Field(() => String, { description: 'Who or what says so.' })
  source!: string;
}

@InputType('PublishPlanPriceInput', { description: 'What a plan costs from a time on.', ...inAdminSchema })
export class PublishPlanPriceInput extends PriceTermsInput {
  @Field(() => ID, { description: 'Public id (plan_...).' })
  planId!: string;

  @Field(() => DateTime, {
    description: 'Not in the past, and after every price of the plan that is published already.',
  })
  validFrom!: Date;

  @Field(() => String, { description: 'Who or what says so: 1 to 200 characters.' })
  source!: string;
}

@ObjectType('PublishPlanPricePayload', { description: 'The new version.', ...inAdminSchema })
export class PublishPlanPricePayload {
  @Field(() => PlanPrice, { nullable: true, description: 'Null when it was refused.' })
  planPrice!: PlanPrice | null;

  @Field(() => [UserError], { description: 'What is wrong with the input.' })
  userErrors!: UserError[];
}
