import type { ApiKeyId } from '@libs/kernel';
import { ApiKeyService } from '@libs/tenancy';
import { Context, Mutation, Resolver } from '@nestjs/graphql';
import { RequiresScope } from '../../auth/access.decorator';
import { authorOf } from '../../auth/author';
import { Input } from '../../graphql/input.decorator';
import { Payloads } from '../../graphql/payload';
import { uuidOf } from '../../graphql/public-id';
import type { CustomerRequest } from '../customer.loaders';
import { toApiKey } from './api-key.mapping';
import { ApiKey, CreateApiKeyInput, CreateApiKeyPayload, RevokeApiKeyInput, RevokeApiKeyPayload } from './api-key.type';

@Resolver(() => ApiKey)
export class ApiKeyResolver {
  constructor(
    private readonly keys: ApiKeyService,
    private readonly payloads: Payloads,
  ) {}

  @RequiresScope('keys')
  @Mutation(() => CreateApiKeyPayload, { description: 'The key is shown once.' })
  createApiKey(@Input() input: CreateApiKeyInput, @Context() context: CustomerRequest): Promise<CreateApiKeyPayload> {
    const { principal } = context;
    return this.payloads.of<Omit<CreateApiKeyPayload, 'userErrors'>>({ apiKey: null, key: null }, async () => {
      const wanted = { ...input, expiresAt: input.expiresAt ?? null, grantor: principal };
      const { apiKey, key } = await this.keys.create(principal.tenantId, wanted, authorOf(context));
      return { apiKey: toApiKey(apiKey), key };
    });
  }

  @RequiresScope('keys')
  @Mutation(() => RevokeApiKeyPayload, { description: 'Ends a key of yours, everywhere within 1 s.' })
  revokeApiKey(@Input() input: RevokeApiKeyInput, @Context() context: CustomerRequest): Promise<RevokeApiKeyPayload> {
    return this.payloads.of<Omit<RevokeApiKeyPayload, 'userErrors'>>({ apiKey: null }, async () => {
      const { principal } = context;
      const id = uuidOf<ApiKeyId>('apiKey', input.id);
      return { apiKey: toApiKey(await this.keys.revoke(principal.tenantId, id, authorOf(context), principal)) };
    });
  }
}
