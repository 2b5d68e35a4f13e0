import { Field, InputType, ObjectType, registerEnumType } from '@nestjs/graphql';
import { FEE_SHARES, IDLE_SHARES } from '@libs/billing';
import { inAdminSchema } from '../../graphql/endpoint.schema';
import { enumOf, UserError } from '../../graphql/words.type';

export type FeeShare = (typeof FEE_SHARES)[number];
const FeeShareEnum = enumOf<FeeShare>(FEE_SHARES);
registerEnumType(FeeShareEnum, {
  name: 'FeeShare',
  description: 'Who bears the fees of an account: its pricing plan’s, for example.',
  valuesMap: {
    EVEN: { description: 'The tenants that used the account, all alike.' },
    BY_VOLUME: { description: 'The tenants that used the account, by recipients.' },
    PLATFORM: { description: 'We do.' },
  },
});

export type IdleShare = (typeof IDLE_SHARES)[number];
const IdleShareEnum = enumOf<IdleShare>(IDLE_SHARES);
registerEnumType(IdleShareEnum, {
  name: 'IdleShare',
  description: 'Who bears what nobody used.',
  valuesMap: {
    PLATFORM: { description: 'We do; it is shown as idle.' },
    TENANTS: { description: 'The tenants that used the account, by recipients.' },
  },
});

@ObjectType('CostPolicy', {
  description: 'What is a matter of agreement in dividing cost, and not of fact.',
  ...inAdminSchema,
})
export class CostPolicy {
  @Field(() => String, { description: 'The month in UTC, YYYY-MM.' })
  period!: string;

  @Field(() => FeeShareEnum, { description: 'Who bears fees.' })
  fees!: FeeShare;

  @Field(() => IdleShareEnum, { description: 'Who bears what nobody used.' })
  idle!: IdleShare;
}

@InputType('SetCostPolicyInput', { description: 'How cost is divided from a month on.', ...inAdminSchema })
export class SetCostPolicyInput {
  @Field(() => String, {
    description: 'From this month on, YYYY-MM, until another policy is set for a later one. It must not be final.',
  })
  period!: string;

  @Field(() => FeeShareEnum, { description: 'Who bears fees.' })
  fees!: FeeShare;

  @Field(() => IdleShareEnum, { description: 'Who bears what nobody used.' })
  idle!: IdleShare;
}

@ObjectType('SetCostPolicyPayload', { description: 'What holds now.', ...inAdminSchema })
export class SetCostPolicyPayload {
  @Field(() => CostPolicy, { nullable: true, description: 'Null when it was refused.' })
  costPolicy!: CostPolicy | null;

  @Field(() => [UserError], { description: 'Why it cannot be set.' })
  userErrors!: UserError[];
}
