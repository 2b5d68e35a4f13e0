import type { MigrationInterface, QueryRunner } from 'typeorm';

const CHECKS = `IF NOT parent = ANY (ARRAY['message', 'message_body', 'recipient', 'message_tag', 'batch', 'attempt', 'message_event']) THEN
          RAISE EXCEPTION '% has no day partitions', parent;
        END IF;
        IF before > (now() AT TIME ZONE 'UTC')::date THEN RAISE EXCEPTION 'days that are not over are not dropped: %', before; END IF;`;

const DAYS = `
          SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
           WHERE i.inhparent = ('public.' || parent)::regclass AND c.relname < parent || '_p' || to_char(before, 'YYYYMMDD')
             AND c.relname LIKE parent || '\\_p________'`;

/**
 * DROP TABLE locks the table of all days, and keeps it while it waits for the day's own lock: where an index is made on that day every
 * writer waited along, for up to five seconds. A day that is in use is waited for a tenth of a second now, as long as who came through the
 * table of all days takes to be gone; that table half a second. What is not dropped is left to the next run.
 */
export class PatientDrops1764000703000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    await q.query(`
      CREATE OR REPLACE FUNCTION drop_day_partitions(parent text, before date) RETURNS int LANGUAGE plpgsql SECURITY DEFINER
        SET search_path = pg_catalog, public SET lock_timeout = '500ms' AS $$
      DECLARE
        children text[];
        child text;
      BEGIN
        ${CHECKS}
        children := ARRAY(${DAYS} ORDER BY c.relname);
        IF cardinality(children) = 0 THEN RETURN 0; END IF;
        EXECUTE format('LOCK TABLE ONLY public.%I IN ACCESS EXCLUSIVE MODE', parent);
        PERFORM set_config('lock_timeout', '100ms', true);
        FOREACH child IN ARRAY children LOOP
          EXECUTE format('DROP TABLE public.%I', child);
        END LOOP;
        RETURN cardinality(children);
      END $$`);
  }

  async down(q: QueryRunner): Promise<void> {
    await q.query(`
      CREATE OR REPLACE FUNCTION drop_day_partitions(parent text, before date) RETURNS int LANGUAGE plpgsql SECURITY DEFINER
        SET search_path = pg_catalog, public SET lock_timeout = '5s' AS $$
      DECLARE
        dropped int := 0;
        child text;
      BEGIN
        ${CHECKS}
        FOR child IN ${DAYS} ORDER BY c.relname
        LOOP
          EXECUTE format('DROP TABLE public.%I', child);
          dropped := dropped + 1;
        END LOOP;
        RETURN dropped;
      END $$`);
  }
}
