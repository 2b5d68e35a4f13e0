import type { Mode, Stream } from '@libs/kernel';
import { Field, ID, InputType, Int, ObjectType, registerEnumType } from '@nestjs/graphql';
import { connectionType } from '../../graphql/connection.type';
import { inAdminSchema } from '../../graphql/endpoint.schema';
import { BigIntScalar, DateTime } from '../../graphql/scalars';
import { enumOf, ModeEnum, StreamEnum, UserError } from '../../graphql/words.type';
import { Lane, SendingAccount } from '../sending-account/sending-account.type';

@ObjectType('Placement', {
  description: "A tenant's share of a sending account's lane, with why and since when.",
  ...inAdminSchema,
})
export class Placement {
  sendingAccountId!: string;
  laneId!: string;

  @Field(() => ID, { description: 'Public id (plc_...).' })
  id!: string;

  @Field(() => ID, { description: 'The tenant.' })
  tenantId!: string;

  @Field(() => ModeEnum, { description: 'Live or test mail.' })
  mode!: Mode;

  @Field(() => StreamEnum, { description: 'The stream it carries.' })
  stream!: Stream;

  @Field(() => SendingAccount, { description: 'Where it leaves.' })
  sendingAccount?: SendingAccount;

  @Field(() => Lane, { description: 'By which route.' })
  lane?: Lane;

  @Field(() => Int, { description: 'Share in per mille of the tenant.' })
  weight!: number;

  @Field(() => String, { description: 'Why this one.' })
  reason!: string;

  @Field(() => String, { description: 'Who decided it.' })
  decidedBy!: string;

  @Field(() => DateTime, { description: 'Since when.' })
  validFrom!: Date;

  @Field(() => DateTime, { nullable: true, description: 'Until when. Null: it is the current one.' })
  validTo!: Date | null;
}

export const PlacementConnection = connectionType<Placement>(() => Placement, 'Placement', inAdminSchema);

@ObjectType('MoveUtilisation', { description: 'Use of a sending account before and after a move.', ...inAdminSchema })
export class MoveUtilisation {
  sendingAccountId!: string;

  @Field(() => SendingAccount, { description: 'The sending account.' })
  sendingAccount?: SendingAccount;

  @Field(() => Int, { description: 'Per mille of its 24-hour quota now.' })
  beforePermille!: number;

  @Field(() => Int, { description: 'Per mille of its 24-hour quota after the move.' })
  afterPermille!: number;
}

@ObjectType('MovePreview', { description: 'What a move would do; nothing is changed.', ...inAdminSchema })
export class MovePreview {
  @Field(() => [MoveUtilisation], { description: 'The accounts it leaves and the one it goes to.' })
  utilisation!: MoveUtilisation[];

  @Field(() => BigIntScalar, { description: 'Messages waiting that would go along.' })
  backlog!: bigint;

  @Field(() => Boolean, { description: "Whether the account's tier is the plan's." })
  tierFits!: boolean;

  @Field(() => [String], { description: 'Domains that must be verified on the new account first.' })
  domainsToVerify!: string[];

  @Field(() => [UserError], { description: 'What would refuse the move. Empty when it can be made.' })
  problems!: UserError[];

  @Field(() => [String], { description: 'What to know before; nothing of it refuses the move.' })
  warnings!: string[];
}

@InputType('MoveTenantInput', { description: 'A tenant and where it shall send from.', ...inAdminSchema })
export class MoveTenantInput {
  @Field(() => ID, { description: 'The tenant.' })
  tenantId!: string;

  @Field(() => ID, { description: 'A sending account of the tier of its plan.' })
  sendingAccountId!: string;
}

export type TenantMoveState = 'PENDING' | 'DONE' | 'FAILED';
const TenantMoveStateEnum = enumOf<TenantMoveState>(['PENDING', 'DONE', 'FAILED']);
registerEnumType(TenantMoveStateEnum, {
  name: 'TenantMoveState',
  description: 'How far a move has come.',
  valuesMap: {
    PENDING: {
      description: 'The new route is made and its domains are verified; the tenant still sends from where it was.',
    },
    DONE: { description: 'Switched; what waits goes along.' },
    FAILED: { description: '`detail` says why. The tenant stays where it was.' },
  },
  ...inAdminSchema,
});

@ObjectType('TenantMove', { description: 'A decided move of a tenant.', ...inAdminSchema })
export class TenantMove {
  sendingAccountId!: string;

  @Field(() => ID, { description: 'Public id (mov_...).' })
  id!: string;

  @Field(() => ID, { description: 'The tenant.' })
  tenantId!: string;

  @Field(() => ModeEnum, { description: 'Live or test mail.' })
  mode!: Mode;

  @Field(() => SendingAccount, { description: 'Where it goes.' })
  sendingAccount?: SendingAccount;

  @Field(() => String, { description: 'Why.' })
  reason!: string;

  @Field(() => String, { description: 'Who decided it.' })
  decidedBy!: string;

  @Field(() => TenantMoveStateEnum, { description: 'How far it has come.' })
  state!: TenantMoveState;

  @Field(() => String, {
    nullable: true,
    description: 'Why it failed; while PENDING, what it waits for. Null when there is nothing to say.',
  })
  detail!: string | null;

  @Field(() => DateTime, { description: 'When it was decided.' })
  createdAt!: Date;

  @Field(() => DateTime, { nullable: true, description: 'When it was done or failed. Null while PENDING.' })
  endedAt!: Date | null;
}

@ObjectType('MoveTenantPayload', { description: 'The move that was started.', ...inAdminSchema })
export class MoveTenantPayload {
  @Field(() => TenantMove, {
    nullable: true,
    description: 'The move; `tenant(id) { moves }` follows it. Null when it was refused.',
  })
  move!: TenantMove | null;

  @Field(() => [Placement], {
    description: 'Placements as they are now: the switch happens once the new route is ready.',
  })
  placements!: Placement[];

  @Field(() => [UserError], { description: 'What is wrong with the input. Nothing was changed then.' })
  userErrors!: UserError[];
}
