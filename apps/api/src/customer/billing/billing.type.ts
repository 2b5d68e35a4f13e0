import { Field, ObjectType } from '@nestjs/graphql';
import { inCustomerSchema } from '../../graphql/endpoint.schema';
import { BigIntScalar, DateTime, Decimal, EmailAddress } from '../../graphql/scalars';
import { EventType } from '../message/message.type';
import { ChargeLine } from './charge-line.type';

@ObjectType('PriceTier', {
  description: 'A price for recipients above the included ones, from the `from`-th on; only those in the tier pay it.',
  ...inCustomerSchema,
})
export class PriceTier {
  @Field(() => BigIntScalar, { description: 'Recipients above the included ones before the tier begins.' })
  from!: bigint;

  @Field(() => Decimal, { description: 'US dollars for `per` recipients.' })
  amount!: string;

  @Field(() => BigIntScalar, { description: 'How many recipients the amount is for.' })
  per!: bigint;
}

@ObjectType('CurrentPlan', { description: 'Your plan and what it costs a calendar month now.', ...inCustomerSchema })
export class CurrentPlan {
  @Field(() => String, { description: 'Its name.' })
  name!: string;

  @Field(() => Decimal, { description: 'US dollars a month, by the share of the month it is in force.' })
  baseFee!: string;

  @Field(() => BigIntScalar, { description: 'Recipients a month that cost nothing more.' })
  includedRecipients!: bigint;

  @Field(() => [PriceTier], { description: 'Recipients above them, lowest tier first. Empty: they cost nothing.' })
  overage!: PriceTier[];

  @Field(() => Decimal, { description: 'US dollars a month for a dedicated IP of your own.' })
  dedicatedIpFee!: string;

  @Field(() => Decimal, { description: 'What a month costs at least, US dollars.' })
  minimum!: string;

  @Field(() => DateTime, { description: 'Since when this price is in force.' })
  since!: Date;
}

@ObjectType('SpendSettings', {
  description: 'When you want to be told about the charges of a month, and where they end.',
  ...inCustomerSchema,
})
export class SpendSettings {
  @Field(() => [Decimal], {
    description: 'Charges of a month in US dollars; reaching one is told once a month as `usage.threshold_reached`.',
  })
  alertsUsd!: string[];

  @Field(() => Decimal, {
    nullable: true,
    description:
      'At this charge of a month marketing mail stops until the next month; transactional mail always goes. Looked at once a minute, so that what is sent within a minute can go beyond it. Null: no cap.',
  })
  hardCapUsd!: string | null;

  @Field(() => DateTime, {
    nullable: true,
    description: 'Marketing mail is stopped at the cap until then. Null while it is not.',
  })
  marketingStoppedUntil!: Date | null;
}

@ObjectType('BillingProfile', { description: 'Whom your invoices are made out to.', ...inCustomerSchema })
export class BillingProfile {
  @Field(() => String, { description: 'The name of the company or person.' })
  legalName!: string;

  @Field(() => [String], { description: 'The postal address, line by line, with the country.' })
  address!: string[];

  @Field(() => String, { nullable: true, description: 'VAT or other tax number. Null when none was given.' })
  taxId!: string | null;

  @Field(() => EmailAddress, { nullable: true, description: 'Who deals with invoices. Null when none was given.' })
  email!: string | null;
}

@ObjectType('Billing', {
  description: 'The calendar month that runs, in UTC; provisional until its invoice is issued. Test mode never counts.',
  ...inCustomerSchema,
})
export class Billing {
  @Field(() => String, { description: 'The month, YYYY-MM.' })
  period!: string;

  @Field(() => DateTime, { description: 'Its beginning.' })
  from!: Date;

  @Field(() => DateTime, { description: 'The beginning of the next month.' })
  to!: Date;

  @Field(() => BigIntScalar, { description: 'Recipients sent to so far.' })
  recipients!: bigint;

  @Field(() => Decimal, { description: 'Hours that dedicated IPs of your own were yours so far.' })
  dedicatedIpHours!: string;

  @Field(() => [ChargeLine], {
    description: 'What the invoice would say if nothing more were used this month: fees are those of the whole month.',
  })
  lines!: ChargeLine[];

  @Field(() => Decimal, { description: 'Sum of `lines` in US dollars.' })
  charge!: string;

  @Field(() => Decimal, {
    description:
      'The same by the end of the month, if as many recipients follow per day as there were on average this month, and you keep the dedicated IPs of now.',
  })
  projectedCharge!: string;

  @Field(() => CurrentPlan, { description: 'Your plan and its price.' })
  plan!: CurrentPlan;

  @Field(() => SpendSettings, { description: 'Alerts and cap.' })
  spend?: SpendSettings;

  @Field(() => [EventType], { description: 'Thresholds that were reached this month, oldest first.' })
  events?: EventType[];

  @Field(() => BillingProfile, {
    nullable: true,
    description: 'Whom invoices are made out to. Null: to your name as the operator wrote it.',
  })
  profile?: BillingProfile | null;
}

@ObjectType('BillingEstimate', {
  description: 'What a whole month would be charged by your price of now.',
  ...inCustomerSchema,
})
export class BillingEstimate {
  @Field(() => [ChargeLine], { description: 'Charge by charge.' })
  lines!: ChargeLine[];

  @Field(() => Decimal, { description: 'Sum of `lines` in US dollars.' })
  charge!: string;
}
