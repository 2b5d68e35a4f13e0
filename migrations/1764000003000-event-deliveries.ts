import type { MigrationInterface, QueryRunner } from 'typeorm';
import { protectTenantTable } from './tenant-table';

/**
 * SNS is paid by the delivery. Deliveries are counted as their events are applied, in the same transaction: a timeline has
 * several entries of one event, or none, and does not say which account it came through.
 */
export class EventDeliveries1764000003000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    await q.query(`
      DROP INDEX message_event_time;
      CREATE TABLE event_delivery (
        day date NOT NULL,
        sending_account_id uuid NOT NULL,
        tenant_id uuid NOT NULL,
        part smallint NOT NULL,
        deliveries bigint NOT NULL CHECK (deliveries > 0),
        PRIMARY KEY (day, sending_account_id, tenant_id, part)
      );
      COMMENT ON COLUMN event_delivery.part IS 'so that those who count at the same time do not wait for each other';`);
    await protectTenantTable(q, 'event_delivery', { app: null, worker: 'SELECT, INSERT, UPDATE', admin: 'SELECT' });
  }

  async down(q: QueryRunner): Promise<void> {
    await q.query(`
      DROP TABLE event_delivery;
      CREATE INDEX message_event_time ON message_event USING brin (at) WITH (pages_per_range = 16, autosummarize = on)`);
  }
}
