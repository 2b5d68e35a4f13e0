import { AuditService, type Author } from '@libs/audit';
import { UnitOfWork } from '@libs/database';
import {
  DomainError,
  isHeaderSafe,
  notFound,
  toPublicId,
  type EventId,
  type Issue,
  type Page,
  type PageRequest,
  type TenantId,
  isUuid,
} from '@libs/kernel';
import { Injectable } from '@nestjs/common';
import { SuppressionRepository, type NewSuppression, type SuppressionRow } from './suppression.repository';
import { suppressionKey, type SuppressionReason } from './suppression.policy';

export type Suppression = SuppressionRow & { readonly tenantId: TenantId };

export interface SuppressionFilter {
  readonly reason?: string;
  readonly address?: string;
}

/** One entry of news from events: who must not be written to again, by which event. */
export interface SuppressionNews {
  readonly tenantId: TenantId;
  readonly address: string;
  readonly reason: SuppressionReason;
  readonly cause: EventId;
}

/** Addresses per call at most; a list is added in slices. */
const MAX_SUPPRESS_ADDRESSES = 1_000;

const REASON_LENGTH = 200;
const REASON_RULE = `A reason has 1 to ${String(REASON_LENGTH)} printable characters.`;

/** Addresses a tenant must not send to. */
@Injectable()
export class SuppressionService {
  constructor(
    private readonly rows: SuppressionRepository,
    private readonly uow: UnitOfWork,
    private readonly audit: AuditService,
  ) {}

  /**
   * Adds addresses by hand and answers how many were new. Audited by their number, never by the addresses.
   * @throws DomainError INVALID_INPUT naming every address that is none, by its place in `addresses`
   */
  async suppress(tenant: TenantId, addresses: readonly string[], by: Author, reason = 'manual'): Promise<number> {
    const issues: Issue[] = [];
    const keys = addresses.map((address, index) => {
      const key = suppressionKey(address);
      if (key === undefined) {
        const message = `"${address.slice(0, 80)}" is not an e-mail address such as ann@example.com.`;
        issues.push({ code: 'INVALID_INPUT', message, path: ['addresses', String(index)] });
      }
      return key ?? '';
    });
    if (addresses.length === 0 || addresses.length > MAX_SUPPRESS_ADDRESSES) {
      const message = `Give 1 to ${String(MAX_SUPPRESS_ADDRESSES)} addresses; there were ${String(addresses.length)}.`;
      issues.push({ code: 'INVALID_INPUT', message, path: ['addresses'] });
    }
    if (!isReason(reason)) issues.push({ code: 'INVALID_INPUT', message: REASON_RULE, path: ['reason'] });
    DomainError.throwIfAny(issues);
    return this.uow.forTenant(tenant, async () => {
      const added = await this.rows.add(
        [...new Set(keys)].map((address) => ({ tenantId: tenant, address, reason, causeEventId: null })),
      );
      await this.audit.record({
        ...by,
        action: 'suppression.add',
        subject: toPublicId('tenant', tenant),
        tenant,
        detail: { addresses: addresses.length, added, reason },
      });
      return added;
    });
  }

  /** Adds what events taught, for many tenants at once, inside the caller's unit; repeats change nothing. */
  addFromEvents(news: readonly SuppressionNews[]): Promise<number> {
    const entries = new Map<string, NewSuppression>();
    for (const item of news) {
      const address = suppressionKey(item.address);
      if (address === undefined) continue;
      const name = `${item.tenantId} ${address}`;
      if (!entries.has(name)) {
        entries.set(name, { tenantId: item.tenantId, address, reason: item.reason, causeEventId: item.cause });
      }
    }
    return this.rows.add([...entries.values()]);
  }

  /**
   * Newest first; cursors are ids of suppressions. `before` alone reads towards newer entries.
   * @throws DomainError INVALID_INPUT for a cursor of another list, or a condition that no entry can meet
   */
  async list(tenant: TenantId, page: PageRequest, filter: SuppressionFilter = {}): Promise<Page<Suppression>> {
    const backward = page.before !== undefined;
    const cursor = page.before ?? page.after ?? null;
    if (cursor !== null && !isUuid(cursor)) {
      throw new DomainError({
        code: 'INVALID_INPUT',
        message: 'The cursor is not one of this list.',
        path: [backward ? 'before' : 'after'],
      });
    }
    const address = filter.address === undefined ? null : suppressionKey(filter.address);
    if (address === undefined) {
      const message = 'Not an address such as ann@example.com.';
      throw new DomainError({ code: 'INVALID_INPUT', message, path: ['filter', 'address'] });
    }
    if (filter.reason !== undefined && !isReason(filter.reason)) {
      throw new DomainError({ code: 'INVALID_INPUT', message: REASON_RULE, path: ['filter', 'reason'] });
    }
    const query = { limit: page.limit, backward, cursor, reason: filter.reason ?? null, address };
    return this.uow.forTenant(tenant, async () => {
      const found = await this.rows.page(tenant, query);
      const more = found.length > page.limit;
      const rows = found.slice(0, page.limit).map((row) => ({ ...row, tenantId: tenant }));
      if (backward) rows.reverse();
      return { rows, hasNext: backward || more, hasPrevious: backward ? more : cursor !== null };
    });
  }

  findByIds(tenant: TenantId, ids: readonly string[]): Promise<Suppression[]> {
    return this.uow.forTenant(tenant, async () =>
      (await this.rows.findByIds(tenant, ids)).map((row) => ({ ...row, tenantId: tenant })),
    );
  }

  /** @throws DomainError NOT_FOUND, for another tenant's entry too. */
  async get(tenant: TenantId, id: string): Promise<Suppression> {
    const [found] = await this.findByIds(tenant, [id]);
    if (!found) throw notFound('The suppression');
    return found;
  }
}

function isReason(text: string): boolean {
  return text.trim() !== '' && text.length <= REASON_LENGTH && isHeaderSafe(text);
}
