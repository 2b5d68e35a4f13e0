import { UnitOfWork } from '@libs/database';
import { DomainService } from '@libs/fleet';
import { toPublicId, type PlanId, type TenantId } from '@libs/kernel';
import { PlacementService } from '@libs/placement';
import { ApiKeyService, TenantService } from '@libs/tenancy';
import { Args, Context, ID, Mutation, Parent, Query, ResolveField, Resolver } from '@nestjs/graphql';
import { RequiresRole } from '../../auth/access.decorator';
import { authorOf } from '../../auth/author';
import { ForwardPageArgs, pageRequest, toConnection, type Connection } from '../../graphql/connection.type';
import { mustLoad } from '../../graphql/loaders';
import { Input } from '../../graphql/input.decorator';
import { invalidField, Payloads } from '../../graphql/payload';
import { uuidOf } from '../../graphql/public-id';
import type { AdminRequest } from '../admin.loaders';
import { toTenantMove } from '../placement/placement.mapping';
import { Placement, TenantMove } from '../placement/placement.type';
import { Plan } from '../plan/plan.type';
import {
  ChangeTenantPlanInput,
  CreateTenantApiKeyInput,
  CreateTenantInput,
  PauseTenantInput,
  ResumeTenantInput,
} from './tenant.input';
import { toTenant } from './tenant.mapping';
import {
  ChangeTenantPlanPayload,
  CreateTenantApiKeyPayload,
  CreateTenantPayload,
  PauseTenantPayload,
  ResumeTenantPayload,
} from './tenant.payload';
import { Domain, ManagedTenant, TenantConnection } from './tenant.type';

const MAX_DOMAINS = 50;

@Resolver(() => ManagedTenant)
export class TenantResolver {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly tenantService: TenantService,
    private readonly domainService: DomainService,
    private readonly placementService: PlacementService,
    private readonly keys: ApiKeyService,
    private readonly payloads: Payloads,
  ) {}

  @RequiresRole('viewer')
  @Query(() => TenantConnection, { description: 'Every tenant, oldest first.' })
  async tenants(@Args() wish: ForwardPageArgs): Promise<Connection<ManagedTenant>> {
    const plan = pageRequest(wish, 'oldest-first');
    return toConnection(plan, await this.tenantService.list(plan), (row) => row.id, toTenant);
  }

  @RequiresRole('viewer')
  @Query(() => ManagedTenant, { nullable: true, description: 'One tenant. Null when there is none of this id.' })
  tenant(
    @Args('id', { type: () => ID, description: 'Public id (ten_...).' }) id: string,
    @Context() { loaders }: AdminRequest,
  ): Promise<ManagedTenant | null> {
    return loaders.tenants.load(uuidOf('tenant', id));
  }

  @RequiresRole('operator')
  @Mutation(() => CreateTenantPayload, {
    description:
      'Makes a tenant, takes its domains and places it on the fleet, all or nothing. Its domains are ready once SES has verified them.',
  })
  createTenant(@Input() input: CreateTenantInput, @Context() context: AdminRequest): Promise<CreateTenantPayload> {
    return this.payloads.of<Omit<CreateTenantPayload, 'userErrors'>>({ tenant: null }, async () => {
      if (input.domains.length > MAX_DOMAINS) throw invalidField('domains', `At most ${MAX_DOMAINS} domains.`);
      const by = authorOf(context);
      const planId = uuidOf<PlanId>('plan', input.planId);
      const tenant = await this.uow.forSystem(async () => {
        const made = await this.tenantService.create({ name: input.name, planId }, by);
        await this.domainService.add(made.id, input.domains, by);
        await this.placementService.placeTenant(made.id, by);
        return made;
      });
      return { tenant: toTenant(tenant) };
    });
  }

  @RequiresRole('operator')
  @Mutation(() => ChangeTenantPlanPayload, {
    description:
      'Puts a tenant on another plan; when the tier differs, moves it to accounts of that tier, its waiting mail along with it.',
  })
  changeTenantPlan(
    @Input() input: ChangeTenantPlanInput,
    @Context() context: AdminRequest,
  ): Promise<ChangeTenantPlanPayload> {
    return this.payloads.of<Omit<ChangeTenantPlanPayload, 'userErrors'>>({ tenant: null }, async () => {
      const by = authorOf(context);
      const tenantId = uuidOf<TenantId>('tenant', input.tenantId);
      const tenant = await this.uow.forSystem(async () => {
        const changed = await this.tenantService.setPlan(tenantId, uuidOf<PlanId>('plan', input.planId), by);
        await this.placementService.replaceForPlan(tenantId, by);
        return changed;
      });
      return { tenant: toTenant(tenant) };
    });
  }

  @RequiresRole('operator')
  @Mutation(() => PauseTenantPayload, {
    description: 'Stops a tenant. What waits keeps waiting; nothing new is accepted.',
  })
  pauseTenant(@Input() input: PauseTenantInput, @Context() context: AdminRequest): Promise<PauseTenantPayload> {
    return this.payloads.of<Omit<PauseTenantPayload, 'userErrors'>>({ tenant: null }, async () => {
      const id = uuidOf<TenantId>('tenant', input.tenantId);
      return { tenant: toTenant(await this.tenantService.pause(id, input.reason, authorOf(context))) };
    });
  }

  @RequiresRole('operator')
  @Mutation(() => ResumeTenantPayload, { description: 'Lets a tenant go on.' })
  resumeTenant(@Input() input: ResumeTenantInput, @Context() context: AdminRequest): Promise<ResumeTenantPayload> {
    return this.payloads.of<Omit<ResumeTenantPayload, 'userErrors'>>({ tenant: null }, async () => {
      const id = uuidOf<TenantId>('tenant', input.tenantId);
      return { tenant: toTenant(await this.tenantService.resume(id, authorOf(context))) };
    });
  }

  @RequiresRole('operator')
  @Mutation(() => CreateTenantApiKeyPayload, { description: 'Makes a key for a tenant. It is shown once.' })
  createTenantApiKey(
    @Input() input: CreateTenantApiKeyInput,
    @Context() context: AdminRequest,
  ): Promise<CreateTenantApiKeyPayload> {
    return this.payloads.of<Omit<CreateTenantApiKeyPayload, 'userErrors'>>({ id: null, key: null }, async () => {
      const { tenantId, ...wanted } = input;
      const { apiKey, key } = await this.keys.create(
        uuidOf<TenantId>('tenant', tenantId),
        { ...wanted, expiresAt: wanted.expiresAt ?? null },
        authorOf(context),
      );
      return { id: toPublicId('apiKey', apiKey.id), key };
    });
  }

  @ResolveField(() => Plan, { description: 'What it bought.' })
  plan(@Parent() tenant: ManagedTenant, @Context() { loaders }: AdminRequest): Promise<Plan> {
    return mustLoad(loaders.plans, tenant.planId);
  }

  @ResolveField(() => [Domain], { description: 'Domains it sends from.' })
  domains(@Parent() tenant: ManagedTenant, @Context() { loaders }: AdminRequest): Promise<Domain[]> {
    return loaders.domainsOfTenant.load(tenant.uuid);
  }

  @ResolveField(() => [Placement], { description: 'Where its mail leaves now.' })
  placements(@Parent() tenant: ManagedTenant, @Context() { loaders }: AdminRequest): Promise<Placement[]> {
    return loaders.placementsOfTenant.load(tenant.uuid);
  }

  @ResolveField(() => [TenantMove], { description: 'Its last 20 moves, the latest first.' })
  async moves(@Parent() tenant: ManagedTenant): Promise<TenantMove[]> {
    return (await this.placementService.movesOf(tenant.uuid as TenantId)).map(toTenantMove);
  }
}
