import { SuppressionService } from '@libs/deliverability';
import { fromPublicId, publicKindOf, type ApiKeyId } from '@libs/kernel';
import { ApiKeyService, TenantService } from '@libs/tenancy';
import { Args, Context, ID, Query, Resolver } from '@nestjs/graphql';
import { RequiresScope } from '../../auth/access.decorator';
import { toApiKey } from '../api-key/api-key.mapping';
import type { CustomerRequest } from '../customer.loaders';
import { toSuppression } from '../suppression/suppression.mapping';
import { toTenant } from '../viewer/viewer.mapping';
import { NodeType } from './node.type';

@Resolver()
export class NodeResolver {
  constructor(
    private readonly keys: ApiKeyService,
    private readonly suppressionService: SuppressionService,
    private readonly tenants: TenantService,
  ) {}

  @RequiresScope('read')
  @Query(() => NodeType, {
    nullable: true,
    description: 'Anything of yours by its id. Null when there is nothing of this id.',
  })
  async node(
    @Args('id', { type: () => ID, description: 'A public id: msg_, evt_, sup_, key_, inv_ or ten_.' }) id: string,
    @Context() { principal, loaders }: CustomerRequest,
  ): Promise<NodeType | null> {
    const kind = publicKindOf(id);
    const uuid = kind && fromPublicId(kind, id);
    if (uuid === undefined) return null;
    const { tenantId } = principal;
    switch (kind) {
      case 'message':
        return loaders.messages.load(uuid);
      case 'event':
        return loaders.events.load(uuid);
      case 'suppression': {
        const [found] = await this.suppressionService.findByIds(tenantId, [uuid]);
        return found ? toSuppression(found) : null;
      }
      case 'apiKey': {
        const found = (await this.keys.list(tenantId)).find((key) => key.id === (uuid as ApiKeyId));
        return found ? toApiKey(found) : null;
      }
      case 'invoice':
        return principal.scopes.includes('billing:read') ? loaders.invoices.load(uuid) : null;
      case 'tenant':
        return uuid === tenantId ? toTenant(await this.tenants.get(tenantId)) : null;
      default:
        return null;
    }
  }
}
