import { Field, ID, ObjectType } from '@nestjs/graphql';
import { inAdminSchema } from '../../graphql/endpoint.schema';
import { BigIntScalar, Decimal } from '../../graphql/scalars';

@ObjectType('ContainedInPlan', {
  description: 'What a pricing plan contains that costs extra a la carte.',
  ...inAdminSchema,
})
export class ContainedInPlan {
  @Field(() => String, { description: 'What, for example "ses.vdm_recipient".' })
  sku!: string;

  @Field(() => Decimal, { description: 'US dollars it would cost a la carte for the same volume.' })
  worth!: string;
}

@ObjectType('PricingPlanOption', { description: 'An account’s month on one of SES’s pricing plans.', ...inAdminSchema })
export class PricingPlanOption {
  @Field(() => String, { description: 'NONE (a la carte), ESSENTIALS, PRO or ENTERPRISE.' })
  plan!: string;

  @Field(() => Decimal, { description: 'US dollars, everything used kept as it is.' })
  cost!: string;

  @Field(() => [ContainedInPlan], { description: 'What it contains beyond that.' })
  contains!: ContainedInPlan[];

  @Field(() => Decimal, {
    nullable: true,
    description: 'The same without standard dedicated IPs, where the plan contains managed ones. Null elsewhere.',
  })
  costOnManagedIps!: string | null;
}

@ObjectType('AccountPlanAdvice', { description: 'Which pricing plan one account should be on.', ...inAdminSchema })
export class AccountPlanAdvice {
  @Field(() => ID, { description: 'The sending account (sac_...).' })
  sendingAccountId!: string;

  @Field(() => String, { description: 'Its AWS account and region.' })
  account!: string;

  @Field(() => BigIntScalar, { description: 'Recipients it sent to.' })
  recipients!: bigint;

  @Field(() => BigIntScalar, { description: 'Milliseconds of standard dedicated IPs it leased.' })
  ipMilliseconds!: bigint;

  @Field(() => String, { description: 'The plan it is on.' })
  current!: string;

  @Field(() => String, { description: 'The cheapest plan; the current one where none is cheaper.' })
  best!: string;

  @Field(() => Decimal, { description: 'US dollars the best plan saves a month.' })
  saving!: string;

  @Field(() => [PricingPlanOption], { description: 'Every plan.' })
  options!: PricingPlanOption[];
}

@ObjectType('PricingPlanAdvice', {
  description: 'Which of SES’s pricing plans each account should be on, by what it used in a month.',
  ...inAdminSchema,
})
export class PricingPlanAdvice {
  @Field(() => String, { description: 'The month in UTC, YYYY-MM.' })
  period!: string;

  @Field(() => Decimal, { description: 'US dollars saved by all accounts together.' })
  saving!: string;

  @Field(() => [String], { description: 'What the comparison takes for granted.' })
  assumes!: string[];

  @Field(() => [AccountPlanAdvice], { description: 'Account by account.' })
  accounts!: AccountPlanAdvice[];
}

@ObjectType('DedicatedIpOption', { description: 'One way for mail to leave, a month a la carte.', ...inAdminSchema })
export class DedicatedIpOption {
  @Field(() => String, { description: 'SHARED, MANAGED (by SES) or STANDARD (leased).' })
  kind!: string;

  @Field(() => Decimal, { description: 'US dollars for recipients and IPs.' })
  cost!: string;

  @Field(() => Decimal, { description: 'US dollars beyond SHARED.' })
  extra!: string;

  @Field(() => [ID], { description: 'Rates it was reckoned with.' })
  rateIds!: string[];
}

@ObjectType('DedicatedIpAtTenantPrice', { description: 'What a tenant’s own price makes of IPs.', ...inAdminSchema })
export class DedicatedIpAtTenantPrice {
  @Field(() => Decimal, { description: 'US dollars it pays a month without IPs of its own.' })
  priceShared!: string;

  @Field(() => Decimal, { description: 'US dollars it pays with them.' })
  priceWithIps!: string;

  @Field(() => Decimal, { description: 'What is left without them.' })
  marginShared!: string;

  @Field(() => Decimal, { description: 'What is left with standard IPs.' })
  marginStandard!: string;

  @Field(() => Boolean, { description: 'The IPs bring in at least what they cost.' })
  paysByItself!: boolean;
}

@ObjectType('DedicatedIpAdvice', { description: 'When a dedicated IP pays.', ...inAdminSchema })
export class DedicatedIpAdvice {
  @Field(() => BigIntScalar, { description: 'Recipients a month that were asked about.' })
  recipientsPerMonth!: bigint;

  @Field(() => BigIntScalar, { description: 'Standard IPs that were asked about.' })
  dedicatedIps!: bigint;

  @Field(() => [DedicatedIpOption], { description: 'Shared, managed, standard.' })
  options!: DedicatedIpOption[];

  @Field(() => String, { description: 'The cheaper way to an own reputation at this volume: MANAGED or STANDARD.' })
  cheaperOwn!: string;

  @Field(() => BigIntScalar, {
    nullable: true,
    description: 'Recipients a month from which on standard IPs cost no more than managed ones. Null: never.',
  })
  standardPaysFrom!: bigint | null;

  @Field(() => DedicatedIpAtTenantPrice, { nullable: true, description: 'Null when no tenant was named.' })
  atTenantPrice!: DedicatedIpAtTenantPrice | null;

  @Field(() => [String], { description: 'What the comparison takes for granted.' })
  assumes!: string[];
}
