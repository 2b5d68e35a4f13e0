import type { Mode, Stream } from '@libs/kernel';
import { Field, ID, Int, ObjectType, registerEnumType } from '@nestjs/graphql';
import { connectionType } from '../../graphql/connection.type';
import { inAdminSchema } from '../../graphql/endpoint.schema';
import { BigIntScalar, DateTime, Decimal } from '../../graphql/scalars';
import { enumOf, ModeEnum, StreamEnum } from '../../graphql/words.type';
import { AwsAccount } from '../aws-account/aws-account.type';

export const SENDING_ACCOUNT_STATES = ['SANDBOX', 'PRODUCTION', 'UNDER_REVIEW', 'PAUSED', 'SUSPENDED'] as const;
export type SendingAccountState = (typeof SENDING_ACCOUNT_STATES)[number];
const SendingAccountStateEnum = enumOf(SENDING_ACCOUNT_STATES);
registerEnumType(SendingAccountStateEnum, {
  name: 'SendingAccountState',
  description: 'What AWS lets a sending account do, as observed from GetAccount and from its answers.',
  ...inAdminSchema,
});

export type LaneKind = 'SHARED' | 'POOL';
const LaneKindEnum = enumOf<LaneKind>(['SHARED', 'POOL']);
registerEnumType(LaneKindEnum, {
  name: 'LaneKind',
  description: "SES's shared IPs, or one dedicated IP pool.",
  ...inAdminSchema,
});

@ObjectType('DedicatedIp', { description: 'A leased IP.', ...inAdminSchema })
export class DedicatedIp {
  @Field(() => String, { description: 'The address.' })
  ip!: string;

  @Field(() => String, { description: "SES's own word: IN_PROGRESS, DONE, NOT_APPLICABLE." })
  warmupStatus!: string;

  @Field(() => Int, { description: '0 to 100.' })
  warmupPercentage!: number;
}

@ObjectType('Lane', { description: "A sending account's route out.", ...inAdminSchema })
export class Lane {
  @Field(() => ID, { description: 'Public id (lane_...).' })
  id!: string;

  @Field(() => LaneKindEnum, { description: 'Shared IPs or a dedicated pool.' })
  kind!: LaneKind;

  @Field(() => String, { description: 'Name of the pool in SES.' })
  poolName!: string;

  @Field(() => StreamEnum, { nullable: true, description: 'The stream it is for. Null: both.' })
  stream!: Stream | null;

  @Field(() => ID, { nullable: true, description: 'The tenant that has it alone. Null: shared by tenants.' })
  ownerTenantId!: string | null;

  @Field(() => [DedicatedIp], { description: 'Its IPs; none for shared lanes.' })
  ips!: DedicatedIp[];
}

@ObjectType('SendingAccount', {
  description: 'One AWS account in one region: what AWS gives a quota, a rate and a state to.',
  ...inAdminSchema,
})
export class SendingAccount {
  uuid!: string;
  awsAccountId!: string;

  @Field(() => ID, { description: 'Public id (sac_...).' })
  id!: string;

  @Field(() => AwsAccount, { description: 'The AWS account.' })
  awsAccount?: AwsAccount;

  @Field(() => String, { description: 'The 12 digits of the AWS account.' })
  accountId!: string;

  @Field(() => String, { description: 'Its region.' })
  region!: string;

  @Field(() => String, { description: 'Its tier.' })
  tier!: string;

  @Field(() => ModeEnum, { description: 'Live, or the simulator of test mode.' })
  mode!: Mode;

  @Field(() => SendingAccountStateEnum, { description: 'What AWS lets it do.' })
  state!: SendingAccountState;

  @Field(() => BigIntScalar, { description: 'Recipients per rolling 24 hours that AWS allows; -1 is unlimited.' })
  quota!: bigint;

  @Field(() => BigIntScalar, {
    description: 'Recipients of the last 24 hours, the larger of what AWS last said and what was granted here.',
  })
  used!: bigint;

  @Field(() => Decimal, { description: 'Recipients per second that AWS allows.' })
  rate!: string;

  @Field(() => String, { description: 'SES pricing plan: NONE (pay as you go), ESSENTIALS, PRO, ENTERPRISE.' })
  pricingPlan!: string;

  @Field(() => DateTime, {
    nullable: true,
    description: 'When quota and state were last observed. Null before the first time.',
  })
  observedAt!: Date | null;

  @Field(() => [Lane], { description: 'Its routes out.' })
  lanes?: Lane[];
}

export const SendingAccountConnection = connectionType<SendingAccount>(
  () => SendingAccount,
  'SendingAccount',
  inAdminSchema,
);
