import type { MigrationInterface, QueryRunner } from 'typeorm';
import { Sending1763800002000 } from './1763800002000-sending';
import { protectTenantTable } from './tenant-table';

/** What the tables of the send path hold is carried over by column name; what a table no longer has is left behind. */
const CARRIED = [
  'message',
  'message_body',
  'recipient',
  'idempotency',
  'batch',
  'attempt',
  'message_event',
  'notification',
  'suppression',
] as const;

/**
 * The send path's tables for scale: a partition per day, few indexes, updates that touch none of them. Partitions go by
 * the uuid v7 key, whose first 48 bits are its time, so a look-up by id reads one partition. docs/decisions/005.
 */
export class HotTables1763900000000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    await stash(q);
    await q.query('DROP INDEX attempt_sent_late');
    await new Sending1763800002000().down(q);
    await createPartitioning(q);
    await createTables(q);
    await q.query(`SELECT create_day_partitions((now() AT TIME ZONE 'UTC')::date - 1, 9)`);
    // A recipient follows its message unless something is known of it alone.
    await q.query(`
      UPDATE pg_temp.carried_recipient SET state = NULL
       WHERE state IN ('SCHEDULED', 'QUEUED', 'SENDING', 'SENT', 'REJECTED', 'EXPIRED', 'CANCELED', 'IN_DOUBT')`);
    await restore(q);
    // What waits is a table of its own from now on.
    await q.query(`
      INSERT INTO backlog (tenant_id, message_id, mode, stream, sending_account_id, n_rcpt, scheduled, due_at, expires_at)
      SELECT tenant_id, id, mode, stream, sending_account_id, n_rcpt, state = 'SCHEDULED', coalesce(not_before, scheduled_at), expires_at
        FROM message WHERE state IN ('READY', 'SCHEDULED');
      INSERT INTO in_doubt (tenant_id, message_id, attempt_no, attempt_id, sending_account_id, stream, policy, started_at, ended_at, expires_at)
      SELECT a.tenant_id, a.message_id, a.attempt_no, a.id, a.sending_account_id, a.stream, 'AT_LEAST_ONCE', a.created_at, a.ended_at, m.expires_at
        FROM attempt a JOIN message m ON m.tenant_id = a.tenant_id AND m.id = a.message_id AND m.attempt_no = a.attempt_no
       WHERE a.state = 'IN_DOUBT' AND m.state = 'IN_DOUBT';
      UPDATE batch b SET tenant_ids = x.tenants, message_ids = x.messages
        FROM (SELECT batch_id, array_agg(tenant_id ORDER BY message_id) AS tenants, array_agg(message_id ORDER BY message_id) AS messages
                FROM attempt GROUP BY batch_id) x WHERE x.batch_id = b.id`);
    await protect(q);
    await q.query(`
      ALTER TABLE plan ADD COLUMN transactional_in_doubt text NOT NULL DEFAULT 'AT_LEAST_ONCE' CHECK (transactional_in_doubt IN ('AT_LEAST_ONCE', 'AT_MOST_ONCE')),
        ADD COLUMN marketing_in_doubt text NOT NULL DEFAULT 'AT_LEAST_ONCE' CHECK (marketing_in_doubt IN ('AT_LEAST_ONCE', 'AT_MOST_ONCE')),
        ADD COLUMN body_retention_days int NOT NULL DEFAULT 7 CHECK (body_retention_days BETWEEN 1 AND 400),
        ADD COLUMN metadata_retention_days int NOT NULL DEFAULT 90 CHECK (metadata_retention_days BETWEEN 3 AND 800),
        ADD CHECK (body_retention_days <= metadata_retention_days);
      ALTER TABLE tier ADD COLUMN ramp_floor bigint NOT NULL DEFAULT 50000 CHECK (ramp_floor > 0),
        ADD COLUMN ramp_factor numeric(6, 2) NOT NULL DEFAULT 3 CHECK (ramp_factor >= 1);
      COMMENT ON COLUMN tier.ramp_floor IS 'recipients a day that a tenant of the tier may send whatever it sent before';
      COMMENT ON COLUMN tier.ramp_factor IS 'a day may have this many times the highest of the last seven days'`);
  }

  async down(q: QueryRunner): Promise<void> {
    await q.query(`
      ALTER TABLE plan DROP COLUMN transactional_in_doubt, DROP COLUMN marketing_in_doubt, DROP COLUMN body_retention_days,
        DROP COLUMN metadata_retention_days;
      ALTER TABLE tier DROP COLUMN ramp_floor, DROP COLUMN ramp_factor`);
    await stash(q);
    await q.query(`
      UPDATE pg_temp.carried_recipient r
         SET state = CASE m.state WHEN 'READY' THEN 'QUEUED' WHEN 'INTENT' THEN 'SENDING' ELSE m.state END, at = coalesce(m.settled_at, m.created_at)
        FROM pg_temp.carried_message m WHERE m.tenant_id = r.tenant_id AND m.id = r.message_id AND r.state IS NULL`);
    await q.query(
      'DROP TABLE backlog, in_doubt, suppression, notification, message_event, attempt, batch, idempotency, recipient, message_body, message',
    );
    await q.query('DROP FUNCTION drop_day_partitions, create_day_partitions, uuid_floor');
    await new Sending1763800002000().up(q);
    await q.query(`
      CREATE INDEX attempt_sent_late ON attempt (created_at)
        WHERE (state <> 'SENT' AND send_event_at IS NOT NULL) OR (state = 'SENT' AND ended_at IS NULL)`);
    const guarded = CARRIED.filter((table) => table !== 'batch' && table !== 'notification');
    for (const table of guarded) await q.query(`ALTER TABLE ${table} NO FORCE ROW LEVEL SECURITY`);
    await restore(q);
    for (const table of guarded) await q.query(`ALTER TABLE ${table} FORCE ROW LEVEL SECURITY`);
  }
}

async function stash(q: QueryRunner): Promise<void> {
  for (const table of CARRIED) {
    // Forced, the policies bind the owner too, who would carry over nothing.
    await q.query(`ALTER TABLE ${table} NO FORCE ROW LEVEL SECURITY`);
    await q.query(`CREATE TEMP TABLE carried_${table} ON COMMIT DROP AS TABLE ${table}`);
  }
}

/** Copies the columns both shapes have. */
async function restore(q: QueryRunner): Promise<void> {
  for (const table of CARRIED) {
    const rows = (await q.query(
      `SELECT quote_ident(n.attname) AS name FROM pg_attribute n
         JOIN pg_attribute o ON o.attname = n.attname AND o.attrelid = $2::regclass AND o.attnum > 0
        WHERE n.attrelid = $1::regclass AND n.attnum > 0 AND NOT n.attisdropped AND NOT o.attisdropped ORDER BY n.attnum`,
      [table, `pg_temp.carried_${table}`],
    )) as { name: string }[];
    const columns = rows.map((row) => row.name).join(', ');
    await q.query(`INSERT INTO ${table} (${columns}) SELECT ${columns} FROM pg_temp.carried_${table}`);
    await q.query(`DROP TABLE pg_temp.carried_${table}`);
  }
}

async function createPartitioning(q: QueryRunner): Promise<void> {
  await q.query(`
    CREATE FUNCTION uuid_floor(day date) RETURNS uuid IMMUTABLE STRICT PARALLEL SAFE LANGUAGE sql SET search_path = pg_catalog
      RETURN (lpad(to_hex(extract(epoch FROM day)::bigint * 1000), 12, '0') || '00000000000000000000')::uuid;

    -- Runs as the owner: the worker may ask for days, and for nothing else that changes tables.
    CREATE FUNCTION create_day_partitions(first date, days int) RETURNS int LANGUAGE plpgsql SECURITY DEFINER
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
          made := made + 1;
        END LOOP;
      END LOOP;
      RETURN made;
    END $$;

    CREATE FUNCTION drop_day_partitions(parent text, before date) RETURNS int LANGUAGE plpgsql SECURITY DEFINER
      SET search_path = pg_catalog, public SET lock_timeout = '5s' AS $$
    DECLARE
      dropped int := 0;
      child text;
    BEGIN
      IF NOT parent = ANY (ARRAY['message', 'message_body', 'recipient', 'batch', 'attempt', 'message_event']) THEN
        RAISE EXCEPTION '% has no day partitions', parent;
      END IF;
      IF before > (now() AT TIME ZONE 'UTC')::date THEN RAISE EXCEPTION 'days that are not over are not dropped: %', before; END IF;
      FOR child IN
        SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
         WHERE i.inhparent = ('public.' || parent)::regclass AND c.relname < parent || '_p' || to_char(before, 'YYYYMMDD')
           AND c.relname LIKE parent || '\\_p________' ORDER BY c.relname
      LOOP
        EXECUTE format('DROP TABLE public.%I', child);
        dropped := dropped + 1;
      END LOOP;
      RETURN dropped;
    END $$;
    REVOKE ALL ON FUNCTION create_day_partitions, drop_day_partitions FROM PUBLIC;
    GRANT EXECUTE ON FUNCTION create_day_partitions, drop_day_partitions TO pf_worker;`);
}

async function createTables(q: QueryRunner): Promise<void> {
  await q.query(`
    -- Columns that change come last and have no index: an update stays on its page and writes a few bytes of WAL.
    CREATE TABLE message (
      tenant_id uuid NOT NULL,
      id uuid NOT NULL,
      mode text NOT NULL CHECK (mode IN ('LIVE', 'TEST')),
      stream text NOT NULL CHECK (stream IN ('TRANSACTIONAL', 'MARKETING')),
      n_rcpt smallint NOT NULL CHECK (n_rcpt BETWEEN 1 AND 50),
      bytes int NOT NULL CHECK (bytes >= 0),
      from_address text NOT NULL,
      from_name text,
      subject text NOT NULL,
      tags jsonb NOT NULL DEFAULT '[]',
      region text,
      idempotency_key text NOT NULL,
      in_doubt_policy text NOT NULL DEFAULT 'AT_LEAST_ONCE' CHECK (in_doubt_policy IN ('AT_LEAST_ONCE', 'AT_MOST_ONCE')),
      created_at timestamptz NOT NULL,
      scheduled_at timestamptz,
      expires_at timestamptz NOT NULL,
      sending_account_id uuid NOT NULL,
      lane_id uuid NOT NULL,
      state text NOT NULL CHECK (state IN
        ('SCHEDULED', 'READY', 'INTENT', 'SENT', 'REJECTED', 'IN_DOUBT', 'EXPIRED', 'CANCELED', 'SUPPRESSED')),
      attempt_no smallint NOT NULL DEFAULT 0,
      batch_id uuid,
      not_before timestamptz,
      settled_at timestamptz,
      detail text,
      PRIMARY KEY (tenant_id, id)
    ) PARTITION BY RANGE (id);
    CREATE TABLE message_body (
      tenant_id uuid NOT NULL,
      message_id uuid NOT NULL,
      content jsonb STORAGE EXTERNAL NOT NULL,
      PRIMARY KEY (tenant_id, message_id)
    ) PARTITION BY RANGE (message_id);
    CREATE TABLE recipient (
      tenant_id uuid NOT NULL,
      message_id uuid NOT NULL,
      position smallint NOT NULL,
      kind text NOT NULL CHECK (kind IN ('TO', 'CC', 'BCC')),
      address text NOT NULL,
      name text,
      state text CHECK (state IN ('DELIVERED', 'BOUNCED', 'COMPLAINED', 'REJECTED', 'SUPPRESSED', 'SENT')),
      at timestamptz,
      detail text
    ) PARTITION BY RANGE (message_id);
    -- Where two indexes look equally good, as on a day that has only begun, PostgreSQL takes the one made last: the key.
    CREATE INDEX recipient_address ON recipient (tenant_id, address);
    ALTER TABLE recipient ADD PRIMARY KEY (tenant_id, message_id, position);
    COMMENT ON COLUMN recipient.state IS 'what is known of this recipient alone; null = as its message';

    -- What waits, READY or SCHEDULED: the engine finds its work here without looking through the days. Written together with message.state.
    CREATE TABLE backlog (
      tenant_id uuid NOT NULL,
      message_id uuid NOT NULL,
      mode text NOT NULL,
      stream text NOT NULL,
      sending_account_id uuid NOT NULL,
      n_rcpt smallint NOT NULL,
      scheduled boolean NOT NULL,
      due_at timestamptz,
      expires_at timestamptz NOT NULL,
      PRIMARY KEY (tenant_id, message_id)
    ) WITH (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0);
    CREATE INDEX backlog_ready ON backlog (sending_account_id, stream, tenant_id, message_id) WHERE NOT scheduled;
    CREATE INDEX backlog_scheduled ON backlog (due_at) WHERE scheduled;
    CREATE INDEX backlog_expiring ON backlog (expires_at);
    COMMENT ON COLUMN backlog.due_at IS 'not before this time; null = at once';

    CREATE TABLE idempotency (
      tenant_id uuid NOT NULL,
      mode text NOT NULL,
      key text NOT NULL,
      request_hash bytea NOT NULL,
      result jsonb NOT NULL,
      created_at timestamptz NOT NULL,
      PRIMARY KEY (tenant_id, mode, key)
    ) WITH (autovacuum_vacuum_scale_factor = 0.02);
    CREATE INDEX idempotency_age ON idempotency (created_at);

    -- The fence: whoever inserts a batch row owns the right to send what it grants. VOID is the sweeper's tombstone.
    CREATE TABLE batch (
      id uuid PRIMARY KEY,
      sending_account_id uuid NOT NULL,
      worker text NOT NULL,
      granted int NOT NULL,
      bucket timestamptz NOT NULL,
      slot_end timestamptz NOT NULL,
      created_at timestamptz NOT NULL,
      tenant_ids uuid[] NOT NULL DEFAULT '{}',
      message_ids uuid[] NOT NULL DEFAULT '{}',
      claimed int NOT NULL,
      state text NOT NULL CHECK (state IN ('OPEN', 'SETTLED', 'VOID')),
      settled_at timestamptz
    ) PARTITION BY RANGE (id);
    CREATE INDEX batch_usage ON batch (sending_account_id, bucket);
    CREATE INDEX batch_open ON batch (slot_end) WHERE state = 'OPEN';
    COMMENT ON COLUMN batch.message_ids IS 'what was claimed, message by message with tenant_ids: the way from a batch to its attempts';

    -- One try. It is also the usage event that billing reads: never deleted before its period is final.
    CREATE TABLE attempt (
      tenant_id uuid NOT NULL,
      message_id uuid NOT NULL,
      attempt_no smallint NOT NULL,
      id uuid NOT NULL,
      batch_id uuid NOT NULL,
      sending_account_id uuid NOT NULL,
      lane_id uuid NOT NULL,
      mode text NOT NULL,
      stream text NOT NULL,
      n_rcpt smallint NOT NULL,
      bytes int NOT NULL,
      created_at timestamptz NOT NULL,
      state text NOT NULL CHECK (state IN ('INTENT', 'SENT', 'REJECTED', 'NOT_SENT', 'IN_DOUBT')),
      ended_at timestamptz,
      send_event_at timestamptz,
      ses_message_id text,
      error_code text,
      error text
    ) PARTITION BY RANGE (message_id);
    -- Said to be partial so that it is left to those who ask for a time: looking an attempt up by its key must not read it.
    CREATE INDEX attempt_by_tenant ON attempt (tenant_id, created_at) WHERE created_at IS NOT NULL;
    -- Rows lie in the order of their time, so a few bytes per range of pages find those of a minute or a month.
    CREATE INDEX attempt_time ON attempt USING brin (created_at) WITH (pages_per_range = 16, autosummarize = on);
    ALTER TABLE attempt ADD PRIMARY KEY (tenant_id, message_id, attempt_no);
    COMMENT ON COLUMN attempt.send_event_at IS 'when SES confirmed this attempt by its Send event; the proof that settles doubt';

    -- Attempts in doubt whose message waits for the answer: few, and looked at every second.
    CREATE TABLE in_doubt (
      tenant_id uuid NOT NULL,
      message_id uuid NOT NULL,
      attempt_no smallint NOT NULL,
      attempt_id uuid NOT NULL,
      sending_account_id uuid NOT NULL,
      stream text NOT NULL,
      policy text NOT NULL,
      started_at timestamptz NOT NULL,
      ended_at timestamptz NOT NULL,
      expires_at timestamptz NOT NULL,
      PRIMARY KEY (tenant_id, message_id, attempt_no)
    );
    CREATE INDEX in_doubt_age ON in_doubt (ended_at);

    CREATE TABLE message_event (
      tenant_id uuid NOT NULL,
      message_id uuid NOT NULL,
      dedupe_key text NOT NULL,
      id uuid NOT NULL,
      type text NOT NULL,
      at timestamptz NOT NULL,
      recipient text,
      summary text NOT NULL,
      data jsonb NOT NULL DEFAULT '{}',
      PRIMARY KEY (tenant_id, message_id, dedupe_key)
    ) PARTITION BY RANGE (message_id);
    CREATE INDEX message_event_by_id ON message_event (tenant_id, id);

    -- What SNS sent, as it came, before it is believed. No tenant yet: it is found by the attempt the event names.
    CREATE TABLE notification (
      id text PRIMARY KEY,
      sending_account_id uuid NOT NULL REFERENCES sending_account (id),
      topic_arn text NOT NULL,
      type text NOT NULL CHECK (type IN ('Notification', 'SubscriptionConfirmation', 'UnsubscribeConfirmation')),
      body text NOT NULL,
      received_at timestamptz NOT NULL,
      state text NOT NULL CHECK (state IN ('STORED', 'DONE', 'REJECTED')),
      reason text
    ) WITH (autovacuum_vacuum_scale_factor = 0.02);
    CREATE INDEX notification_open ON notification (received_at) WHERE state = 'STORED';
    CREATE TABLE suppression (
      tenant_id uuid NOT NULL REFERENCES tenant (id),
      id uuid NOT NULL,
      address text NOT NULL,
      reason text NOT NULL,
      cause_event_id uuid,
      created_at timestamptz NOT NULL,
      PRIMARY KEY (tenant_id, id),
      UNIQUE (tenant_id, address)
    );`);
  // Rows from before the first day, and those of a clock that runs ahead: never refused, always noticed.
  for (const parent of ['message', 'message_body', 'recipient', 'batch', 'attempt', 'message_event']) {
    await q.query(`
      CREATE TABLE ${parent}_default PARTITION OF ${parent} DEFAULT;
      ALTER TABLE ${parent}_default ENABLE ROW LEVEL SECURITY;
      ALTER TABLE ${parent}_default FORCE ROW LEVEL SECURITY`);
  }
}

async function protect(q: QueryRunner): Promise<void> {
  const write = { app: 'SELECT, INSERT, UPDATE', worker: 'SELECT, UPDATE', admin: 'SELECT, UPDATE' };
  await protectTenantTable(q, 'message', write);
  await protectTenantTable(q, 'message_body', { app: 'SELECT, INSERT', worker: 'SELECT, DELETE', admin: null });
  await protectTenantTable(q, 'recipient', write);
  await protectTenantTable(q, 'backlog', {
    app: 'SELECT, INSERT, DELETE, UPDATE',
    worker: 'SELECT, INSERT, UPDATE, DELETE',
    admin: 'SELECT, UPDATE, DELETE',
  });
  await protectTenantTable(q, 'idempotency', {
    app: 'SELECT, INSERT, UPDATE',
    worker: 'SELECT, DELETE',
    admin: null,
  });
  await protectTenantTable(q, 'attempt', { app: 'SELECT', worker: 'SELECT, INSERT, UPDATE', admin: 'SELECT' });
  await protectTenantTable(q, 'in_doubt', { app: null, worker: 'SELECT, INSERT, UPDATE, DELETE', admin: 'SELECT' });
  await protectTenantTable(q, 'message_event', {
    app: 'SELECT, INSERT',
    worker: 'SELECT, INSERT',
    admin: 'SELECT, INSERT',
  });
  await protectTenantTable(q, 'suppression', {
    app: 'SELECT, INSERT, DELETE',
    worker: 'SELECT, INSERT',
    admin: 'SELECT',
  });
  await q.query(`
    GRANT SELECT, INSERT, UPDATE ON batch TO pf_worker;
    GRANT SELECT ON batch TO pf_admin;
    GRANT INSERT, SELECT (id) ON notification TO pf_app;
    GRANT SELECT, UPDATE, DELETE ON notification TO pf_worker;
    GRANT SELECT ON notification TO pf_admin;`);
}
