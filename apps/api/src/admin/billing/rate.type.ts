import { Field, ID, ObjectType } from '@nestjs/graphql';
import { inAdminSchema } from '../../graphql/endpoint.schema';
import { BigIntScalar, DateTime, Decimal } from '../../graphql/scalars';
import { UserError } from '../../graphql/words.type';

@ObjectType('Rate', { description: 'A version of a price that we are charged.', ...inAdminSchema })
export class Rate {
  @Field(() => ID, { description: 'What lines of cost cite.' })
  id!: string;

  @Field(() => String, { description: 'The card: "aws-a-la-carte", "aws-essentials", "aws-pro", "aws-enterprise".' })
  card!: string;

  @Field(() => String, { description: 'What is priced.' })
  sku!: string;

  @Field(() => BigIntScalar, { description: 'From so many units of a month on.' })
  tierFrom!: bigint;

  @Field(() => Decimal, { description: 'US dollars for `perUnits` units.' })
  amount!: string;

  @Field(() => BigIntScalar, { description: 'Units the amount is for.' })
  perUnits!: bigint;

  @Field(() => DateTime, { description: 'From then on.' })
  validFrom!: Date;

  @Field(() => DateTime, { nullable: true, description: 'The first moment it no longer holds. Null: it still does.' })
  validTo!: Date | null;

  @Field(() => String, { description: 'Where the price is written.' })
  source!: string;
}

@ObjectType('RateGap', { description: 'A time without a price.', ...inAdminSchema })
export class RateGap {
  @Field(() => String, { description: 'The card.' })
  card!: string;

  @Field(() => String, { description: 'What has no price.' })
  sku!: string;

  @Field(() => DateTime, { description: 'From then on.' })
  from!: Date;

  @Field(() => DateTime, { description: 'Until before then.' })
  to!: Date;
}

@ObjectType('PublishRatePayload', { description: 'The new version.', ...inAdminSchema })
export class PublishRatePayload {
  @Field(() => Rate, { nullable: true, description: 'Null when it was refused.' })
  rate!: Rate | null;

  @Field(() => [UserError], { description: 'What is wrong with the input. Nothing was published then.' })
  userErrors!: UserError[];
}

@ObjectType('EndRatePayload', { description: 'The rate with its end.', ...inAdminSchema })
export class EndRatePayload {
  @Field(() => Rate, { nullable: true, description: 'Null when it was refused.' })
  rate!: Rate | null;

  @Field(() => [UserError], { description: 'What is wrong with the input. Nothing was ended then.' })
  userErrors!: UserError[];
}
