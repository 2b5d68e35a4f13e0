import { Field, ID, ObjectType } from '@nestjs/graphql';
import { inAdminSchema } from '../../graphql/endpoint.schema';
import { UserError } from '../../graphql/words.type';
import { ManagedTenant } from './tenant.type';

@ObjectType('CreateTenantPayload', { description: 'The new tenant, placed on the fleet.', ...inAdminSchema })
export class CreateTenantPayload {
  @Field(() => ManagedTenant, { nullable: true, description: 'Null when it was refused.' })
  tenant!: ManagedTenant | null;

  @Field(() => [UserError], { description: 'What is wrong with the input. Nothing was made then.' })
  userErrors!: UserError[];
}

@ObjectType('ChangeTenantPlanPayload', { description: 'The tenant on its new plan.', ...inAdminSchema })
export class ChangeTenantPlanPayload {
  @Field(() => ManagedTenant, { nullable: true, description: 'Null when it was refused.' })
  tenant!: ManagedTenant | null;

  @Field(() => [UserError], { description: 'What is wrong with the input. Nothing was changed then.' })
  userErrors!: UserError[];
}

@ObjectType('PauseTenantPayload', { description: 'The tenant, stopped.', ...inAdminSchema })
export class PauseTenantPayload {
  @Field(() => ManagedTenant, { nullable: true, description: 'Null when it was refused.' })
  tenant!: ManagedTenant | null;

  @Field(() => [UserError], { description: 'What is wrong with the input.' })
  userErrors!: UserError[];
}

@ObjectType('ResumeTenantPayload', { description: 'The tenant, sending again.', ...inAdminSchema })
export class ResumeTenantPayload {
  @Field(() => ManagedTenant, { nullable: true, description: 'Null when it was refused.' })
  tenant!: ManagedTenant | null;

  @Field(() => [UserError], { description: 'What is wrong with the input.' })
  userErrors!: UserError[];
}

@ObjectType('CreateTenantApiKeyPayload', { description: "A tenant's new key.", ...inAdminSchema })
export class CreateTenantApiKeyPayload {
  @Field(() => ID, { nullable: true, description: 'Public id of the key (key_...). Null when it was refused.' })
  id!: string | null;

  @Field(() => String, { nullable: true, description: 'The key itself, shown this once. Null when it was refused.' })
  key!: string | null;

  @Field(() => [UserError], { description: 'What is wrong with the input.' })
  userErrors!: UserError[];
}
