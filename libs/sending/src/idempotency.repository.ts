import { UnitOfWork } from '@libs/database';
import type { Issue, MessageId, Mode, TenantId } from '@libs/kernel';
import { Injectable } from '@nestjs/common';

/** What a call answered, entry by entry: replayed as it was. Paths are relative to the entry. */
export type RememberedEntry = { readonly id: MessageId } | { readonly issues: readonly Issue[] };

export interface RememberedCall {
  readonly requestHash: Buffer;
  readonly result: readonly RememberedEntry[];
}

const LOCK_NOT_AVAILABLE = '55P03';
const WAIT = '2s';

@Injectable()
export class IdempotencyRepository {
  constructor(private readonly uow: UnitOfWork) {}

  async find(tenant: TenantId, mode: Mode, key: string): Promise<RememberedCall | undefined> {
    const [row] = await this.uow.query<RememberedCall>(
      'SELECT request_hash AS "requestHash", result FROM idempotency WHERE tenant_id = $1 AND mode = $2 AND key = $3',
      [tenant, mode, key],
    );
    return row;
  }

  /**
   * Remembers a call. 'taken' when another call under the key has committed; this waits for one that is under way, and
   * answers 'busy' when that takes over two seconds: the transaction is then unusable and must be rolled back.
   */
  async remember(
    tenant: TenantId,
    mode: Mode,
    key: string,
    call: RememberedCall,
    at: Date,
  ): Promise<'new' | 'taken' | 'busy'> {
    await this.uow.query(`SELECT set_config('lock_timeout', $1, true)`, [WAIT]);
    try {
      const rows = await this.uow.query(
        `INSERT INTO idempotency (tenant_id, mode, key, request_hash, result, created_at)
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (tenant_id, mode, key) DO NOTHING RETURNING key`,
        [tenant, mode, key, call.requestHash, JSON.stringify(call.result), at],
      );
      await this.uow.query(`SELECT set_config('lock_timeout', '0', true)`);
      return rows.length === 1 ? 'new' : 'taken';
    } catch (error) {
      if (isLockTimeout(error)) return 'busy';
      throw error;
    }
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

function isLockTimeout(error: unknown): boolean {
  const cause = (error as { driverError?: { code?: unknown } }).driverError;
  return cause?.code === LOCK_NOT_AVAILABLE;
}
