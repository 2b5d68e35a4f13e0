import { toPublicId } from '@libs/kernel';
import type { ApiKey as ApiKeyRow } from '@libs/tenancy';
import { ApiKey } from './api-key.type';

export function toApiKey(row: ApiKeyRow): ApiKey {
  return Object.assign(new ApiKey(), {
    id: toPublicId('apiKey', row.id),
    name: row.name,
    prefix: row.prefix,
    scopes: [...row.scopes],
    lastUsedAt: row.lastUsedAt,
  });
}
