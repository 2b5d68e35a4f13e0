import type { SendingAccountId, TenantId } from '@libs/kernel';
import { PlacementService } from '@libs/placement';
import { BacklogService } from '@libs/sending';
import { Args, ArgsType, Context, Field, ID, Mutation, Parent, Query, ResolveField, Resolver } from '@nestjs/graphql';
import { RequiresRole } from '../../auth/access.decorator';
import { authorOf } from '../../auth/author';
import { ForwardPageArgs, pageRequest, toConnection, type Connection } from '../../graphql/connection.type';
import { mustLoad } from '../../graphql/loaders';
import { Input } from '../../graphql/input.decorator';
import { Payloads } from '../../graphql/payload';
import { uuidOf } from '../../graphql/public-id';
import type { AdminRequest } from '../admin.loaders';
import { Lane, SendingAccount } from '../sending-account/sending-account.type';
import { toPlacement, toTenantMove } from './placement.mapping';
import {
  MovePreview,
  MoveTenantInput,
  MoveTenantPayload,
  MoveUtilisation,
  Placement,
  PlacementConnection,
  TenantMove,
} from './placement.type';

@ArgsType()
class PlacementFilterArgs {
  @Field(() => ID, { nullable: true, description: 'Of this tenant only (ten_...).' })
  tenantId?: string | null;

  @Field(() => ID, { nullable: true, description: 'On this sending account only (sac_...).' })
  sendingAccountId?: string | null;

  @Field(() => Boolean, { defaultValue: false, description: 'Without history.' })
  current!: boolean;
}

@Resolver(() => Placement)
export class PlacementResolver {
  constructor(
    private readonly placementService: PlacementService,
    private readonly backlog: BacklogService,
    private readonly payloads: Payloads,
  ) {}

  @RequiresRole('viewer')
  @Query(() => PlacementConnection, {
    description: 'Who sends from where, why and since when, history included; oldest first.',
  })
  async placements(@Args() wish: ForwardPageArgs, @Args() filter: PlacementFilterArgs): Promise<Connection<Placement>> {
    const plan = pageRequest(wish, 'oldest-first');
    const page = await this.placementService.list(plan, {
      ...(filter.tenantId ? { tenantId: uuidOf<TenantId>('tenant', filter.tenantId) } : {}),
      ...(filter.sendingAccountId
        ? { sendingAccountId: uuidOf<SendingAccountId>('sendingAccount', filter.sendingAccountId) }
        : {}),
      current: filter.current,
    });
    return toConnection(plan, page, (row) => row.id, toPlacement);
  }

  @RequiresRole('viewer')
  @Query(() => MovePreview, { description: 'What a move would do and what would refuse it. Changes nothing.' })
  async previewMove(
    @Args('tenantId', { type: () => ID, description: 'The tenant (ten_...).' }) tenantId: string,
    @Args('sendingAccountId', { type: () => ID, description: 'Where it would go (sac_...).' }) sendingAccountId: string,
  ): Promise<MovePreview> {
    const move = moveOf({ tenantId, sendingAccountId });
    const preview = await this.placementService.previewMove(move);
    const left = preview.utilisation.filter((use) => use.sendingAccountId !== move.sendingAccountId);
    const waiting = await Promise.all(left.map((use) => this.backlog.count(move.tenantId, use.sendingAccountId)));
    return {
      utilisation: [...preview.utilisation],
      backlog: waiting.reduce((sum, { messages }) => sum + messages, 0n),
      tierFits: preview.tierFits,
      domainsToVerify: [...preview.domainsToVerify],
      problems: this.payloads.toUserErrors(preview.problems, []),
      warnings: [...preview.warnings],
    };
  }

  @RequiresRole('operator')
  @Mutation(() => MoveTenantPayload, {
    description:
      'Moves a tenant to another sending account: the new route first, then the switch, then what waits goes along. Nothing is lost or doubled.',
  })
  moveTenant(@Input() input: MoveTenantInput, @Context() context: AdminRequest): Promise<MoveTenantPayload> {
    const empty: Omit<MoveTenantPayload, 'userErrors'> = { move: null, placements: [] };
    return this.payloads.of(empty, async () => {
      const wanted = moveOf(input);
      const move = toTenantMove(await this.placementService.moveTenant(wanted, authorOf(context)));
      return { move, placements: await context.loaders.placementsOfTenant.load(wanted.tenantId) };
    });
  }

  @ResolveField(() => SendingAccount, { description: 'Where it leaves.' })
  sendingAccount(@Parent() placement: Placement, @Context() { loaders }: AdminRequest): Promise<SendingAccount> {
    return mustLoad(loaders.sendingAccounts, placement.sendingAccountId);
  }

  @ResolveField(() => Lane, { description: 'By which route.' })
  lane(@Parent() placement: Placement, @Context() { loaders }: AdminRequest): Promise<Lane> {
    return mustLoad(loaders.lanes, placement.laneId);
  }
}

@Resolver(() => TenantMove)
export class TenantMoveResolver {
  @ResolveField(() => SendingAccount, { description: 'Where it goes.' })
  sendingAccount(@Parent() move: TenantMove, @Context() { loaders }: AdminRequest): Promise<SendingAccount> {
    return mustLoad(loaders.sendingAccounts, move.sendingAccountId);
  }
}

@Resolver(() => MoveUtilisation)
export class MoveUtilisationResolver {
  @ResolveField(() => SendingAccount, { description: 'The sending account.' })
  sendingAccount(@Parent() use: MoveUtilisation, @Context() { loaders }: AdminRequest): Promise<SendingAccount> {
    return mustLoad(loaders.sendingAccounts, use.sendingAccountId);
  }
}

function moveOf(input: MoveTenantInput): { tenantId: TenantId; sendingAccountId: SendingAccountId } {
  return {
    tenantId: uuidOf('tenant', input.tenantId),
    sendingAccountId: uuidOf('sendingAccount', input.sendingAccountId),
  };
}
