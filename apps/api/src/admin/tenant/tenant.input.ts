import type { Mode } from '@libs/kernel';
import { Field, ID, InputType } from '@nestjs/graphql';
import { inAdminSchema } from '../../graphql/endpoint.schema';
import { DateTime } from '../../graphql/scalars';
import { ModeEnum } from '../../graphql/words.type';

@InputType('CreateTenantInput', { description: 'A new customer.', ...inAdminSchema })
export class CreateTenantInput {
  @Field(() => String, { description: '1 to 120 characters.' })
  name!: string;

  @Field(() => ID, { description: 'A plan that exists.' })
  planId!: string;

  @Field(() => [String], {
    description: 'Domains it sends from, at most 50; the operator vouches that they are its own.',
  })
  domains!: string[];
}

@InputType('ChangeTenantPlanInput', { description: 'Another plan for a tenant.', ...inAdminSchema })
export class ChangeTenantPlanInput {
  @Field(() => ID, { description: 'The tenant.' })
  tenantId!: string;

  @Field(() => ID, { description: 'A plan that exists. Another tier moves the tenant to accounts of that tier.' })
  planId!: string;
}

@InputType('PauseTenantInput', { description: 'A tenant to stop.', ...inAdminSchema })
export class PauseTenantInput {
  @Field(() => ID, { description: 'The tenant.' })
  tenantId!: string;

  @Field(() => String, { description: 'Why; the tenant sees it. 1 to 500 characters.' })
  reason!: string;
}

@InputType('ResumeTenantInput', { description: 'A tenant to let go on.', ...inAdminSchema })
export class ResumeTenantInput {
  @Field(() => ID, { description: 'The tenant.' })
  tenantId!: string;
}

@InputType('CreateTenantApiKeyInput', {
  description: 'A key for a tenant, its first one for example.',
  ...inAdminSchema,
})
export class CreateTenantApiKeyInput {
  @Field(() => ID, { description: 'The tenant.' })
  tenantId!: string;

  @Field(() => String, { description: '1 to 120 characters.' })
  name!: string;

  @Field(() => ModeEnum, { description: 'TEST for development, LIVE for real mail.' })
  mode!: Mode;

  @Field(() => [String], {
    description: 'At least one of: send, read, domains, webhooks, billing:read, billing:write, keys.',
  })
  scopes!: string[];

  @Field(() => DateTime, { nullable: true, description: 'When it stops working. Null: never.' })
  expiresAt?: Date | null;
}
