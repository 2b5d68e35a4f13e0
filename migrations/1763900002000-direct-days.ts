import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What the engine does to a day's table by its own name; the rows it may see are the same as through the parent. */
const DIRECT = {
  message: 'SELECT, UPDATE',
  message_body: 'SELECT',
  recipient: 'SELECT',
  attempt: 'SELECT, INSERT, UPDATE',
} as const;

/**
 * The worker's role may use the tables of a day by name. Through the parent every statement locks and prepares all days,
 * most of which it never reads: with 97 days that is half of a claim's cost (docs/decisions/006).
 */
export class DirectDays1763900002000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    await q.query(`
      CREATE FUNCTION open_day_partition(parent text, child text) RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
      DECLARE
        privileges text := CASE parent ${Object.entries(DIRECT)
          .map(([table, privileges]) => `WHEN '${table}' THEN '${privileges}'`)
          .join(' ')} END;
      BEGIN
        IF privileges IS NULL THEN RETURN; END IF;
        EXECUTE format('CREATE POLICY fleet ON public.%I TO pf_worker USING (true)', child);
        EXECUTE format('GRANT %s ON public.%I TO pf_worker', privileges, child);
      END $$;
      REVOKE ALL ON FUNCTION open_day_partition FROM PUBLIC;
      SELECT open_day_partition(p.relname, c.relname)
        FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_class p ON p.oid = i.inhparent
       WHERE c.relkind = 'r' AND c.relname ~ '_p\\d{8}$' ORDER BY c.relname`);
    await q.query(createDayPartitions(`PERFORM open_day_partition(parent, child);`));
  }

  async down(q: QueryRunner): Promise<void> {
    await q.query(createDayPartitions(''));
    await q.query(`
      DO $$
      DECLARE
        child text;
      BEGIN
        FOR child IN SELECT c.relname FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
                      WHERE p.polname = 'fleet' AND c.relname ~ '_p\\d{8}$' ORDER BY 1 LOOP
          EXECUTE format('DROP POLICY fleet ON public.%I', child);
          EXECUTE format('REVOKE ALL ON public.%I FROM pf_worker', child);
        END LOOP;
      END $$;
      DROP FUNCTION open_day_partition`);
  }
}

/** As the tables were made with, and what is done with each new one. */
function createDayPartitions(after: string): string {
  return `
    CREATE OR REPLACE FUNCTION create_day_partitions(first date, days int) RETURNS int LANGUAGE plpgsql SECURITY DEFINER
      SET search_path = pg_catalog, public SET lock_timeout = '5s' AS $$
    DECLARE
      made int := 0;
      parent text;
      child text;
      day date;
    BEGIN
      IF days NOT BETWEEN 1 AND 400 THEN RAISE EXCEPTION 'days must be 1 to 400, not %', days; END IF;
      FOR day IN SELECT first + n FROM generate_series(0, days - 1) AS n LOOP
        FOREACH parent IN ARRAY ARRAY['message', 'message_body', 'recipient', 'batch', 'attempt', 'message_event'] LOOP
          child := parent || '_p' || to_char(day, 'YYYYMMDD');
          CONTINUE WHEN to_regclass('public.' || child) IS NOT NULL;
          EXECUTE format('CREATE TABLE public.%I PARTITION OF public.%I FOR VALUES FROM (%L) TO (%L) WITH (fillfactor = %s,
              autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.2, autovacuum_analyze_scale_factor = 0.05)',
            child, parent, uuid_floor(day), uuid_floor(day + 1),
            CASE WHEN parent IN ('message', 'attempt', 'batch') THEN 45 WHEN parent = 'recipient' THEN 80 ELSE 100 END);
          EXECUTE format('ALTER TABLE public.%I ENABLE ROW LEVEL SECURITY', child);
          EXECUTE format('ALTER TABLE public.%I FORCE ROW LEVEL SECURITY', child);
          ${after}
          made := made + 1;
        END LOOP;
      END LOOP;
      RETURN made;
    END $$`;
}
