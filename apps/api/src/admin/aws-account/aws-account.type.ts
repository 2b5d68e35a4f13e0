import type { Mode } from '@libs/kernel';
import { Field, ID, InputType, ObjectType, registerEnumType } from '@nestjs/graphql';
import { connectionType } from '../../graphql/connection.type';
import { inAdminSchema } from '../../graphql/endpoint.schema';
import { DateTime } from '../../graphql/scalars';
import { enumOf, ModeEnum, UserError } from '../../graphql/words.type';

export type AwsAccountState = 'VERIFYING' | 'ACTIVE' | 'FAILED';
const AwsAccountStateEnum = enumOf<AwsAccountState>(['VERIFYING', 'ACTIVE', 'FAILED']);
registerEnumType(AwsAccountStateEnum, {
  name: 'AwsAccountState',
  description: 'Whether an AWS account serves the fleet.',
  valuesMap: {
    VERIFYING: { description: 'The worker checks roles, quota and topic.' },
    ACTIVE: { description: 'Every check passed.' },
    FAILED: { description: '`failedStep`, `failure` and `fix` say what is wrong.' },
  },
  ...inAdminSchema,
});

@ObjectType('RoleTemplates', { description: 'Both roles of an account, ready to apply in it.', ...inAdminSchema })
export class RoleTemplates {
  @Field(() => String, { description: 'A CloudFormation template.' })
  cloudFormation!: string;

  @Field(() => String, { description: 'The same for Terraform.' })
  terraform!: string;
}

@ObjectType('AwsAccount', {
  description: 'A 12-digit AWS account joined through roles and an external id.',
  ...inAdminSchema,
})
export class AwsAccount {
  uuid!: string;

  @Field(() => ID, { description: 'Public id (acc_...).' })
  id!: string;

  @Field(() => String, { description: 'The 12 digits.' })
  accountId!: string;

  @Field(() => String, { description: 'What you called it.' })
  name!: string;

  @Field(() => String, { description: 'Its tier.' })
  tier!: string;

  @Field(() => ModeEnum, { description: 'LIVE accounts send real mail; TEST accounts are the simulator.' })
  mode!: Mode;

  @Field(() => [String], { description: 'Regions that serve the fleet.' })
  regions!: string[];

  @Field(() => String, { description: 'External id that the trust policies of both roles must name.' })
  externalId!: string;

  @Field(() => String, { description: 'Role that sends.' })
  sendRoleArn!: string;

  @Field(() => String, { description: 'Role that manages identities, sets and topics.' })
  manageRoleArn!: string;

  @Field(() => AwsAccountStateEnum, { description: 'Whether it serves the fleet.' })
  state!: AwsAccountState;

  @Field(() => String, { nullable: true, description: 'The check that failed. Null unless FAILED.' })
  failedStep!: string | null;

  @Field(() => String, { nullable: true, description: 'What happened there. Null unless FAILED.' })
  failure!: string | null;

  @Field(() => String, { nullable: true, description: 'What to do about it. Null unless FAILED.' })
  fix!: string | null;

  @Field(() => DateTime, { description: 'When it was registered.' })
  createdAt!: Date;

  @Field(() => DateTime, { nullable: true, description: 'When every check passed last. Null before that.' })
  verifiedAt!: Date | null;

  @Field(() => RoleTemplates, { description: 'What to apply in the account before or after registering it.' })
  roleTemplates?: RoleTemplates;
}

export const AwsAccountConnection = connectionType<AwsAccount>(() => AwsAccount, 'AwsAccount', inAdminSchema);

@InputType('RegisterAwsAccountInput', { description: 'An AWS account to join.', ...inAdminSchema })
export class RegisterAwsAccountInput {
  @Field(() => String, { description: 'Its 12 digits.' })
  accountId!: string;

  @Field(() => String, { description: '1 to 120 characters.' })
  name!: string;

  @Field(() => String, { description: 'Code of a tier that exists.' })
  tier!: string;

  @Field(() => [String], { description: 'At least one region that has SES.' })
  regions!: string[];

  @Field(() => String, { nullable: true, description: 'Default: arn:aws:iam::<accountId>:role/postfleet/fleet-send' })
  sendRoleArn?: string | null;

  @Field(() => String, { nullable: true, description: 'Default: arn:aws:iam::<accountId>:role/postfleet/fleet-manage' })
  manageRoleArn?: string | null;

  @Field(() => ModeEnum, {
    defaultValue: 'LIVE',
    description: 'TEST for an account of the simulator that serves test-mode messages.',
  })
  mode!: Mode;
}

@ObjectType('RegisterAwsAccountPayload', {
  description: 'The account, checked by the worker from now on.',
  ...inAdminSchema,
})
export class RegisterAwsAccountPayload {
  @Field(() => AwsAccount, { nullable: true, description: 'In state VERIFYING. Null when it was refused.' })
  awsAccount!: AwsAccount | null;

  @Field(() => [UserError], { description: 'What is wrong with the input.' })
  userErrors!: UserError[];
}

@InputType('RetryAwsAccountVerificationInput', { description: 'An account to check again.', ...inAdminSchema })
export class RetryAwsAccountVerificationInput {
  @Field(() => ID, { description: 'Its public id (acc_...).' })
  id!: string;
}

@ObjectType('RetryAwsAccountVerificationPayload', {
  description: 'The account, checked again from now on.',
  ...inAdminSchema,
})
export class RetryAwsAccountVerificationPayload {
  @Field(() => AwsAccount, { nullable: true, description: 'In state VERIFYING. Null when it was refused.' })
  awsAccount!: AwsAccount | null;

  @Field(() => [UserError], { description: 'What is wrong with the input.' })
  userErrors!: UserError[];
}
