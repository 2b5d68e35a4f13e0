import type { MigrationInterface, QueryRunner } from 'typeorm';

/** An api offers mail with the limits its tenant has left: whether siblings took part of it over is among what it must know. */
export class FormerAccounts1764000702000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    await q.query('GRANT SELECT ON reroute TO pf_app');
  }

  async down(q: QueryRunner): Promise<void> {
    await q.query('REVOKE SELECT ON reroute FROM pf_app');
  }
}
