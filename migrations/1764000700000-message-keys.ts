import type { MigrationInterface, QueryRunner } from 'typeorm';
import { createIndexOnline } from './online-index';

/**
 * The way from an idempotency key to its messages, which is otherwise a look at all that a tenant ever sent. Said to be partial,
 * which leaves it to those who name a key: a statement that goes by the key of the row must not read it (docs/decisions/005).
 */
export class MessageKeys1764000700000 implements MigrationInterface {
  readonly transaction = false;

  async up(q: QueryRunner): Promise<void> {
    await createIndexOnline(q, {
      name: 'message_by_key',
      table: 'message',
      on: '(tenant_id, idempotency_key) WHERE idempotency_key IS NOT NULL',
    });
  }

  async down(q: QueryRunner): Promise<void> {
    await q.query('DROP INDEX message_by_key');
  }
}
