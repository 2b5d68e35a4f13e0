import { LimitsService } from '@libs/sending';
import { TenantService } from '@libs/tenancy';
import { Context, Query, ResolveField, Resolver } from '@nestjs/graphql';
import { RequiresScope } from '../../auth/access.decorator';
import type { CustomerRequest } from '../customer.loaders';
import { toTenant } from './viewer.mapping';
import { SendingLimits, Viewer } from './viewer.type';

@Resolver(() => Viewer)
export class ViewerResolver {
  constructor(
    private readonly tenants: TenantService,
    private readonly limits: LimitsService,
  ) {}

  @RequiresScope('any')
  @Query(() => Viewer, { description: 'Who asks, and what may be sent.' })
  async viewer(@Context() { principal }: CustomerRequest): Promise<Viewer> {
    const { tenantId, mode, scopes } = principal;
    return { tenant: toTenant(await this.tenants.get(tenantId)), mode, scopes: [...scopes] };
  }

  @ResolveField(() => SendingLimits, { description: 'Limits of this tenant in this mode, and their use.' })
  sendingLimits(@Context() { principal }: CustomerRequest): Promise<SendingLimits> {
    return this.limits.sendingLimits(principal.tenantId, principal.mode);
  }
}
