import { Field, ObjectType } from '@nestjs/graphql';
import { inCustomerSchema } from '../../graphql/endpoint.schema';
import { BigIntScalar, DateTime, Decimal } from '../../graphql/scalars';

@ObjectType('UnitPrice', { description: 'A price for so many units.', ...inCustomerSchema })
export class UnitPrice {
  @Field(() => Decimal, { description: 'US dollars for `per` units.' })
  amount!: string;

  @Field(() => BigIntScalar, { description: 'How many units the amount is for.' })
  per!: bigint;
}

@ObjectType('ChargeLine', { description: 'One charge.', ...inCustomerSchema })
export class ChargeLine {
  @Field(() => String, { description: 'What for, made for programs: "plan.base_fee", "plan.recipients".' })
  sku!: string;

  @Field(() => String, { description: 'What for, made for people.' })
  description!: string;

  @Field(() => BigIntScalar, { description: 'How much of it, in `unit`.' })
  quantity!: bigint;

  @Field(() => String, { description: 'recipient, millisecond, ip-millisecond or month.' })
  unit!: string;

  @Field(() => UnitPrice, { nullable: true, description: 'Null where there is no price by the unit.' })
  price!: UnitPrice | null;

  @Field(() => Decimal, { description: 'US dollars, exact to the micro-dollar.' })
  amount!: string;

  @Field(() => DateTime, { description: 'From when.' })
  from!: Date;

  @Field(() => DateTime, { description: 'Until before when.' })
  to!: Date;
}
