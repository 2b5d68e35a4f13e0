import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Mail of a route that SES refuses (its set is gone, its role is denied) waits unclaimed, and one message now and then tries it. */
export class HeldRoutes1764000201000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    await q.query(`
      ALTER TABLE configuration_set
        ADD COLUMN held_until timestamptz,
        ADD COLUMN held_for text CHECK (held_for IN ('DRIFT', 'DENIED')),
        ADD COLUMN refusals smallint NOT NULL DEFAULT 0;
      COMMENT ON COLUMN configuration_set.held_until IS 'nothing is claimed for it before; in the past: when the last hold ended';
      COMMENT ON COLUMN configuration_set.held_for IS 'what SES refused last: DRIFT (something it needs is gone), DENIED (the send role may not)';
      COMMENT ON COLUMN configuration_set.refusals IS 'holds that followed each other, which make the next one longer';
      CREATE INDEX domain_identity_unverified ON domain_identity (checked_at) WHERE state <> 'VERIFIED'`);
  }

  async down(q: QueryRunner): Promise<void> {
    await q.query(`
      DROP INDEX domain_identity_unverified;
      ALTER TABLE configuration_set DROP COLUMN held_until, DROP COLUMN held_for, DROP COLUMN refusals`);
  }
}
