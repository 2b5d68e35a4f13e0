import { UnitOfWork } from '@libs/database';
import type { Issue, MessageId, Mode, TenantId } from '@libs/kernel';
import { Injectable } from '@nestjs/common';

/** What a call answered, entry by entry: replayed as it was. Paths are relative to the entry. */
export type RememberedEntry = { readonly id: MessageId } | { readonly issues: readonly Issue[] };

export interface RememberedCall {
  readonly requestHash: Buffer;
  readonly result: readonly RememberedEntry[];
}

const FIND = `
  SELECT key, request_hash AS "requestHash", result FROM idempotency WHERE tenant_id = $1 AND mode = $2 AND key = ANY($3::text[])`;

const LOCK_NOT_AVAILABLE = '55P03';

@Injectable()
export class IdempotencyRepository {
  constructor(private readonly uow: UnitOfWork) {}

  /** What earlier calls under these keys answered. */
  async find(tenant: TenantId, mode: Mode, keys: readonly string[]): Promise<Map<string, RememberedCall>> {
    const rows = await this.uow.prepared<RememberedCall & { readonly key: string }>(FIND, [tenant, mode, keys]);
    return new Map(rows.map((row) => [row.key, row]));
  }

  /** Forgets keys older than that, a bounded number at a time, and answers how many. */
  async forgetBefore(before: Date, limit: number): Promise<number> {
    const rows = await this.uow.query(
      `DELETE FROM idempotency WHERE (tenant_id, mode, key) IN (
         SELECT tenant_id, mode, key FROM idempotency WHERE created_at < $1 ORDER BY created_at LIMIT $2)
       RETURNING key`,
      [before, limit],
    );
    return rows.length;
  }
}

/** Another transaction held what this one needed for too long; this one is rolled back. */
export function isLockTimeout(error: unknown): boolean {
  const { code, driverError } = error as { code?: unknown; driverError?: { code?: unknown } };
  return (driverError?.code ?? code) === LOCK_NOT_AVAILABLE;
}
