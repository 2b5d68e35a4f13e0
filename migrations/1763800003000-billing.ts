import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Prices with their validity. Costs are computed from attempts and IP leases; nothing derived is stored yet. */
export class Billing1763800003000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    await q.query(`
      CREATE EXTENSION IF NOT EXISTS btree_gist;
      CREATE TABLE rate (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        card text NOT NULL,
        sku text NOT NULL,
        tier_from bigint NOT NULL DEFAULT 0 CHECK (tier_from >= 0),
        amount_micro bigint NOT NULL CHECK (amount_micro >= 0),
        per_units bigint NOT NULL CHECK (per_units > 0),
        valid_from timestamptz NOT NULL,
        valid_to timestamptz,
        source text NOT NULL,
        EXCLUDE USING gist (card WITH =, sku WITH =, tier_from WITH =, tstzrange(valid_from, valid_to) WITH &&)
      );
      -- The few attempts that billing finds by their Send event alone; those recorded as sent have an index of their own.
      CREATE INDEX attempt_sent_late ON attempt (created_at)
        WHERE (state <> 'SENT' AND send_event_at IS NOT NULL) OR (state = 'SENT' AND ended_at IS NULL);
      COMMENT ON TABLE rate IS 'a price is a rational: amount_micro micro-dollars for per_units units';
      GRANT SELECT ON rate TO pf_app, pf_worker, pf_admin;
      GRANT INSERT, UPDATE ON rate TO pf_admin;`);
  }

  async down(q: QueryRunner): Promise<void> {
    await q.query('DROP INDEX attempt_sent_late; DROP TABLE rate');
  }
}
