import type { MigrationInterface, QueryRunner } from 'typeorm';
import { protectTenantTable } from './tenant-table';

/** Decisions to send waiting mail through another account than the one its tenant is placed on. */
export class Reroute1763900001000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    await q.query(`
      CREATE TABLE reroute (
        tenant_id uuid NOT NULL REFERENCES tenant (id),
        mode text NOT NULL CHECK (mode IN ('LIVE', 'TEST')),
        stream text NOT NULL CHECK (stream IN ('TRANSACTIONAL', 'MARKETING')),
        to_account uuid NOT NULL REFERENCES sending_account (id),
        from_account uuid NOT NULL REFERENCES sending_account (id),
        at timestamptz NOT NULL,
        PRIMARY KEY (tenant_id, mode, stream, to_account)
      );
      COMMENT ON TABLE reroute IS 'what stands on to_account without a placement there may stay, until a placement is decided anew'`);
    await protectTenantTable(q, 'reroute', { app: null, worker: 'SELECT, INSERT, UPDATE', admin: 'SELECT' });
  }

  async down(q: QueryRunner): Promise<void> {
    await q.query('DROP TABLE reroute');
  }
}
