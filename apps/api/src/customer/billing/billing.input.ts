import { Field, InputType, ObjectType } from '@nestjs/graphql';
import { inCustomerSchema } from '../../graphql/endpoint.schema';
import { Decimal, EmailAddress } from '../../graphql/scalars';
import { UserError } from '../../graphql/words.type';
import { BillingProfile, SpendSettings } from './billing.type';

@InputType('UpdateSpendSettingsInput', { description: 'What is not given stays as it is.', ...inCustomerSchema })
export class UpdateSpendSettingsInput {
  @Field(() => [Decimal], {
    nullable: true,
    description: 'Up to 5 charges of a month in US dollars to be told about; an empty list for none.',
  })
  alertsUsd?: string[] | null;

  @Field(() => Decimal, {
    nullable: true,
    description: 'The charge of a month in US dollars at which marketing mail stops. Null takes the cap away.',
  })
  hardCapUsd?: string | null;
}

@ObjectType('UpdateSpendSettingsPayload', { description: 'The settings as they are now.', ...inCustomerSchema })
export class UpdateSpendSettingsPayload {
  @Field(() => SpendSettings, { nullable: true, description: 'In force at once. Null when they were refused.' })
  spend!: SpendSettings | null;

  @Field(() => [UserError], { description: 'What is wrong with the input. Nothing was changed then.' })
  userErrors!: UserError[];
}

@InputType('UpdateBillingProfileInput', {
  description: 'Replaces the profile as a whole; for invoices that are drafted from now on.',
  ...inCustomerSchema,
})
export class UpdateBillingProfileInput {
  @Field(() => String, { description: '1 to 200 characters.' })
  legalName!: string;

  @Field(() => [String], { description: '1 to 8 lines of at most 120 characters, with the country.' })
  address!: string[];

  @Field(() => String, { nullable: true, description: 'At most 50 characters.' })
  taxId?: string | null;

  @Field(() => EmailAddress, { nullable: true, description: 'Who deals with invoices.' })
  email?: string | null;
}

@ObjectType('UpdateBillingProfilePayload', { description: 'The profile as it is now.', ...inCustomerSchema })
export class UpdateBillingProfilePayload {
  @Field(() => BillingProfile, { nullable: true, description: 'Null when it was refused.' })
  profile!: BillingProfile | null;

  @Field(() => [UserError], { description: 'What is wrong with the input. Nothing was changed then.' })
  userErrors!: UserError[];
}
