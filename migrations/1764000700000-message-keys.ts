import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The way from an idempotency key to its messages, which is otherwise a look at all that a tenant ever sent. Said to be partial,
 * which leaves it to those who name a key: a statement that goes by the key of the row must not read it (docs/decisions/005).
 */
export class MessageKeys1764000700000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    await q.query(`
      CREATE INDEX message_by_key ON message (tenant_id, idempotency_key) WHERE idempotency_key IS NOT NULL`);
  }

  async down(q: QueryRunner): Promise<void> {
    await q.query('DROP INDEX message_by_key');
  }
}
