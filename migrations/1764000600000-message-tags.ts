import type { MigrationInterface, QueryRunner } from 'typeorm';
import { protectTenantTable } from './tenant-table';

/** The list of tables in the functions that make and drop days, as it was and with tags. */
const WITHOUT_TAGS = `'recipient', 'batch'`;
const WITH_TAGS = `'recipient', 'message_tag', 'batch'`;

/**
 * The way from a tag to its messages. Asked for as `message.tags @> ...` a tag has none: under row-level security an index
 * serves a condition only if its operator leaks nothing, as equality does and looking into jsonb does not.
 */
export class MessageTags1764000600000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    await q.query(`
      -- Written for messages that have tags; the key answers what is asked, in the order in which messages are listed.
      CREATE TABLE message_tag (
        tenant_id uuid NOT NULL,
        message_id uuid NOT NULL,
        name text NOT NULL,
        value text NOT NULL,
        PRIMARY KEY (tenant_id, name, value, message_id)
      ) PARTITION BY RANGE (message_id);
      COMMENT ON TABLE message_tag IS 'the tags of message.tags one by one, to find messages by';
      CREATE TABLE message_tag_default PARTITION OF message_tag DEFAULT;
      ALTER TABLE message_tag_default ENABLE ROW LEVEL SECURITY;
      ALTER TABLE message_tag_default FORCE ROW LEVEL SECURITY`);
    await nameInDayFunctions(q, WITHOUT_TAGS, WITH_TAGS);
    // The days that messages have; older ones are not made anew for the other tables, which may have dropped theirs.
    await q.query(`
      DO $$
      DECLARE
        child text;
        day date;
      BEGIN
        FOR child, day IN
          SELECT 'message_tag' || right(c.relname, 10), to_date(right(c.relname, 8), 'YYYYMMDD')
            FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
           WHERE i.inhparent = 'message'::regclass AND c.relname ~ '_p\\d{8}$' ORDER BY 1
        LOOP
          EXECUTE format('CREATE TABLE public.%I PARTITION OF message_tag FOR VALUES FROM (%L) TO (%L) WITH (fillfactor = 100,
              autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.2, autovacuum_analyze_scale_factor = 0.05)',
            child, uuid_floor(day), uuid_floor(day + 1));
          EXECUTE format('ALTER TABLE public.%I ENABLE ROW LEVEL SECURITY', child);
          EXECUTE format('ALTER TABLE public.%I FORCE ROW LEVEL SECURITY', child);
        END LOOP;
      END $$`);
    await fill(q);
    await protectTenantTable(q, 'message_tag', { app: 'SELECT, INSERT', worker: null, admin: null });
  }

  async down(q: QueryRunner): Promise<void> {
    await nameInDayFunctions(q, WITH_TAGS, WITHOUT_TAGS);
    await q.query('DROP TABLE message_tag');
  }
}

/** Both functions stay as they are but for the tables they name. */
async function nameInDayFunctions(q: QueryRunner, from: string, to: string): Promise<void> {
  for (const signature of ['create_day_partitions(date, int)', 'drop_day_partitions(text, date)']) {
    const [row] = (await q.query('SELECT pg_get_functiondef($1::regprocedure) AS text', [signature])) as {
      text: string;
    }[];
    if (row?.text.includes(from) !== true) throw new Error(`${signature} does not name ${from}`);
    await q.query(row.text.replace(from, to));
  }
}

async function fill(q: QueryRunner): Promise<void> {
  // Forced, its policies bind the owner of the table too, who would find no message.
  await q.query('ALTER TABLE message NO FORCE ROW LEVEL SECURITY');
  await q.query(`
    INSERT INTO message_tag (tenant_id, message_id, name, value)
    SELECT m.tenant_id, m.id, t.name, t.value
      FROM message m CROSS JOIN LATERAL jsonb_to_recordset(m.tags) AS t (name text, value text)
     WHERE m.tags <> '[]' ON CONFLICT DO NOTHING`);
  await q.query('ALTER TABLE message FORCE ROW LEVEL SECURITY');
}
