import { UnitOfWork } from '@libs/database';
import type { ApiKeyId, Mode, TenantId } from '@libs/kernel';
import { Injectable } from '@nestjs/common';
import type { Scope } from './new-api-key.policy';

/** A customer's key as its owner sees it; the key itself is not stored. */
export interface ApiKey {
  readonly id: ApiKeyId;
  readonly tenantId: TenantId;
  readonly name: string;
  readonly mode: Mode;
  /** The first 12 characters of the key. */
  readonly prefix: string;
  readonly scopes: readonly Scope[];
  readonly expiresAt: Date | null;
  readonly revokedAt: Date | null;
  /** To the minute, and up to a minute behind; null = never used. */
  readonly lastUsedAt: Date | null;
  readonly createdAt: Date;
}

/** What a look-up by digest finds. */
export interface FoundApiKey {
  readonly id: ApiKeyId;
  readonly tenantId: TenantId;
  readonly mode: Mode;
  readonly scopes: readonly Scope[];
  readonly expiresAt: Date | null;
  readonly revokedAt: Date | null;
}

interface ApiKeyRow {
  id: ApiKeyId;
  tenant_id: TenantId;
  name: string;
  mode: Mode;
  prefix: string;
  scopes: Scope[];
  expires_at: Date | null;
  revoked_at: Date | null;
  last_used_at: Date | null;
  created_at: Date;
}

const COLUMNS = 'id, tenant_id, name, mode, prefix, scopes, expires_at, revoked_at, last_used_at, created_at';
const LIST = `SELECT ${COLUMNS} FROM api_key WHERE tenant_id = $1 ORDER BY id DESC`;
const LOCK = `SELECT ${COLUMNS} FROM api_key WHERE tenant_id = $1 AND id = $2 FOR NO KEY UPDATE`;

@Injectable()
export class ApiKeyRepository {
  constructor(private readonly uow: UnitOfWork) {}

  async insert(key: ApiKey, digest: Buffer): Promise<void> {
    await this.uow.query(
      `INSERT INTO api_key (tenant_id, id, name, mode, prefix, digest, scopes, expires_at, created_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
      [key.tenantId, key.id, key.name, key.mode, key.prefix, digest, key.scopes, key.expiresAt, key.createdAt],
    );
  }

  async tenantExists(tenant: TenantId): Promise<boolean> {
    return (await this.uow.query('SELECT 1 FROM tenant WHERE id = $1', [tenant])).length > 0;
  }

  /** Newest first. */
  async list(tenant: TenantId): Promise<ApiKey[]> {
    return (await this.uow.query<ApiKeyRow>(LIST, [tenant])).map(toApiKey);
  }

  async lock(tenant: TenantId, id: ApiKeyId): Promise<ApiKey | undefined> {
    const [row] = await this.uow.query<ApiKeyRow>(LOCK, [tenant, id]);
    return row && toApiKey(row);
  }

  async revoke(tenant: TenantId, id: ApiKeyId, at: Date): Promise<void> {
    await this.uow.query('UPDATE api_key SET revoked_at = $3 WHERE tenant_id = $1 AND id = $2', [tenant, id, at]);
  }

  /** Before a tenant is known: through the one function that sees all keys, by digest only. */
  async findByDigest(digest: Buffer): Promise<FoundApiKey | undefined> {
    const [row] = await this.uow.query<ApiKeyRow>(
      'SELECT id, tenant_id, mode, scopes, expires_at, revoked_at FROM find_api_key($1)',
      [digest],
    );
    return (
      row && {
        id: row.id,
        tenantId: row.tenant_id,
        mode: row.mode,
        scopes: row.scopes,
        expiresAt: row.expires_at,
        revokedAt: row.revoked_at,
      }
    );
  }

  /** One statement for all keys; rows are taken in the order of their ids, so that two processes cannot deadlock. */
  async touch(ids: readonly ApiKeyId[], minutes: readonly Date[]): Promise<void> {
    await this.uow.query(
      `WITH used AS (SELECT * FROM unnest($1::uuid[], $2::timestamptz[]) AS u (id, minute)),
            mine AS (SELECT k.tenant_id, k.id, used.minute FROM api_key k JOIN used ON used.id = k.id
                      WHERE k.last_used_at IS NULL OR k.last_used_at < used.minute
                      ORDER BY k.id FOR UPDATE OF k)
       UPDATE api_key k SET last_used_at = mine.minute FROM mine WHERE k.tenant_id = mine.tenant_id AND k.id = mine.id`,
      [ids, minutes],
    );
  }
}

function toApiKey(row: ApiKeyRow): ApiKey {
  return {
    id: row.id,
    tenantId: row.tenant_id,
    name: row.name,
    mode: row.mode,
    prefix: row.prefix,
    scopes: row.scopes,
    expiresAt: row.expires_at,
    revokedAt: row.revoked_at,
    lastUsedAt: row.last_used_at,
    createdAt: row.created_at,
  };
}
