import { ArgsType, Field, ID, InputType, Int } from '@nestjs/graphql';
import { inAdminSchema } from '../../graphql/endpoint.schema';
import { BigIntScalar } from '../../graphql/scalars';
import { PriceTermsInput } from '../plan/plan-price.type';

@InputType('PlanTermsInput', { description: 'Terms to try out. Nothing is published by them.', ...inAdminSchema })
export class PlanTermsInput extends PriceTermsInput {}

@ArgsType()
export class DedicatedIpArgs {
  @Field(() => ID, { nullable: true, description: 'A tenant: its price, and its volume unless one is given.' })
  tenantId?: string | null;

  @Field(() => String, { nullable: true, description: 'The month whose volume counts, YYYY-MM. Null: the last one.' })
  period?: string | null;

  @Field(() => BigIntScalar, {
    nullable: true,
    description: 'Recipients a month, up to 1,000,000,000,000. Null: the volume of the tenant.',
  })
  recipientsPerMonth?: bigint | null;

  @Field(() => Int, { defaultValue: 1, description: 'Standard IPs to compare, 1 to 10,000.' })
  dedicatedIps!: number;
}
