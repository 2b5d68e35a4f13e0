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
 * A day that is dropped is locked before its table of all days, which DROP TABLE takes first and keeps while it waits: where an
 * index is made on that day, or a long look reads it, every writer waited along. And nobody waits for longer than half a second,
 * with those behind it: the worker comes again.
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
        FOREACH child IN ARRAY children LOOP
          EXECUTE format('LOCK TABLE public.%I IN ACCESS EXCLUSIVE MODE', child);
        END LOOP;
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
