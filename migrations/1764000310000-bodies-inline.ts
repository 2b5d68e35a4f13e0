import type { MigrationInterface, QueryRunner } from 'typeorm';

const BODY_TABLES = `
  SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
   WHERE i.inhparent = 'message_body'::regclass AND c.relkind = 'r'`;

/**
 * Bodies as they were written: nothing looks into them, so that taking them apart and putting them together again only
 * costs (a quarter of what PostgreSQL does to accept a message of 2 KB). And up to half a page they lie in their row: a
 * row apart, with an index entry of its own for every 2 KB, is for the large. docs/decisions/005.
 */
export class BodiesInline1764000310000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    await q.query(`
      ALTER TABLE message_body ALTER COLUMN content TYPE json USING content::json, ALTER COLUMN content SET STORAGE EXTERNAL`);
    await q.query(
      openDayPartition(`
        IF parent = 'message_body' THEN
          EXECUTE format('ALTER TABLE public.%I SET (toast_tuple_target = 4080)', child);
        END IF;`),
    );
    await setOnEach(q, 'SET (toast_tuple_target = 4080)');
  }

  async down(q: QueryRunner): Promise<void> {
    await setOnEach(q, 'RESET (toast_tuple_target)');
    await q.query(openDayPartition(''));
    await q.query(`
      ALTER TABLE message_body ALTER COLUMN content TYPE jsonb USING content::jsonb, ALTER COLUMN content SET STORAGE EXTERNAL`);
  }
}

async function setOnEach(q: QueryRunner, setting: string): Promise<void> {
  await q.query(`
    DO $$
    DECLARE
      child text;
    BEGIN
      FOR child IN ${BODY_TABLES} LOOP EXECUTE format('ALTER TABLE public.%I ${setting}', child); END LOOP;
    END $$`);
}

/** What is done with each new day's table. */
function openDayPartition(before: string): string {
  return `
    CREATE OR REPLACE FUNCTION open_day_partition(parent text, child text) RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
      DECLARE
        privileges text := CASE parent WHEN 'message' THEN 'SELECT, UPDATE' WHEN 'message_body' THEN 'SELECT' WHEN 'recipient' THEN 'SELECT' WHEN 'attempt' THEN 'SELECT, INSERT, UPDATE' END;
      BEGIN${before}
        IF privileges IS NULL THEN RETURN; END IF;
        EXECUTE format('CREATE POLICY fleet ON public.%I TO pf_worker USING (true)', child);
        EXECUTE format('GRANT %s ON public.%I TO pf_worker', privileges, child);
      END $$`;
}
