import { Field, ID, ObjectType, registerEnumType } from '@nestjs/graphql';
import { connectionType } from '../../graphql/connection.type';
import { inAdminSchema } from '../../graphql/endpoint.schema';
import { DateTime } from '../../graphql/scalars';
import { enumOf } from '../../graphql/words.type';
import { Placement, TenantMove } from '../placement/placement.type';
import { Plan } from '../plan/plan.type';

export type TenantState = 'ACTIVE' | 'PAUSED';
const TenantStateEnum = enumOf<TenantState>(['ACTIVE', 'PAUSED']);
registerEnumType(TenantStateEnum, { name: 'TenantState', description: 'Whether a tenant may send.', ...inAdminSchema });

export type DomainState = 'PENDING' | 'READY';
const DomainStateEnum = enumOf<DomainState>(['PENDING', 'READY']);
registerEnumType(DomainStateEnum, {
  name: 'DomainState',
  description: 'READY once SES verified it on every account the tenant is placed on.',
  ...inAdminSchema,
});

@ObjectType('Domain', { description: 'A domain a tenant sends from; the operator vouches for it.', ...inAdminSchema })
export class Domain {
  @Field(() => ID, { description: 'Public id (dom_...).' })
  id!: string;

  @Field(() => String, { description: 'Its name.' })
  name!: string;

  @Field(() => DomainStateEnum, { description: 'Whether mail may leave from it.' })
  state!: DomainState;

  @Field(() => DateTime, { nullable: true, description: 'When SES was last asked. Null before the first time.' })
  checkedAt!: Date | null;
}

@ObjectType('Tenant', { description: 'A customer: the unit of isolation, fairness and billing.', ...inAdminSchema })
export class ManagedTenant {
  uuid!: string;
  planId!: string;

  @Field(() => ID, { description: 'Public id (ten_...).' })
  id!: string;

  @Field(() => String, { description: 'Its name.' })
  name!: string;

  @Field(() => TenantStateEnum, { description: 'Whether it may send.' })
  state!: TenantState;

  @Field(() => String, { nullable: true, description: 'Why it is paused. Null while it is not.' })
  pausedReason!: string | null;

  @Field(() => DateTime, { description: 'When it was made.' })
  createdAt!: Date;

  @Field(() => Plan, { description: 'What it bought.' })
  plan?: Plan;

  @Field(() => [Domain], { description: 'Domains it sends from.' })
  domains?: Domain[];

  @Field(() => [Placement], { description: 'Where its mail leaves now.' })
  placements?: Placement[];

  @Field(() => [TenantMove], { description: 'Its last 20 moves, the latest first.' })
  moves?: TenantMove[];
}

export const TenantConnection = connectionType<ManagedTenant>(() => ManagedTenant, 'Tenant', inAdminSchema);
