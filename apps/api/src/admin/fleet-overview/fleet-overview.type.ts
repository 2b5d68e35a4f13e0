import { Field, Int, ObjectType } from '@nestjs/graphql';
import { inAdminSchema } from '../../graphql/endpoint.schema';
import { BigIntScalar } from '../../graphql/scalars';

@ObjectType('TierOverview', { description: 'The live accounts of a tier together.', ...inAdminSchema })
export class TierOverview {
  @Field(() => String, { description: 'The tier.' })
  tier!: string;

  @Field(() => Int, { description: 'Live sending accounts.' })
  sendingAccounts!: number;

  @Field(() => Int, { description: 'Those of them that may send now.' })
  sending!: number;

  @Field(() => BigIntScalar, { description: 'Recipients per rolling 24 hours of those, unlimited ones left out.' })
  quota!: bigint;

  @Field(() => BigIntScalar, { description: 'Recipients of the last 24 hours.' })
  used!: bigint;

  @Field(() => Int, { description: 'Of that quota, what its accounts used, in per mille; 0 when there is none.' })
  utilisationPermille!: number;
}

@ObjectType('FleetOverview', { description: 'The fleet on one page.', ...inAdminSchema })
export class FleetOverview {
  @Field(() => Int, { description: 'AWS accounts, of all states.' })
  awsAccounts!: number;

  @Field(() => Int, { description: 'AWS accounts whose verification failed.' })
  failedAwsAccounts!: number;

  @Field(() => Int, { description: 'Sending accounts, test ones included.' })
  sendingAccounts!: number;

  @Field(() => [TierOverview], { description: 'By tier, live accounts only.' })
  tiers!: TierOverview[];
}
