import { Field, ID, Int, ObjectType } from '@nestjs/graphql';
import { inAdminSchema } from '../../graphql/endpoint.schema';
import { BigIntScalar, DateTime, Decimal } from '../../graphql/scalars';
import { HintEnum, PeriodStateEnum, RowKindEnum, StepKindEnum, TopicEnum } from './billing.words';
import type { IdleHint, PeriodState, RowKind, StepKind, Topic } from './billing.words';

@ObjectType('MarginLine', { description: 'What is charged and what is paid for one thing.', ...inAdminSchema })
export class MarginLine {
  @Field(() => TopicEnum, { description: 'For what.' })
  topic!: Topic;

  @Field(() => Decimal, { description: 'US dollars charged.' })
  price!: string;

  @Field(() => Decimal, { description: 'US dollars paid.' })
  cost!: string;

  @Field(() => Decimal, { description: 'Price less cost.' })
  margin!: string;

  @Field(() => [String], { description: 'What it is made of on both sides, for example "ses.recipient".' })
  skus!: string[];

  @Field(() => [ID], {
    description: 'Rates of `rateCard` its cost was reckoned with. None where AWS’s bill alone says it.',
  })
  rateIds!: string[];

  @Field(() => [ID], { description: 'Versions of plan prices its charges were reckoned with.' })
  planPriceIds!: string[];

  @Field(() => [String], { description: 'How it was rated and divided.' })
  methods!: string[];
}

@ObjectType('MarginRow', {
  description: 'A tenant, tier or account with what it brings in and costs.',
  ...inAdminSchema,
})
export class MarginRow {
  @Field(() => RowKindEnum, { description: 'What the row is about.' })
  kind!: RowKind;

  @Field(() => ID, {
    nullable: true,
    description: 'The tenant (ten_...), tier code or sending account (sac_...). Null for IDLE, PLATFORM and NONE.',
  })
  id!: string | null;

  @Field(() => String, { description: 'What people call it.' })
  name!: string;

  @Field(() => Decimal, { description: 'US dollars charged.' })
  price!: string;

  @Field(() => Decimal, { description: 'US dollars paid.' })
  cost!: string;

  @Field(() => Decimal, { description: 'Price less cost.' })
  margin!: string;

  @Field(() => [MarginLine], { description: 'What it is made of; adds up to the row.' })
  lines!: MarginLine[];
}

@ObjectType('MarginReport', {
  description: 'Price less cost of a month. Lines add up to rows and rows to the whole, exactly.',
  ...inAdminSchema,
})
export class MarginReport {
  @Field(() => String, { description: 'The month in UTC, YYYY-MM.' })
  period!: string;

  @Field(() => PeriodStateEnum, { description: 'How final it is. OPEN: reckoned from the facts right now.' })
  state!: PeriodState;

  @Field(() => DateTime, { description: 'Until then everything is in it.' })
  asOf!: Date;

  @Field(() => Decimal, { description: 'US dollars charged to all tenants.' })
  price!: string;

  @Field(() => Decimal, { description: 'US dollars the fleet cost.' })
  cost!: string;

  @Field(() => Decimal, { description: 'Price less cost.' })
  margin!: string;

  @Field(() => [MarginRow], {
    description: 'Everybody with a price or a cost; idle and platform cost as rows of their own.',
  })
  rows!: MarginRow[];
}

@ObjectType('WaterfallStep', { description: 'A part of the fleet’s cost.', ...inAdminSchema })
export class WaterfallStep {
  @Field(() => StepKindEnum, { description: 'Which part.' })
  kind!: StepKind;

  @Field(() => TopicEnum, { nullable: true, description: 'What was paid for. Null where `reason` says it.' })
  topic!: Topic | null;

  @Field(() => String, {
    nullable: true,
    description: 'Why AWS’s bill says another amount, for example "FOREIGN_SENDER". Null in our own reckoning.',
  })
  reason!: string | null;

  @Field(() => Decimal, { description: 'US dollars.' })
  amount!: string;

  @Field(() => Decimal, { description: 'All steps up to this one together.' })
  after!: string;
}

@ObjectType('CostWaterfall', {
  description: 'From what tenants used to what the fleet cost; the last step ends at `fleet`, exactly.',
  ...inAdminSchema,
})
export class CostWaterfall {
  @Field(() => String, { description: 'The month in UTC, YYYY-MM.' })
  period!: string;

  @Field(() => PeriodStateEnum, { description: 'How final it is. OPEN: reckoned from the facts right now.' })
  state!: PeriodState;

  @Field(() => DateTime, { description: 'Until then everything is in it.' })
  asOf!: Date;

  @Field(() => Decimal, { description: 'US dollars in all.' })
  fleet!: string;

  @Field(() => [WaterfallStep], { description: 'In order: tenants, platform, idle, what the bill says beyond them.' })
  steps!: WaterfallStep[];
}

@ObjectType('IdleCostRow', { description: 'What nobody used of one thing.', ...inAdminSchema })
export class IdleCostRow {
  @Field(() => ID, { nullable: true, description: 'The sending account (sac_...). Null when the charge names none.' })
  sendingAccountId!: string | null;

  @Field(() => String, { nullable: true, description: 'Its AWS account and region. Null with the id.' })
  account!: string | null;

  @Field(() => ID, { nullable: true, description: 'The dedicated pool (lane_...). Null when it is about none.' })
  poolId!: string | null;

  @Field(() => String, { nullable: true, description: 'The name of the pool. Null with the id.' })
  pool!: string | null;

  @Field(() => TopicEnum, { description: 'What was paid for.' })
  topic!: Topic;

  @Field(() => Decimal, { description: 'US dollars for the unused part.' })
  idle!: string;

  @Field(() => Decimal, { description: 'US dollars for all of it.' })
  whole!: string;

  @Field(() => Int, {
    nullable: true,
    description: 'The unused part in thousandths. Null where the whole is not above 0.',
  })
  idlePermille!: number | null;

  @Field(() => HintEnum, { description: 'What to do about it.' })
  hint!: IdleHint;
}

@ObjectType('IdleCost', { description: 'What was paid for and not used, dearest first.', ...inAdminSchema })
export class IdleCost {
  @Field(() => String, { description: 'The month in UTC, YYYY-MM.' })
  period!: string;

  @Field(() => PeriodStateEnum, { description: 'How final it is. OPEN: reckoned from the facts right now.' })
  state!: PeriodState;

  @Field(() => DateTime, { description: 'Until then everything is in it.' })
  asOf!: Date;

  @Field(() => Decimal, { description: 'US dollars the fleet cost.' })
  fleet!: string;

  @Field(() => Decimal, { description: 'US dollars of it that nobody used; the rows add up to it.' })
  idle!: string;

  @Field(() => [IdleCostRow], { description: 'By account, pool and thing.' })
  rows!: IdleCostRow[];
}

@ObjectType('WhatIfRow', { description: 'What one tenant would have been charged.', ...inAdminSchema })
export class WhatIfRow {
  @Field(() => ID, { description: 'The tenant.' })
  tenantId!: string;

  @Field(() => String, { description: 'Its name.' })
  name!: string;

  @Field(() => Decimal, { description: 'US dollars at the price that was in force.' })
  before!: string;

  @Field(() => Decimal, { description: 'US dollars under the other terms.' })
  after!: string;

  @Field(() => Decimal, { description: 'US dollars it cost.' })
  cost!: string;

  @Field(() => Decimal, { description: '`after` less cost.' })
  marginAfter!: string;
}

@ObjectType('PriceWhatIf', {
  description: 'A month’s usage under other terms; nothing is changed by it.',
  ...inAdminSchema,
})
export class PriceWhatIf {
  @Field(() => String, { description: 'The month in UTC, YYYY-MM.' })
  period!: string;

  @Field(() => Decimal, { description: 'US dollars at the prices that were in force.' })
  before!: string;

  @Field(() => Decimal, { description: 'US dollars under the other terms.' })
  after!: string;

  @Field(() => Decimal, { description: 'US dollars these tenants cost.' })
  cost!: string;

  @Field(() => Decimal, { description: '`before` less cost.' })
  marginBefore!: string;

  @Field(() => Decimal, { description: '`after` less cost.' })
  marginAfter!: string;

  @Field(() => BigIntScalar, { description: 'Tenants who would pay more.' })
  dearer!: bigint;

  @Field(() => BigIntScalar, { description: 'Tenants who would pay less.' })
  cheaper!: bigint;

  @Field(() => [WhatIfRow], { description: 'Tenant by tenant.' })
  rows!: WhatIfRow[];
}
