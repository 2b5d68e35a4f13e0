import { AuditService, type Author } from '@libs/audit';
import { UnitOfWork } from '@libs/database';
import {
  DomainError,
  EngineClock,
  newId,
  notFound,
  toPublicId,
  type ApiKeyId,
  type TenantId,
  isUuid,
} from '@libs/kernel';
import { Injectable } from '@nestjs/common';
import { ApiKeyRepository, type ApiKey, type FoundApiKey } from './api-key.repository';
import { digestOf, mintKey, parseKey, shownPrefix } from './key-format.policy';
import { KeyPepper } from './key-pepper';
import { KeyUsageService } from './key-usage.service';
import { apiKeyIssues, isMode, isScope, type KeyPrincipal, type NewApiKey } from './new-api-key.policy';
import { RecentLookups } from './recent-lookups.service';

/** Customers' keys: made, shown once, used, revoked. */
@Injectable()
export class ApiKeyService {
  private readonly recent = new RecentLookups<FoundApiKey>();

  constructor(
    private readonly uow: UnitOfWork,
    private readonly keys: ApiKeyRepository,
    private readonly usage: KeyUsageService,
    private readonly audit: AuditService,
    private readonly clock: EngineClock,
    private readonly pepper: KeyPepper,
  ) {}

  /**
   * Makes a key and answers it this one time.
   * @throws DomainError INVALID_INPUT, FORBIDDEN (wider than the key that asks), NOT_FOUND (tenantId)
   */
  create(tenant: TenantId, input: NewApiKey, by: Author): Promise<{ apiKey: ApiKey; key: string }> {
    return this.uow.forTenant(tenant, async () => {
      const now = this.clock.now();
      DomainError.throwIfAny(apiKeyIssues(input, now));
      if (!isUuid(tenant) || !(await this.keys.tenantExists(tenant))) throw notFound('The tenant', ['tenantId']);

      // apiKeyIssues has refused every other mode; the type system cannot know.
      const mode = isMode(input.mode) ? input.mode : 'TEST';
      const key = mintKey(mode);
      const apiKey: ApiKey = {
        id: newId<ApiKeyId>(),
        tenantId: tenant,
        name: input.name,
        mode,
        prefix: shownPrefix(key),
        scopes: input.scopes.filter(isScope),
        expiresAt: input.expiresAt ?? null,
        revokedAt: null,
        lastUsedAt: null,
        createdAt: now,
      };
      await this.keys.insert(apiKey, digestOf(key, this.pepper.value));
      await this.record(apiKey, 'api-key.create', by, { mode, scopes: apiKey.scopes, expiresAt: apiKey.expiresAt });
      return { apiKey, key };
    });
  }

  /**
   * Ends a key: here at once, in every other process within a second. Ending it again changes nothing.
   * @param asker the key on whose behalf it is ended, if it is a customer who asks
   * @throws DomainError NOT_FOUND, for another tenant's key too; FORBIDDEN for a live key that a test key would end
   */
  revoke(tenant: TenantId, id: ApiKeyId, by: Author, asker?: Pick<KeyPrincipal, 'mode'>): Promise<ApiKey> {
    return this.uow.forTenant(tenant, async () => {
      const apiKey = isUuid(id) ? await this.keys.lock(tenant, id) : undefined;
      if (!apiKey) throw notFound('The API key', ['id']);
      if (asker?.mode === 'TEST' && apiKey.mode === 'LIVE') {
        throw new DomainError({ code: 'FORBIDDEN', message: 'A test key cannot end a live key.', path: ['id'] });
      }
      if (apiKey.revokedAt) return apiKey;
      const revoked: ApiKey = { ...apiKey, revokedAt: this.clock.now() };
      await this.keys.revoke(tenant, id, this.clock.now());
      await this.record(revoked, 'api-key.revoke', by, {});
      this.uow.onCommit(() => {
        this.recent.clear();
      });
      return revoked;
    });
  }

  /** Newest first, revoked and expired ones included. */
  list(tenant: TenantId): Promise<ApiKey[]> {
    return this.uow.forTenant(tenant, () => this.keys.list(tenant));
  }

  /**
   * Whose key this is, or undefined for one that is malformed, unknown, expired, revoked or an operator's; nobody
   * outside learns which. Call it before any unit of work is open. Fails when the database cannot be asked.
   */
  async authenticate(text: string): Promise<KeyPrincipal | undefined> {
    const parsed = parseKey(text);
    if (!parsed || parsed.kind === 'ADMIN') return undefined;
    const digest = digestOf(parsed.key, this.pepper.value);
    const found = await this.recent.find(digest, () => this.uow.forEdge(() => this.keys.findByDigest(digest)));
    if (!found || found.revokedAt || found.mode !== parsed.kind) return undefined;
    if (found.expiresAt && found.expiresAt.getTime() <= this.clock.nowMs()) return undefined;
    this.usage.note(found.id);
    const { id: keyId, tenantId, mode, scopes, expiresAt } = found;
    return { kind: 'key', keyId, tenantId, mode, scopes, expiresAt };
  }

  private record(apiKey: ApiKey, action: string, by: Author, detail: Record<string, unknown>): Promise<void> {
    const subject = toPublicId('apiKey', apiKey.id);
    return this.audit.record({ ...by, action, subject, tenant: apiKey.tenantId, detail });
  }
}
