import type { MigrationInterface, QueryRunner } from 'typeorm';
import { createIndexOnline } from './online-index';

/**
 * The way to messages of test mode, which a list of theirs otherwise looks for among all that a tenant sent in live mode. It
 * holds test messages alone: a live one writes nothing into it.
 */
export class TestMessages1764000701000 implements MigrationInterface {
  readonly transaction = false;

  async up(q: QueryRunner): Promise<void> {
    await createIndexOnline(q, {
      name: 'message_of_test',
      table: 'message',
      on: `(tenant_id, id) WHERE mode = 'TEST'`,
    });
  }

  async down(q: QueryRunner): Promise<void> {
    await q.query('DROP INDEX message_of_test');
  }
}
