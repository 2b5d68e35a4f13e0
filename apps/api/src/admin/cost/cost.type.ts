import { ArgsType, Field, ID, Int, ObjectType } from '@nestjs/graphql';
import { inAdminSchema } from '../../graphql/endpoint.schema';
import { BigIntScalar, Decimal } from '../../graphql/scalars';

@ObjectType('CostLine', { description: 'One priced quantity.', ...inAdminSchema })
export class CostLine {
  @Field(() => String, { description: 'What was used, for example "ses.recipient".' })
  sku!: string;

  @Field(() => Decimal, { description: 'How much of it.' })
  quantity!: string;

  @Field(() => String, {
    nullable: true,
    description: 'What is counted: recipient, ip-millisecond, byte, publish, delivery, month. Null in estimates.',
  })
  unit!: string | null;

  @Field(() => Decimal, { description: 'US dollars, exact to the micro-dollar.' })
  cost!: string;

  @Field(() => BigIntScalar, { description: 'The same in micro-dollars.' })
  costMicroUsd!: bigint;

  @Field(() => String, { description: 'Where the rate comes from.' })
  source!: string;

  @Field(() => ID, {
    nullable: true,
    description: 'The sending account (sac_...) that AWS charges. Null in estimates.',
  })
  sendingAccountId!: string | null;

  @Field(() => ID, {
    nullable: true,
    description: 'The dedicated pool (lane_...) whose addresses it pays for. Null for everything else.',
  })
  poolId!: string | null;
}

@ObjectType('TenantCost', { description: "A tenant's part of the fleet's cost.", ...inAdminSchema })
export class TenantCost {
  @Field(() => ID, { description: 'The tenant.' })
  tenantId!: string;

  @Field(() => BigIntScalar, { description: 'Recipients sent to.' })
  recipients!: bigint;

  @Field(() => Decimal, { description: 'US dollars.' })
  cost!: string;

  @Field(() => BigIntScalar, { description: 'The same in micro-dollars.' })
  costMicroUsd!: bigint;

  @Field(() => [CostLine], { description: 'What it is made of.' })
  lines!: CostLine[];
}

@ObjectType('TenantCosts', {
  description: "A month's cost by tenant. Tenants, idle and platform add up to the fleet exactly.",
  ...inAdminSchema,
})
export class TenantCosts {
  @Field(() => String, { description: 'The month in UTC, YYYY-MM.' })
  period!: string;

  @Field(() => Decimal, { description: 'US dollars in all.' })
  fleet!: string;

  @Field(() => BigIntScalar, { description: 'The same in micro-dollars.' })
  fleetMicroUsd!: bigint;

  @Field(() => Decimal, { description: 'US dollars for what nobody used.' })
  idle!: string;

  @Field(() => BigIntScalar, { description: 'The same in micro-dollars.' })
  idleMicroUsd!: bigint;

  @Field(() => Decimal, { description: 'US dollars that are ours, not a tenant: repeated attempts.' })
  platform!: string;

  @Field(() => BigIntScalar, { description: 'The same in micro-dollars.' })
  platformMicroUsd!: bigint;

  @Field(() => [TenantCost], { description: 'Every tenant with a cost.' })
  tenants!: TenantCost[];
}

/** A volume to price. */
@ArgsType()
export class CostEstimateArgs {
  @Field(() => BigIntScalar, { description: 'Recipients a month, up to 1,000,000,000,000.' })
  recipientsPerMonth!: bigint;

  @Field(() => Int, { defaultValue: 0, description: 'Dedicated IPs, 0 to 10,000.' })
  dedicatedIps!: number;

  @Field(() => String, {
    defaultValue: 'NONE',
    description: 'SES pricing plan: NONE (pay as you go), ESSENTIALS, PRO, ENTERPRISE.',
  })
  pricingPlan!: string;

  @Field(() => Boolean, { defaultValue: false, description: 'Dedicated IPs managed by SES.' })
  managedIps!: boolean;

  @Field(() => Boolean, { defaultValue: false, description: "With SES's Virtual Deliverability Manager." })
  virtualDeliverabilityManager!: boolean;

  @Field(() => BigIntScalar, { nullable: true, description: 'Bytes of attachments per recipient. Null: none.' })
  attachmentBytes?: bigint | null;
}

@ObjectType('CompetitorPrice', {
  description: 'What another service asks for the same volume, by its own price list.',
  ...inAdminSchema,
})
export class CompetitorPrice {
  @Field(() => String, { description: 'The service.' })
  vendor!: string;

  @Field(() => String, { description: 'Its product.' })
  product!: string;

  @Field(() => Decimal, {
    nullable: true,
    description: 'US dollars a month. Null when no source says it for this volume.',
  })
  price!: string | null;

  @Field(() => String, { nullable: true, description: 'LIST, AT_LEAST or AT_MOST. Null with the price.' })
  meaning!: string | null;

  @Field(() => String, { description: 'Where the figure comes from.' })
  source!: string;

  @Field(() => String, { nullable: true, description: 'The day the source was read. Null when it has no date.' })
  readOn!: string | null;
}

@ObjectType('CostEstimate', { description: 'What a volume would cost at the rates in force.', ...inAdminSchema })
export class CostEstimate {
  @Field(() => Decimal, { description: 'US dollars a month.' })
  total!: string;

  @Field(() => BigIntScalar, { description: 'The same in micro-dollars.' })
  totalMicroUsd!: bigint;

  @Field(() => Decimal, { nullable: true, description: 'US dollars per thousand recipients. Null without any.' })
  perThousand!: string | null;

  @Field(() => [CostLine], { description: 'What it is made of.' })
  lines!: CostLine[];

  @Field(() => [CompetitorPrice], { description: 'What others ask for this volume.' })
  competitors!: CompetitorPrice[];
}
