import type { Limit } from '@libs/sending';
import { Field, ObjectType } from '@nestjs/graphql';
import { inCustomerSchema } from '../../graphql/endpoint.schema';
import { BigIntScalar, DateTime, Decimal } from '../../graphql/scalars';
import { LimitEnum } from '../message/message.type';

@ObjectType('Forecast', { description: 'When a volume would be out, and what it would cost.', ...inCustomerSchema })
export class Forecast {
  @Field(() => DateTime, {
    nullable: true,
    description: 'When the first would go. Null while nothing may go at all: `bindingLimit` says why.',
  })
  firstAt!: Date | null;

  @Field(() => DateTime, {
    nullable: true,
    description: 'When the last would have gone. Null where nobody can tell: what stands in the way must end first.',
  })
  lastAt!: Date | null;

  @Field(() => LimitEnum, { description: 'The kind of limit that decides it.' })
  bindingLimit!: Limit;

  @Field(() => Decimal, {
    description: "US dollars at Amazon SES's pay-as-you-go price; `billingEstimate` answers at yours.",
  })
  cost!: string;
}

@ObjectType('Usage', { description: 'What was sent in a span of time, and what it costs.', ...inCustomerSchema })
export class Usage {
  @Field(() => BigIntScalar, { description: 'Recipients sent to; live mode only.' })
  recipients!: bigint;

  @Field(() => Decimal, {
    description: 'What Amazon SES takes for it, provisional; what you are charged is in `billing`.',
  })
  charge!: string;

  @Field(() => String, { description: 'Always USD.' })
  currency!: string;
}
