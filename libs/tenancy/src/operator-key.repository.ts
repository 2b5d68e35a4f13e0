import { UnitOfWork } from '@libs/database';
import type { OperatorId } from '@libs/kernel';
import { Injectable } from '@nestjs/common';

/** From reading only, over the daily work, to keys and money. */
export const OPERATOR_ROLES = ['viewer', 'operator', 'owner'] as const;
export type OperatorRole = (typeof OPERATOR_ROLES)[number];

export interface FoundOperatorKey {
  readonly id: OperatorId;
  readonly name: string;
  readonly role: OperatorRole;
  readonly expiresAt: Date | null;
  readonly revokedAt: Date | null;
}

interface OperatorKeyRow {
  id: OperatorId;
  name: string;
  role: OperatorRole;
  expires_at: Date | null;
  revoked_at: Date | null;
}

@Injectable()
export class OperatorKeyRepository {
  constructor(private readonly uow: UnitOfWork) {}

  async insert(
    key: Pick<FoundOperatorKey, 'id' | 'name' | 'role' | 'expiresAt'>,
    prefix: string,
    digest: Buffer,
    at: Date,
  ): Promise<void> {
    await this.uow.query(
      `INSERT INTO operator_key (id, name, role, prefix, digest, expires_at, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
      [key.id, key.name, key.role, prefix, digest, key.expiresAt, at],
    );
  }

  /** Revoking again changes nothing. */
  async revoke(id: OperatorId, at: Date): Promise<'revoked' | 'already' | 'unknown'> {
    const done = await this.uow.query(
      'UPDATE operator_key SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL RETURNING id',
      [id, at],
    );
    if (done.length > 0) return 'revoked';
    return (await this.uow.query('SELECT 1 FROM operator_key WHERE id = $1', [id])).length > 0 ? 'already' : 'unknown';
  }

  async findByDigest(digest: Buffer): Promise<FoundOperatorKey | undefined> {
    const [row] = await this.uow.query<OperatorKeyRow>(
      'SELECT id, name, role, expires_at, revoked_at FROM find_operator_key($1)',
      [digest],
    );
    return row && { id: row.id, name: row.name, role: row.role, expiresAt: row.expires_at, revokedAt: row.revoked_at };
  }
}
