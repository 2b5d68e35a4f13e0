import { Field, ID, InputType } from '@nestjs/graphql';
import { inAdminSchema } from '../../graphql/endpoint.schema';
import { BigIntScalar, DateTime, Decimal } from '../../graphql/scalars';

@InputType('PublishRateInput', { description: 'The next version of a price that we are charged.', ...inAdminSchema })
export class PublishRateInput {
  @Field(() => String, { description: 'A card that exists, for example "aws-a-la-carte".' })
  card!: string;

  @Field(() => String, { description: 'What is priced, for example "ses.recipient".' })
  sku!: string;

  @Field(() => BigIntScalar, { defaultValue: 0n, description: 'From so many units of a month on.' })
  tierFrom!: bigint;

  @Field(() => Decimal, { description: 'US dollars for `perUnits` units, at most six decimals.' })
  amount!: string;

  @Field(() => BigIntScalar, { description: 'Units the amount is for.' })
  perUnits!: bigint;

  @Field(() => DateTime, { description: 'From the beginning of that day on, UTC; not in a month that is final.' })
  validFrom!: Date;

  @Field(() => String, { description: 'Where the price is written, 1 to 500 characters.' })
  source!: string;
}

@InputType('EndRateInput', { description: 'The end of a price without another one.', ...inAdminSchema })
export class EndRateInput {
  @Field(() => ID, { description: 'The rate, by its id in `rateCard`.' })
  rateId!: string;

  @Field(() => DateTime, {
    description: 'The beginning of the first day, UTC, on which it no longer holds; not in a month that is final.',
  })
  validTo!: Date;
}
