-- The schema as the migrations leave it, for reading and for comparing; it is not run.
-- Written by "npm run db:schema". Partitions are left out: which ones exist depends on the day.

-- extensions btree_gist
EXTENSION btree_gist

-- function append_audit(uuid,timestamp with time zone,text,text,text,uuid,text,jsonb)
GRANT EXECUTE TO pf_admin
GRANT EXECUTE TO pf_app
GRANT EXECUTE TO pf_owner
GRANT EXECUTE TO pf_worker
OWNER pf_owner
CREATE OR REPLACE FUNCTION public.append_audit(p_id uuid, p_at timestamp with time zone, p_actor text, p_action text, p_subject text, p_tenant uuid, p_request text, p_detail jsonb)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public'
AS $function$
      DECLARE
        v_seq bigint;
        v_prev bytea;
        v_hash bytea;
      BEGIN
        IF p_tenant IS NOT NULL THEN
          INSERT INTO audit_head (tenant_id, seq, hash) VALUES (p_tenant, 0, '') ON CONFLICT (tenant_id) DO NOTHING;
          SELECT head.seq + 1, head.hash INTO v_seq, v_prev FROM audit_head head WHERE head.tenant_id = p_tenant FOR UPDATE;
          v_hash := audit_hash(v_prev, v_seq, p_id, p_at, p_actor, p_action, p_subject, p_tenant, p_request, p_detail);
          UPDATE audit_head SET seq = v_seq, hash = v_hash WHERE tenant_id = p_tenant;
        END IF;
        INSERT INTO audit_log (id, at, actor, action, subject, tenant_id, request_id, detail, seq, prev_hash, hash)
        VALUES (p_id, p_at, p_actor, p_action, p_subject, p_tenant, p_request, p_detail, v_seq, v_prev, v_hash);
      END $function$

-- function audit_hash(bytea,bigint,uuid,timestamp with time zone,text,text,text,uuid,text,jsonb)
GRANT EXECUTE TO PUBLIC
GRANT EXECUTE TO pf_owner
OWNER pf_owner
CREATE OR REPLACE FUNCTION public.audit_hash(prev bytea, seq bigint, id uuid, at timestamp with time zone, actor text, action text, subject text, tenant uuid, request text, detail jsonb)
 RETURNS bytea
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_catalog', 'public'
AS $function$ SELECT sha256(convert_to(jsonb_build_array(encode(prev, 'hex'), seq, id, extract(epoch FROM at), actor, action, subject,
                                                       tenant, request, detail)::text, 'UTF8')) $function$

-- function check_invoice_lines()
GRANT EXECUTE TO PUBLIC
GRANT EXECUTE TO pf_owner
OWNER pf_owner
CREATE OR REPLACE FUNCTION public.check_invoice_lines()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
      DECLARE
        wrong text;
      BEGIN
        SELECT i.number INTO wrong FROM (SELECT DISTINCT tenant_id, invoice_id FROM added) a
          JOIN invoice i ON i.tenant_id = a.tenant_id AND i.id = a.invoice_id
         CROSS JOIN LATERAL (SELECT count(*) AS lines, sum(l.amount_micro) AS micro FROM invoice_line l
                              WHERE l.tenant_id = a.tenant_id AND l.invoice_id = a.invoice_id) written
         WHERE written.lines <> i.line_count OR written.micro <> i.total_cents * 10000 LIMIT 1;
        IF FOUND THEN
          RAISE EXCEPTION 'the lines of invoice % are not those it was issued with', wrong USING ERRCODE = 'PF001';
        END IF;
        RETURN NULL;
      END $function$

-- function create_day_partitions(date,integer)
GRANT EXECUTE TO pf_owner
GRANT EXECUTE TO pf_worker
OWNER pf_owner
CREATE OR REPLACE FUNCTION public.create_day_partitions(first date, days integer)
 RETURNS integer
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public'
 SET lock_timeout TO '5s'
AS $function$
    DECLARE
      made int := 0;
      parent text;
      child text;
      day date;
    BEGIN
      IF days NOT BETWEEN 1 AND 400 THEN RAISE EXCEPTION 'days must be 1 to 400, not %', days; END IF;
      FOR day IN SELECT first + n FROM generate_series(0, days - 1) AS n LOOP
        FOREACH parent IN ARRAY ARRAY['message', 'message_body', 'recipient', 'message_tag', 'batch', 'attempt', 'message_event'] LOOP
          child := parent || '_p' || to_char(day, 'YYYYMMDD');
          CONTINUE WHEN to_regclass('public.' || child) IS NOT NULL;
          EXECUTE format('CREATE TABLE public.%I PARTITION OF public.%I FOR VALUES FROM (%L) TO (%L) WITH (fillfactor = %s,
              autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.2, autovacuum_analyze_scale_factor = 0.05)',
            child, parent, uuid_floor(day), uuid_floor(day + 1),
            CASE WHEN parent IN ('message', 'attempt', 'batch') THEN 45 WHEN parent = 'recipient' THEN 80 ELSE 100 END);
          EXECUTE format('ALTER TABLE public.%I ENABLE ROW LEVEL SECURITY', child);
          EXECUTE format('ALTER TABLE public.%I FORCE ROW LEVEL SECURITY', child);
          PERFORM open_day_partition(parent, child);
          made := made + 1;
        END LOOP;
      END LOOP;
      RETURN made;
    END $function$

-- function drop_day_partitions(text,date)
GRANT EXECUTE TO pf_owner
GRANT EXECUTE TO pf_worker
OWNER pf_owner
CREATE OR REPLACE FUNCTION public.drop_day_partitions(parent text, before date)
 RETURNS integer
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public'
 SET lock_timeout TO '500ms'
AS $function$
      DECLARE
        children text[];
        child text;
      BEGIN
        IF NOT parent = ANY (ARRAY['message', 'message_body', 'recipient', 'message_tag', 'batch', 'attempt', 'message_event']) THEN
          RAISE EXCEPTION '% has no day partitions', parent;
        END IF;
        IF before > (now() AT TIME ZONE 'UTC')::date THEN RAISE EXCEPTION 'days that are not over are not dropped: %', before; END IF;
        children := ARRAY(
          SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
           WHERE i.inhparent = ('public.' || parent)::regclass AND c.relname < parent || '_p' || to_char(before, 'YYYYMMDD')
             AND c.relname LIKE parent || '\_p________' ORDER BY c.relname);
        IF cardinality(children) = 0 THEN RETURN 0; END IF;
        EXECUTE format('LOCK TABLE ONLY public.%I IN ACCESS EXCLUSIVE MODE', parent);
        PERFORM set_config('lock_timeout', '100ms', true);
        FOREACH child IN ARRAY children LOOP
          EXECUTE format('DROP TABLE public.%I', child);
        END LOOP;
        RETURN cardinality(children);
      END $function$

-- function find_api_key(bytea)
GRANT EXECUTE TO pf_app
GRANT EXECUTE TO pf_owner
OWNER pf_owner
CREATE OR REPLACE FUNCTION public.find_api_key(wanted bytea)
 RETURNS TABLE(id uuid, tenant_id uuid, mode text, scopes text[], expires_at timestamp with time zone, revoked_at timestamp with time zone)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public'
AS $function$ SELECT k.id, k.tenant_id, k.mode, k.scopes, k.expires_at, k.revoked_at FROM public.api_key k WHERE k.digest = wanted $function$

-- function find_operator_key(bytea)
GRANT EXECUTE TO pf_admin
GRANT EXECUTE TO pf_app
GRANT EXECUTE TO pf_owner
OWNER pf_owner
CREATE OR REPLACE FUNCTION public.find_operator_key(wanted bytea)
 RETURNS TABLE(id uuid, name text, role text, expires_at timestamp with time zone, revoked_at timestamp with time zone)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public'
AS $function$ SELECT k.id, k.name, k.role, k.expires_at, k.revoked_at FROM public.operator_key k WHERE k.digest = wanted $function$

-- function open_day_partition(text,text)
GRANT EXECUTE TO pf_owner
OWNER pf_owner
CREATE OR REPLACE FUNCTION public.open_day_partition(parent text, child text)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
      DECLARE
        privileges text := CASE parent WHEN 'message' THEN 'SELECT, UPDATE' WHEN 'message_body' THEN 'SELECT' WHEN 'recipient' THEN 'SELECT' WHEN 'attempt' THEN 'SELECT, INSERT, UPDATE' END;
      BEGIN
        IF parent = 'message_body' THEN
          EXECUTE format('ALTER TABLE public.%I SET (toast_tuple_target = 4080)', child);
        END IF;
        IF privileges IS NULL THEN RETURN; END IF;
        EXECUTE format('CREATE POLICY fleet ON public.%I TO pf_worker USING (true)', child);
        EXECUTE format('GRANT %s ON public.%I TO pf_worker', privileges, child);
      END $function$

-- function refuse_change_of_final_lines()
GRANT EXECUTE TO PUBLIC
GRANT EXECUTE TO pf_owner
OWNER pf_owner
CREATE OR REPLACE FUNCTION public.refuse_change_of_final_lines()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
      DECLARE
        final text;
      BEGIN
        IF TG_TABLE_NAME = 'allocation' THEN
          SELECT period INTO final FROM billing_period
           WHERE state = 'FINAL' AND period IN (
             SELECT line.period FROM changed JOIN fleet_line line ON line.id = changed.fleet_line_id) LIMIT 1;
        ELSE
          SELECT period INTO final FROM billing_period
           WHERE state = 'FINAL' AND period IN (SELECT changed.period FROM changed) LIMIT 1;
        END IF;
        IF final IS NOT NULL THEN
          RAISE EXCEPTION 'billing period % is FINAL: % cannot change', final, TG_TABLE_NAME USING ERRCODE = 'PF001';
        END IF;
        RETURN NULL;
      END $function$

-- function refuse_change_of_final_period()
GRANT EXECUTE TO PUBLIC
GRANT EXECUTE TO pf_owner
OWNER pf_owner
CREATE OR REPLACE FUNCTION public.refuse_change_of_final_period()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
      BEGIN
        IF OLD.state = 'FINAL' THEN
          RAISE EXCEPTION 'billing period % is FINAL', OLD.period USING ERRCODE = 'PF001';
        END IF;
        RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
      END $function$

-- function refuse_change_of_invoice()
GRANT EXECUTE TO PUBLIC
GRANT EXECUTE TO pf_owner
OWNER pf_owner
CREATE OR REPLACE FUNCTION public.refuse_change_of_invoice()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
      BEGIN
        IF TG_OP = 'UPDATE' AND OLD.state = 'FINAL' AND NEW.state = 'VOID'
           AND (to_jsonb(NEW) - ARRAY['state', 'voided_at', 'void_reason']) = (to_jsonb(OLD) - ARRAY['state', 'voided_at', 'void_reason']) THEN
          RETURN NEW;
        END IF;
        RAISE EXCEPTION 'invoice % was issued: it is voided or corrected by a credit note, never changed', OLD.number USING ERRCODE = 'PF001';
      END $function$

-- function refuse_change_of_invoice_line()
GRANT EXECUTE TO PUBLIC
GRANT EXECUTE TO pf_owner
OWNER pf_owner
CREATE OR REPLACE FUNCTION public.refuse_change_of_invoice_line()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
      BEGIN
        RAISE EXCEPTION 'lines of an issued invoice are never changed' USING ERRCODE = 'PF001';
      END $function$

-- function refuse_change_of_plan_price()
GRANT EXECUTE TO PUBLIC
GRANT EXECUTE TO pf_owner
OWNER pf_owner
CREATE OR REPLACE FUNCTION public.refuse_change_of_plan_price()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
      BEGIN
        IF OLD.valid_to IS NOT NULL OR (to_jsonb(NEW) - 'valid_to') <> (to_jsonb(OLD) - 'valid_to') THEN
          RAISE EXCEPTION 'a published price of a plan is not changed' USING ERRCODE = 'PF002';
        END IF;
        RETURN NEW;
      END $function$

-- function refuse_change_of_rate()
GRANT EXECUTE TO PUBLIC
GRANT EXECUTE TO pf_owner
OWNER pf_owner
CREATE OR REPLACE FUNCTION public.refuse_change_of_rate()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
        BEGIN
          IF OLD.valid_to IS NOT NULL OR (to_jsonb(NEW) - 'valid_to') <> (to_jsonb(OLD) - 'valid_to') THEN
            RAISE EXCEPTION 'a published price is not changed: it ends, and the next one begins' USING ERRCODE = 'PF002';
          END IF;
          RETURN NEW;
        END $function$

-- function uuid_floor(date)
GRANT EXECUTE TO PUBLIC
GRANT EXECUTE TO pf_owner
OWNER pf_owner
CREATE OR REPLACE FUNCTION public.uuid_floor(day date)
 RETURNS uuid
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE STRICT
 SET search_path TO 'pg_catalog'
RETURN ((lpad(to_hex(((EXTRACT(epoch FROM day))::bigint * 1000)), 12, '0'::text) || '00000000000000000000'::text))::uuid

-- schemas public
GRANT CREATE, USAGE TO pf_owner
GRANT USAGE TO pf_admin
GRANT USAGE TO pf_app
GRANT USAGE TO pf_migrate
GRANT USAGE TO pf_worker
OWNER pf_owner

-- sequences bill_import_id_seq
SEQUENCE bigint START 1 INCREMENT 1 GRANT SELECT, UPDATE, USAGE TO pf_owner

-- sequences bill_line_id_seq
SEQUENCE bigint START 1 INCREMENT 1 GRANT SELECT, UPDATE, USAGE TO pf_owner

-- sequences billing_alarm_id_seq
SEQUENCE bigint START 1 INCREMENT 1 GRANT SELECT, UPDATE, USAGE TO pf_owner

-- sequences fleet_line_id_seq
SEQUENCE bigint START 1 INCREMENT 1 GRANT SELECT, UPDATE, USAGE TO pf_owner

-- sequences outbox_id_seq
SEQUENCE bigint START 1 INCREMENT 1 GRANT SELECT, UPDATE, USAGE TO pf_owner

-- sequences plan_price_id_seq
SEQUENCE bigint START 1 INCREMENT 1 GRANT SELECT, UPDATE, USAGE TO pf_owner

-- sequences rate_id_seq
SEQUENCE bigint START 1 INCREMENT 1 GRANT SELECT, UPDATE, USAGE TO pf_owner

-- sequences schema_migration_id_seq
SEQUENCE integer START 1 INCREMENT 1 GRANT SELECT, UPDATE, USAGE TO pf_owner

-- table account_plan
TABLE OWNER pf_owner
COLUMN sending_account_id uuid NOT NULL
COLUMN pricing_plan text NOT NULL
COLUMN valid_from timestamp with time zone NOT NULL
COLUMN valid_to timestamp with time zone
CONSTRAINT account_plan_check CHECK ((valid_to > valid_from))
CONSTRAINT account_plan_pkey PRIMARY KEY (sending_account_id, valid_from)
CONSTRAINT account_plan_pricing_plan_check CHECK ((pricing_plan = ANY (ARRAY['NONE'::text, 'ESSENTIALS'::text, 'PRO'::text, 'ENTERPRISE'::text])))
CONSTRAINT account_plan_sending_account_id_fkey FOREIGN KEY (sending_account_id) REFERENCES sending_account(id)
CONSTRAINT account_plan_sending_account_id_tstzrange_excl EXCLUDE USING gist (sending_account_id WITH =, tstzrange(valid_from, valid_to) WITH &&)
GRANT DELETE, INSERT, MAINTAIN, REFERENCES, SELECT, TRIGGER, TRUNCATE, UPDATE TO pf_owner
GRANT DELETE, INSERT, SELECT, UPDATE TO pf_admin
GRANT DELETE, INSERT, SELECT, UPDATE TO pf_worker
GRANT SELECT TO pf_app
COMMENT 'the pricing plan that SES had each account on, and the one it has announced'

-- table allocation
TABLE OWNER pf_owner ROW LEVEL SECURITY FORCED
COLUMN fleet_line_id bigint NOT NULL
COLUMN bearer text NOT NULL
COLUMN tenant_id uuid
COLUMN weight numeric NOT NULL
COLUMN quantity numeric NOT NULL
COLUMN amount_micro bigint NOT NULL
CONSTRAINT allocation_bearer_check CHECK ((bearer = ANY (ARRAY['TENANT'::text, 'IDLE'::text, 'PLATFORM'::text])))
CONSTRAINT allocation_check CHECK (((bearer = 'TENANT'::text) = (tenant_id IS NOT NULL)))
CONSTRAINT allocation_fleet_line_id_bearer_tenant_id_key UNIQUE NULLS NOT DISTINCT (fleet_line_id, bearer, tenant_id)
CONSTRAINT allocation_fleet_line_id_fkey FOREIGN KEY (fleet_line_id) REFERENCES fleet_line(id)
CONSTRAINT allocation_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenant(id)
CONSTRAINT allocation_weight_check CHECK ((weight >= (0)::numeric))
CREATE INDEX allocation_of_tenant ON public.allocation USING btree (tenant_id, fleet_line_id) WHERE (tenant_id IS NOT NULL)
POLICY fleet FOR ALL TO pf_worker USING (true)
POLICY guard RESTRICTIVE FOR ALL TO pf_app USING ((tenant_id = ( SELECT CASE WHEN (current_setting('app.tenant_at'::text, true) = (EXTRACT(epoch FROM transaction_timestamp()))::text) THEN (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid ELSE NULL::uuid END AS "case")))
POLICY operators FOR ALL TO pf_admin USING (true)
POLICY tenant FOR ALL TO pf_app USING ((tenant_id = ( SELECT CASE WHEN (current_setting('app.tenant_at'::text, true) = (EXTRACT(epoch FROM transaction_timestamp()))::text) THEN (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid ELSE NULL::uuid END AS "case")))
CREATE TRIGGER final_delete AFTER DELETE ON public.allocation REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_final_lines()
CREATE TRIGGER final_insert AFTER INSERT ON public.allocation REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_final_lines()
CREATE TRIGGER final_update AFTER UPDATE ON public.allocation REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_final_lines()
GRANT DELETE, INSERT, MAINTAIN, REFERENCES, SELECT, TRIGGER, TRUNCATE, UPDATE TO pf_owner
GRANT DELETE, INSERT, SELECT TO pf_admin
GRANT DELETE, INSERT, SELECT TO pf_worker

-- table api_key
TABLE OWNER pf_owner ROW LEVEL SECURITY FORCED
COLUMN tenant_id uuid NOT NULL
COLUMN id uuid NOT NULL
COLUMN name text NOT NULL
COLUMN mode text NOT NULL
COLUMN prefix text NOT NULL
COLUMN digest bytea NOT NULL
COLUMN scopes text[] NOT NULL
COLUMN expires_at timestamp with time zone
COLUMN revoked_at timestamp with time zone
COLUMN last_used_at timestamp with time zone
COLUMN created_at timestamp with time zone NOT NULL
CONSTRAINT api_key_digest_key UNIQUE (digest)
CONSTRAINT api_key_mode_check CHECK ((mode = ANY (ARRAY['LIVE'::text, 'TEST'::text])))
CONSTRAINT api_key_pkey PRIMARY KEY (tenant_id, id)
CONSTRAINT api_key_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenant(id)
POLICY guard RESTRICTIVE FOR ALL TO pf_app USING ((tenant_id = ( SELECT CASE WHEN (current_setting('app.tenant_at'::text, true) = (EXTRACT(epoch FROM transaction_timestamp()))::text) THEN (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid ELSE NULL::uuid END AS "case")))
POLICY lookup FOR SELECT TO pf_owner USING (true)
POLICY operators FOR ALL TO pf_admin USING (true)
POLICY tenant FOR ALL TO pf_app USING ((tenant_id = ( SELECT CASE WHEN (current_setting('app.tenant_at'::text, true) = (EXTRACT(epoch FROM transaction_timestamp()))::text) THEN (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid ELSE NULL::uuid END AS "case")))
GRANT DELETE, INSERT, MAINTAIN, REFERENCES, SELECT, TRIGGER, TRUNCATE, UPDATE TO pf_owner
GRANT INSERT, SELECT, UPDATE TO pf_admin
GRANT INSERT, SELECT, UPDATE TO pf_app

-- table attempt
TABLE PARTITION BY RANGE (message_id) OWNER pf_owner ROW LEVEL SECURITY FORCED
COLUMN tenant_id uuid NOT NULL
COLUMN message_id uuid NOT NULL
COLUMN attempt_no smallint NOT NULL
COLUMN id uuid NOT NULL
COLUMN batch_id uuid NOT NULL
COLUMN sending_account_id uuid NOT NULL
COLUMN lane_id uuid NOT NULL
COLUMN mode text NOT NULL
COLUMN stream text NOT NULL
COLUMN n_rcpt smallint NOT NULL
COLUMN bytes integer NOT NULL
COLUMN created_at timestamp with time zone NOT NULL
COLUMN state text NOT NULL
COLUMN ended_at timestamp with time zone
COLUMN send_event_at timestamp with time zone
COLUMN ses_message_id text
COLUMN error_code text
COLUMN error text
CONSTRAINT attempt_pkey PRIMARY KEY (tenant_id, message_id, attempt_no)
CONSTRAINT attempt_state_check CHECK ((state = ANY (ARRAY['INTENT'::text, 'SENT'::text, 'REJECTED'::text, 'NOT_SENT'::text, 'IN_DOUBT'::text])))
CREATE INDEX attempt_by_tenant ON ONLY public.attempt USING btree (tenant_id, created_at) WHERE (created_at IS NOT NULL)
CREATE INDEX attempt_time ON ONLY public.attempt USING brin (created_at) WITH (pages_per_range='16', autosummarize='on')
POLICY fleet FOR ALL TO pf_worker USING (true)
POLICY guard RESTRICTIVE FOR ALL TO pf_app USING ((tenant_id = ( SELECT CASE WHEN (current_setting('app.tenant_at'::text, true) = (EXTRACT(epoch FROM transaction_timestamp()))::text) THEN (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid ELSE NULL::uuid END AS "case")))
POLICY operators FOR ALL TO pf_admin USING (true)
POLICY tenant FOR ALL TO pf_app USING ((tenant_id = ( SELECT CASE WHEN (current_setting('app.tenant_at'::text, true) = (EXTRACT(epoch FROM transaction_timestamp()))::text) THEN (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid ELSE NULL::uuid END AS "case")))
GRANT DELETE, INSERT, MAINTAIN, REFERENCES, SELECT, TRIGGER, TRUNCATE, UPDATE TO pf_owner
GRANT INSERT, SELECT, UPDATE TO pf_worker
GRANT SELECT TO pf_admin
GRANT SELECT TO pf_app
COMMENT ON send_event_at 'when SES confirmed this attempt by its Send event; the proof that settles doubt'

-- table audit_head
TABLE OWNER pf_owner ROW LEVEL SECURITY FORCED
COLUMN tenant_id uuid NOT NULL
COLUMN seq bigint NOT NULL
COLUMN hash bytea NOT NULL
CONSTRAINT audit_head_pkey PRIMARY KEY (tenant_id)
POLICY chain FOR ALL TO pf_owner USING (true)
POLICY fleet FOR ALL TO pf_worker USING (true)
POLICY guard RESTRICTIVE FOR ALL TO pf_app USING ((tenant_id = ( SELECT CASE WHEN (current_setting('app.tenant_at'::text, true) = (EXTRACT(epoch FROM transaction_timestamp()))::text) THEN (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid ELSE NULL::uuid END AS "case")))
POLICY operators FOR ALL TO pf_admin USING (true)
POLICY tenant FOR ALL TO pf_app USING ((tenant_id = ( SELECT CASE WHEN (current_setting('app.tenant_at'::text, true) = (EXTRACT(epoch FROM transaction_timestamp()))::text) THEN (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid ELSE NULL::uuid END AS "case")))
GRANT DELETE, INSERT, MAINTAIN, REFERENCES, SELECT, TRIGGER, TRUNCATE, UPDATE TO pf_owner
GRANT SELECT TO pf_admin
GRANT SELECT TO pf_worker
COMMENT 'the last entry of each tenant''s chain'

-- table audit_log
TABLE OWNER pf_owner
COLUMN id uuid NOT NULL
COLUMN at timestamp with time zone NOT NULL
COLUMN actor text NOT NULL
COLUMN action text NOT NULL
COLUMN subject text NOT NULL
COLUMN tenant_id uuid
COLUMN request_id text
COLUMN detail jsonb NOT NULL DEFAULT '{}'::jsonb
COLUMN seq bigint
COLUMN prev_hash bytea
COLUMN hash bytea
CONSTRAINT audit_log_pkey PRIMARY KEY (id)
GRANT DELETE, INSERT, MAINTAIN, REFERENCES, SELECT, TRIGGER, TRUNCATE, UPDATE TO pf_owner
GRANT SELECT TO pf_admin

-- table aws_account
TABLE OWNER pf_owner
COLUMN id uuid NOT NULL
COLUMN account_id text NOT NULL
COLUMN name text NOT NULL
COLUMN tier text NOT NULL
COLUMN mode text NOT NULL
COLUMN regions text[] NOT NULL
COLUMN external_id text NOT NULL
COLUMN send_role_arn text NOT NULL
COLUMN manage_role_arn text NOT NULL
COLUMN state text NOT NULL
COLUMN failed_step text
COLUMN failure text
COLUMN fix text
COLUMN created_at timestamp with time zone NOT NULL
COLUMN verified_at timestamp with time zone
CONSTRAINT aws_account_account_id_check CHECK ((account_id ~ '^[0-9]{12}$'::text))
CONSTRAINT aws_account_account_id_key UNIQUE (account_id)
CONSTRAINT aws_account_external_id_key UNIQUE (external_id)
CONSTRAINT aws_account_mode_check CHECK ((mode = ANY (ARRAY['LIVE'::text, 'TEST'::text])))
CONSTRAINT aws_account_pkey PRIMARY KEY (id)
CONSTRAINT aws_account_regions_check CHECK ((cardinality(regions) > 0))
CONSTRAINT aws_account_state_check CHECK ((state = ANY (ARRAY['VERIFYING'::text, 'ACTIVE'::text, 'FAILED'::text])))
CONSTRAINT aws_account_tier_fkey FOREIGN KEY (tier) REFERENCES tier(code)
GRANT DELETE, INSERT, MAINTAIN, REFERENCES, SELECT, TRIGGER, TRUNCATE, UPDATE TO pf_owner
GRANT INSERT, SELECT, UPDATE TO pf_admin
GRANT INSERT, SELECT, UPDATE TO pf_worker
GRANT SELECT (account_id) TO pf_app
GRANT SELECT (id) TO pf_app
GRANT SELECT (mode) TO pf_app
GRANT SELECT (state) TO pf_app

-- table backlog
TABLE OWNER pf_owner WITH (fillfactor=90, autovacuum_vacuum_scale_factor=0.02, autovacuum_vacuum_threshold=1000, autovacuum_vacuum_cost_delay=0) ROW LEVEL SECURITY FORCED
COLUMN tenant_id uuid NOT NULL
COLUMN message_id uuid NOT NULL
COLUMN mode text NOT NULL
COLUMN stream text NOT NULL
COLUMN sending_account_id uuid NOT NULL
COLUMN n_rcpt smallint NOT NULL
COLUMN scheduled boolean NOT NULL
COLUMN due_at timestamp with time zone
COLUMN expires_at timestamp with time zone NOT NULL
CONSTRAINT backlog_pkey PRIMARY KEY (tenant_id, message_id)
CREATE INDEX backlog_expiring ON public.backlog USING btree (expires_at)
CREATE INDEX backlog_ready ON public.backlog USING btree (sending_account_id, stream, tenant_id, message_id) WHERE (NOT scheduled)
CREATE INDEX backlog_scheduled ON public.backlog USING btree (due_at) WHERE scheduled
POLICY fleet FOR ALL TO pf_worker USING (true)
POLICY guard RESTRICTIVE FOR ALL TO pf_app USING ((tenant_id = ( SELECT CASE WHEN (current_setting('app.tenant_at'::text, true) = (EXTRACT(epoch FROM transaction_timestamp()))::text) THEN (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid ELSE NULL::uuid END AS "case")))
POLICY operators FOR ALL TO pf_admin USING (true)
POLICY tenant FOR ALL TO pf_app USING ((tenant_id = ( SELECT CASE WHEN (current_setting('app.tenant_at'::text, true) = (EXTRACT(epoch FROM transaction_timestamp()))::text) THEN (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid ELSE NULL::uuid END AS "case")))
GRANT DELETE, INSERT, MAINTAIN, REFERENCES, SELECT, TRIGGER, TRUNCATE, UPDATE TO pf_owner
GRANT DELETE, INSERT, SELECT, UPDATE TO pf_app
GRANT DELETE, INSERT, SELECT, UPDATE TO pf_worker
GRANT DELETE, SELECT, UPDATE TO pf_admin
COMMENT ON due_at 'not before this time; null = at once'

-- table batch
TABLE PARTITION BY RANGE (id) OWNER pf_owner
COLUMN id uuid NOT NULL
COLUMN sending_account_id uuid NOT NULL
COLUMN worker text NOT NULL
COLUMN granted integer NOT NULL
COLUMN bucket timestamp with time zone NOT NULL
COLUMN slot_end timestamp with time zone NOT NULL
COLUMN created_at timestamp with time zone NOT NULL
COLUMN tenant_ids uuid[] NOT NULL DEFAULT '{}'::uuid[]
COLUMN message_ids uuid[] NOT NULL DEFAULT '{}'::uuid[]
COLUMN claimed integer NOT NULL
COLUMN state text NOT NULL
COLUMN settled_at timestamp with time zone
CONSTRAINT batch_pkey PRIMARY KEY (id)
CONSTRAINT batch_state_check CHECK ((state = ANY (ARRAY['OPEN'::text, 'SETTLED'::text, 'VOID'::text])))
CREATE INDEX batch_open ON ONLY public.batch USING btree (slot_end) WHERE (state = 'OPEN'::text)
CREATE INDEX batch_usage ON ONLY public.batch USING btree (sending_account_id, bucket)
GRANT DELETE, INSERT, MAINTAIN, REFERENCES, SELECT, TRIGGER, TRUNCATE, UPDATE TO pf_owner
GRANT INSERT, SELECT, UPDATE TO pf_worker
GRANT SELECT TO pf_admin
COMMENT ON message_ids 'what was claimed, message by message with tenant_ids: the way from a batch to its attempts'

-- table bill_import
TABLE OWNER pf_owner
COLUMN id bigint NOT NULL GENERATED ALWAYS AS IDENTITY
COLUMN period text NOT NULL
COLUMN payer text NOT NULL
COLUMN format text NOT NULL
COLUMN file_name text NOT NULL
COLUMN sha256 text NOT NULL
COLUMN lines bigint NOT NULL
COLUMN total_micro bigint NOT NULL
COLUMN outside_micro bigint NOT NULL
COLUMN imported_at timestamp with time zone NOT NULL
COLUMN actor text NOT NULL
COLUMN superseded_at timestamp with time zone
CONSTRAINT bill_import_format_check CHECK ((format = ANY (ARRAY['CUR'::text, 'FOCUS'::text])))
CONSTRAINT bill_import_payer_check CHECK ((payer ~ '^[0-9]{12}$'::text))
CONSTRAINT bill_import_period_fkey FOREIGN KEY (period) REFERENCES billing_period(period)
CONSTRAINT bill_import_pkey PRIMARY KEY (id)
CONSTRAINT bill_import_sha256_check CHECK ((sha256 ~ '^[0-9a-f]{64}$'::text))
CREATE INDEX bill_import_of_period ON public.bill_import USING btree (period)
CREATE UNIQUE INDEX bill_import_counted_once ON public.bill_import USING btree (sha256) WHERE (superseded_at IS NULL)
GRANT DELETE, INSERT, MAINTAIN, REFERENCES, SELECT, TRIGGER, TRUNCATE, UPDATE TO pf_owner
GRANT INSERT, SELECT TO pf_admin
GRANT SELECT TO pf_worker
GRANT UPDATE (superseded_at) TO pf_admin
COMMENT ON outside_micro 'charges of accounts of the same payer that are not in the fleet'
COMMENT ON superseded_at 'when a later report of the same payer and month took its place'
COMMENT ON total_micro 'charges of the fleet''s own accounts'

-- table bill_line
TABLE OWNER pf_owner
COLUMN id bigint NOT NULL GENERATED ALWAYS AS IDENTITY
COLUMN import_id bigint NOT NULL
COLUMN aws_account text NOT NULL
COLUMN region text NOT NULL
COLUMN product text NOT NULL
COLUMN usage_type text NOT NULL
COLUMN line_type text NOT NULL
COLUMN charge_class text
COLUMN lines bigint NOT NULL
COLUMN quantity numeric NOT NULL
COLUMN free_quantity numeric NOT NULL
COLUMN cost_exact numeric NOT NULL
COLUMN cost_micro bigint NOT NULL
COLUMN in_fleet boolean NOT NULL
CONSTRAINT bill_line_aws_account_check CHECK ((aws_account ~ '^[0-9]{12}$'::text))
CONSTRAINT bill_line_charge_class_check CHECK ((charge_class = 'Correction'::text))
CONSTRAINT bill_line_import_id_fkey FOREIGN KEY (import_id) REFERENCES bill_import(id)
CONSTRAINT bill_line_pkey PRIMARY KEY (id)
CREATE INDEX bill_line_of_import ON public.bill_line USING btree (import_id)
GRANT DELETE, INSERT, MAINTAIN, REFERENCES, SELECT, TRIGGER, TRUNCATE, UPDATE TO pf_owner
GRANT INSERT, SELECT TO pf_admin
GRANT SELECT TO pf_worker
COMMENT ON cost_exact 'dollars as the report has them; cost_micro of all lines of an import add up to its exact total, rounded once'
COMMENT ON free_quantity 'the part of the quantity that costs nothing'

-- table billing_alarm
TABLE OWNER pf_owner
COLUMN id bigint NOT NULL GENERATED ALWAYS AS IDENTITY
COLUMN period text NOT NULL
COLUMN kind text NOT NULL
COLUMN aws_account text NOT NULL
COLUMN region text NOT NULL
COLUMN usage_type text NOT NULL
COLUMN ours_micro bigint NOT NULL
COLUMN billed_micro bigint NOT NULL
COLUMN raised_at timestamp with time zone NOT NULL
CONSTRAINT billing_alarm_kind_check CHECK ((kind = ANY (ARRAY['DELTA'::text, 'UNKNOWN_USAGE'::text])))
CONSTRAINT billing_alarm_period_fkey FOREIGN KEY (period) REFERENCES billing_period(period)
CONSTRAINT billing_alarm_period_kind_aws_account_region_usage_type_key UNIQUE (period, kind, aws_account, region, usage_type)
CONSTRAINT billing_alarm_pkey PRIMARY KEY (id)
GRANT DELETE, INSERT, MAINTAIN, REFERENCES, SELECT, TRIGGER, TRUNCATE, UPDATE TO pf_owner
GRANT DELETE, INSERT, SELECT TO pf_admin
GRANT DELETE, INSERT, SELECT TO pf_worker

-- table billing_period
TABLE OWNER pf_owner
COLUMN period text NOT NULL
COLUMN state text NOT NULL DEFAULT 'OPEN'::text
COLUMN goal text
COLUMN without_bill boolean NOT NULL DEFAULT false
COLUMN asked bigint NOT NULL DEFAULT 0
COLUMN step text
COLUMN done bigint NOT NULL DEFAULT 0
COLUMN total bigint NOT NULL DEFAULT 0
COLUMN in_doubt_messages bigint NOT NULL DEFAULT 0
COLUMN in_doubt_recipients bigint NOT NULL DEFAULT 0
COLUMN input_hash text
COLUMN failure text
COLUMN refreshed_at timestamp with time zone
COLUMN provisional_at timestamp with time zone
COLUMN reconciled_at timestamp with time zone
COLUMN final_at timestamp with time zone
COLUMN is_closed boolean NOT NULL GENERATED ALWAYS AS (((state = 'FINAL'::text) OR COALESCE((step = ANY (ARRAY['FINALISE_INVOICES'::text, 'SEAL'::text])), false)))
CONSTRAINT billing_period_check CHECK (((state = 'FINAL'::text) = (final_at IS NOT NULL)))
CONSTRAINT billing_period_done_check CHECK ((done >= 0))
CONSTRAINT billing_period_goal_check CHECK ((goal = ANY (ARRAY['PROVISIONAL'::text, 'RECONCILED'::text, 'FINAL'::text])))
CONSTRAINT billing_period_period_check CHECK ((period ~ '^20[0-9]{2}-(0[1-9]|1[0-2])$'::text))
CONSTRAINT billing_period_pkey PRIMARY KEY (period)
CONSTRAINT billing_period_state_check CHECK ((state = ANY (ARRAY['OPEN'::text, 'PROVISIONAL'::text, 'RECONCILED'::text, 'FINAL'::text])))
CONSTRAINT billing_period_total_check CHECK ((total >= 0))
CREATE TRIGGER final_period BEFORE DELETE OR UPDATE ON public.billing_period FOR EACH ROW EXECUTE FUNCTION refuse_change_of_final_period()
GRANT DELETE, INSERT, MAINTAIN, REFERENCES, SELECT, TRIGGER, TRUNCATE, UPDATE TO pf_owner
GRANT INSERT, SELECT, UPDATE TO pf_admin
GRANT INSERT, SELECT, UPDATE TO pf_worker
GRANT SELECT (period) TO pf_app
GRANT SELECT (state) TO pf_app
COMMENT 'a calendar month in UTC; FINAL is for ever'
COMMENT ON asked 'how often something was asked: what was asked during a close is not done by it'
COMMENT ON goal 'where somebody asked it to go; null = nothing is asked'
COMMENT ON is_closed 'its invoices go out, or have: nothing more is booked in it'
COMMENT ON refreshed_at 'as of when the stored lines are true'
COMMENT ON step 'what the close does right now; null = nothing'
COMMENT ON without_bill 'FINAL was asked for although no bill of AWS was held against it'

-- table billing_profile
TABLE OWNER pf_owner ROW LEVEL SECURITY FORCED
COLUMN tenant_id uuid NOT NULL
COLUMN legal_name text NOT NULL
COLUMN address text[] NOT NULL
COLUMN tax_id text
COLUMN email text
COLUMN updated_at timestamp with time zone NOT NULL
CONSTRAINT billing_profile_pkey PRIMARY KEY (tenant_id)
CONSTRAINT billing_profile_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenant(id)
POLICY fleet FOR ALL TO pf_worker USING (true)
POLICY guard RESTRICTIVE FOR ALL TO pf_app USING ((tenant_id = ( SELECT CASE WHEN (current_setting('app.tenant_at'::text, true) = (EXTRACT(epoch FROM transaction_timestamp()))::text) THEN (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid ELSE NULL::uuid END AS "case")))
POLICY operators FOR ALL TO pf_admin USING (true)
POLICY tenant FOR ALL TO pf_app USING ((tenant_id = ( SELECT CASE WHEN (current_setting('app.tenant_at'::text, true) = (EXTRACT(epoch FROM transaction_timestamp()))::text) THEN (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid ELSE NULL::uuid END AS "case")))
GRANT DELETE, INSERT, MAINTAIN, REFERENCES, SELECT, TRIGGER, TRUNCATE, UPDATE TO pf_owner
GRANT INSERT, SELECT, UPDATE TO pf_admin
GRANT INSERT, SELECT, UPDATE TO pf_app
GRANT SELECT TO pf_worker
COMMENT 'whom invoices are made out to; the name of the tenant where there is none'

-- table billing_verdict
TABLE OWNER pf_owner
COLUMN period text NOT NULL
COLUMN invariant smallint NOT NULL
COLUMN name text NOT NULL
COLUMN violations bigint NOT NULL
COLUMN examples text[] NOT NULL
COLUMN judged_at timestamp with time zone NOT NULL
CONSTRAINT billing_verdict_invariant_check CHECK (((invariant >= 1) AND (invariant <= 14)))
CONSTRAINT billing_verdict_pkey PRIMARY KEY (period, invariant)
CONSTRAINT billing_verdict_violations_check CHECK ((violations >= 0))
GRANT DELETE, INSERT, MAINTAIN, REFERENCES, SELECT, TRIGGER, TRUNCATE, UPDATE TO pf_owner
GRANT INSERT, SELECT, UPDATE TO pf_worker
GRANT SELECT TO pf_admin
COMMENT 'what each invariant of a month''s books was worth when it was last judged'

-- table configuration_set
TABLE OWNER pf_owner ROW LEVEL SECURITY FORCED
COLUMN tenant_id uuid NOT NULL
COLUMN sending_account_id uuid NOT NULL
COLUMN stream text NOT NULL
COLUMN name text NOT NULL
COLUMN lane_id uuid NOT NULL
COLUMN ready_at timestamp with time zone
COLUMN paused_at timestamp with time zone
COLUMN held_until timestamp with time zone
COLUMN held_for text
COLUMN refusals smallint NOT NULL DEFAULT 0
CONSTRAINT configuration_set_held_for_check CHECK ((held_for = ANY (ARRAY['DRIFT'::text, 'DENIED'::text])))
CONSTRAINT configuration_set_lane_id_fkey FOREIGN KEY (lane_id) REFERENCES lane(id)
CONSTRAINT configuration_set_name_check CHECK ((name ~ '^[A-Za-z0-9_-]{1,64}$'::text))
CONSTRAINT configuration_set_pkey PRIMARY KEY (tenant_id, sending_account_id, stream)
CONSTRAINT configuration_set_sending_account_id_fkey FOREIGN KEY (sending_account_id) REFERENCES sending_account(id)
CONSTRAINT configuration_set_stream_check CHECK ((stream = ANY (ARRAY['TRANSACTIONAL'::text, 'MARKETING'::text])))
CONSTRAINT configuration_set_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenant(id)
POLICY fleet FOR ALL TO pf_worker USING (true)
POLICY guard RESTRICTIVE FOR ALL TO pf_app USING ((tenant_id = ( SELECT CASE WHEN (current_setting('app.tenant_at'::text, true) = (EXTRACT(epoch FROM transaction_timestamp()))::text) THEN (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid ELSE NULL::uuid END AS "case")))
POLICY operators FOR ALL TO pf_admin USING (true)
POLICY tenant FOR ALL TO pf_app USING ((tenant_id = ( SELECT CASE WHEN (current_setting('app.tenant_at'::text, true) = (EXTRACT(epoch FROM transaction_timestamp()))::text) THEN (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid ELSE NULL::uuid END AS "case")))
GRANT DELETE, INSERT, MAINTAIN, REFERENCES, SELECT, TRIGGER, TRUNCATE, UPDATE TO pf_owner
GRANT DELETE, INSERT, SELECT, UPDATE TO pf_worker
GRANT INSERT, SELECT, UPDATE TO pf_admin
GRANT SELECT TO pf_app
COMMENT ON held_for 'what SES refused last: DRIFT (something it needs is gone), DENIED (the send role may not)'
COMMENT ON held_until 'nothing is claimed for it before; in the past: when the last hold ended'
COMMENT ON paused_at 'when SES last said that sending through it is paused; null while it is not'
COMMENT ON refusals 'holds that followed each other, which make the next one longer'

-- table cost_policy
TABLE OWNER pf_owner
COLUMN period_from text NOT NULL
COLUMN fees text NOT NULL
COLUMN idle text NOT NULL
CONSTRAINT cost_policy_fees_check CHECK ((fees = ANY (ARRAY['EVEN'::text, 'BY_VOLUME'::text, 'PLATFORM'::text])))
CONSTRAINT cost_policy_idle_check CHECK ((idle = ANY (ARRAY['PLATFORM'::text, 'TENANTS'::text])))
CONSTRAINT cost_policy_period_from_check CHECK ((period_from ~ '^20[0-9]{2}-(0[1-9]|1[0-2])$'::text))
CONSTRAINT cost_policy_pkey PRIMARY KEY (period_from)
GRANT DELETE, INSERT, MAINTAIN, REFERENCES, SELECT, TRIGGER, TRUNCATE, UPDATE TO pf_owner
GRANT INSERT, SELECT, UPDATE TO pf_admin
GRANT SELECT TO pf_worker
COMMENT 'holds from this month on, until the next row'

-- table dedicated_ip
TABLE OWNER pf_owner
COLUMN sending_account_id uuid NOT NULL
COLUMN ip inet NOT NULL
COLUMN lane_id uuid
COLUMN warmup_status text NOT NULL
COLUMN warmup_percentage integer NOT NULL
COLUMN leased_at timestamp with time zone NOT NULL
COLUMN released_at timestamp with time zone
CONSTRAINT dedicated_ip_lane_id_fkey FOREIGN KEY (lane_id) REFERENCES lane(id)
CONSTRAINT dedicated_ip_pkey PRIMARY KEY (sending_account_id, ip)
CONSTRAINT dedicated_ip_sending_account_id_fkey FOREIGN KEY (sending_account_id) REFERENCES sending_account(id)
GRANT DELETE, INSERT, MAINTAIN, REFERENCES, SELECT, TRIGGER, TRUNCATE, UPDATE TO pf_owner
GRANT INSERT, SELECT, UPDATE TO pf_admin
GRANT INSERT, SELECT, UPDATE TO pf_worker

-- table domain
TABLE OWNER pf_owner ROW LEVEL SECURITY FORCED
COLUMN tenant_id uuid NOT NULL
COLUMN id uuid NOT NULL
COLUMN name text NOT NULL
COLUMN state text NOT NULL
COLUMN created_at timestamp with time zone NOT NULL
COLUMN checked_at timestamp with time zone
CONSTRAINT domain_pkey PRIMARY KEY (tenant_id, id)
CONSTRAINT domain_state_check CHECK ((state = ANY (ARRAY['PENDING'::text, 'READY'::text])))
CONSTRAINT domain_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenant(id)
CREATE UNIQUE INDEX domain_owner ON public.domain USING btree (name)
POLICY fleet FOR ALL TO pf_worker USING (true)
POLICY guard RESTRICTIVE FOR ALL TO pf_app USING ((tenant_id = ( SELECT CASE WHEN (current_setting('app.tenant_at'::text, true) = (EXTRACT(epoch FROM transaction_timestamp()))::text) THEN (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid ELSE NULL::uuid END AS "case")))
POLICY operators FOR ALL TO pf_admin USING (true)
POLICY tenant FOR ALL TO pf_app USING ((tenant_id = ( SELECT CASE WHEN (current_setting('app.tenant_at'::text, true) = (EXTRACT(epoch FROM transaction_timestamp()))::text) THEN (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid ELSE NULL::uuid END AS "case")))
GRANT DELETE, INSERT, MAINTAIN, REFERENCES, SELECT, TRIGGER, TRUNCATE, UPDATE TO pf_owner
GRANT INSERT, SELECT, UPDATE TO pf_admin
GRANT SELECT TO pf_app
GRANT SELECT, UPDATE TO pf_worker

-- table domain_identity
TABLE OWNER pf_owner ROW LEVEL SECURITY FORCED
COLUMN tenant_id uuid NOT NULL
COLUMN domain_id uuid NOT NULL
COLUMN sending_account_id uuid NOT NULL
COLUMN state text NOT NULL
COLUMN checked_at timestamp with time zone
CONSTRAINT domain_identity_pkey PRIMARY KEY (tenant_id, domain_id, sending_account_id)
CONSTRAINT domain_identity_sending_account_id_fkey FOREIGN KEY (sending_account_id) REFERENCES sending_account(id)
CONSTRAINT domain_identity_state_check CHECK ((state = ANY (ARRAY['PENDING'::text, 'VERIFIED'::text, 'FAILED'::text])))
CONSTRAINT domain_identity_tenant_id_domain_id_fkey FOREIGN KEY (tenant_id, domain_id) REFERENCES domain(tenant_id, id)
CREATE INDEX domain_identity_unverified ON public.domain_identity USING btree (checked_at) WHERE (state <> 'VERIFIED'::text)
POLICY fleet FOR ALL TO pf_worker USING (true)
POLICY guard RESTRICTIVE FOR ALL TO pf_app USING ((tenant_id = ( SELECT CASE WHEN (current_setting('app.tenant_at'::text, true) = (EXTRACT(epoch FROM transaction_timestamp()))::text) THEN (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid ELSE NULL::uuid END AS "case")))
POLICY operators FOR ALL TO pf_admin USING (true)
POLICY tenant FOR ALL TO pf_app USING ((tenant_id = ( SELECT CASE WHEN (current_setting('app.tenant_at'::text, true) = (EXTRACT(epoch FROM transaction_timestamp()))::text) THEN (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid ELSE NULL::uuid END AS "case")))
GRANT DELETE, INSERT, MAINTAIN, REFERENCES, SELECT, TRIGGER, TRUNCATE, UPDATE TO pf_owner
GRANT DELETE, INSERT, SELECT, UPDATE TO pf_worker
GRANT INSERT, SELECT, UPDATE TO pf_admin
GRANT SELECT TO pf_app

-- table dropped_days
TABLE OWNER pf_owner
COLUMN parent text NOT NULL
COLUMN before date NOT NULL
CONSTRAINT dropped_days_pkey PRIMARY KEY (parent)
GRANT DELETE, INSERT, MAINTAIN, REFERENCES, SELECT, TRIGGER, TRUNCATE, UPDATE TO pf_owner
GRANT INSERT, SELECT, UPDATE TO pf_worker
GRANT SELECT TO pf_admin
COMMENT 'retention has dropped the days of this table before this one'

-- table event_delivery
TABLE OWNER pf_owner ROW LEVEL SECURITY FORCED
COLUMN day date NOT NULL
COLUMN sending_account_id uuid NOT NULL
COLUMN tenant_id uuid NOT NULL
COLUMN part smallint NOT NULL
COLUMN deliveries bigint NOT NULL
CONSTRAINT event_delivery_deliveries_check CHECK ((deliveries > 0))
CONSTRAINT event_delivery_pkey PRIMARY KEY (day, sending_account_id, tenant_id, part)
POLICY fleet FOR ALL TO pf_worker USING (true)
POLICY guard RESTRICTIVE FOR ALL TO pf_app USING ((tenant_id = ( SELECT CASE WHEN (current_setting('app.tenant_at'::text, true) = (EXTRACT(epoch FROM transaction_timestamp()))::text) THEN (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid ELSE NULL::uuid END AS "case")))
POLICY operators FOR ALL TO pf_admin USING (true)
POLICY tenant FOR ALL TO pf_app USING ((tenant_id = ( SELECT CASE WHEN (current_setting('app.tenant_at'::text, true) = (EXTRACT(epoch FROM transaction_timestamp()))::text) THEN (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid ELSE NULL::uuid END AS "case")))
GRANT DELETE, INSERT, MAINTAIN, REFERENCES, SELECT, TRIGGER, TRUNCATE, UPDATE TO pf_owner
GRANT INSERT, SELECT, UPDATE TO pf_worker
GRANT SELECT TO pf_admin
COMMENT ON part 'so that those who count at the same time do not wait for each other'

-- table fleet_line
TABLE OWNER pf_owner
COLUMN id bigint NOT NULL GENERATED ALWAYS AS IDENTITY
COLUMN period text NOT NULL
COLUMN no integer NOT NULL
COLUMN source text NOT NULL
COLUMN delta_of bigint
COLUMN payer text
COLUMN aws_account text NOT NULL
COLUMN region text NOT NULL
COLUMN sending_account_id uuid
COLUMN lane_id uuid
COLUMN sku text NOT NULL
COLUMN usage_type text NOT NULL
COLUMN pricing_plan text NOT NULL
COLUMN span_from timestamp with time zone NOT NULL
COLUMN span_to timestamp with time zone NOT NULL
COLUMN unit text NOT NULL
COLUMN quantity numeric NOT NULL
COLUMN cost_micro bigint NOT NULL
COLUMN rate_ids bigint[] NOT NULL
COLUMN rate_source text NOT NULL
COLUMN method_id text NOT NULL
COLUMN charge_category text NOT NULL
COLUMN charge_class text
COLUMN corrects text
COLUMN reason text
CONSTRAINT fleet_line_aws_account_check CHECK ((aws_account ~ '^[0-9]{12}$'::text))
CONSTRAINT fleet_line_charge_category_check CHECK ((charge_category = ANY (ARRAY['Usage'::text, 'Purchase'::text, 'Tax'::text, 'Credit'::text, 'Adjustment'::text])))
CONSTRAINT fleet_line_charge_class_check CHECK ((charge_class = 'Correction'::text))
CONSTRAINT fleet_line_check CHECK (((source = 'PROVISIONAL'::text) = (reason IS NULL)))
CONSTRAINT fleet_line_check1 CHECK (((charge_class IS NULL) = (corrects IS NULL)))
CONSTRAINT fleet_line_check2 CHECK ((span_from < span_to))
CONSTRAINT fleet_line_corrects_fkey FOREIGN KEY (corrects) REFERENCES billing_period(period)
CONSTRAINT fleet_line_delta_of_fkey FOREIGN KEY (delta_of) REFERENCES fleet_line(id)
CONSTRAINT fleet_line_lane_id_fkey FOREIGN KEY (lane_id) REFERENCES lane(id)
CONSTRAINT fleet_line_no_check CHECK ((no > 0))
CONSTRAINT fleet_line_payer_check CHECK ((payer ~ '^[0-9]{12}$'::text))
CONSTRAINT fleet_line_period_fkey FOREIGN KEY (period) REFERENCES billing_period(period)
CONSTRAINT fleet_line_pkey PRIMARY KEY (id)
CONSTRAINT fleet_line_sending_account_id_fkey FOREIGN KEY (sending_account_id) REFERENCES sending_account(id)
CONSTRAINT fleet_line_source_check CHECK ((source = ANY (ARRAY['PROVISIONAL'::text, 'CUR'::text, 'CORRECTION'::text])))
CREATE INDEX fleet_line_delta ON public.fleet_line USING btree (delta_of) WHERE (delta_of IS NOT NULL)
CREATE INDEX fleet_line_of_period ON public.fleet_line USING btree (period, source)
CREATE TRIGGER final_delete AFTER DELETE ON public.fleet_line REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_final_lines()
CREATE TRIGGER final_insert AFTER INSERT ON public.fleet_line REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_final_lines()
CREATE TRIGGER final_update AFTER UPDATE ON public.fleet_line REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_final_lines()
GRANT DELETE, INSERT, MAINTAIN, REFERENCES, SELECT, TRIGGER, TRUNCATE, UPDATE TO pf_owner
GRANT DELETE, INSERT, SELECT TO pf_admin
GRANT DELETE, INSERT, SELECT TO pf_worker
COMMENT 'what AWS charges: our own reckoning (PROVISIONAL), and what AWS''s bill says beyond it (CUR), line by line'
COMMENT ON sending_account_id 'null = a charge of the AWS account that belongs to no region of ours'

-- table idempotency
TABLE OWNER pf_owner WITH (autovacuum_vacuum_scale_factor=0.02) ROW LEVEL SECURITY FORCED
COLUMN tenant_id uuid NOT NULL
COLUMN mode text NOT NULL
COLUMN key text NOT NULL
COLUMN request_hash bytea NOT NULL
COLUMN result jsonb NOT NULL
COLUMN created_at timestamp with time zone NOT NULL
CONSTRAINT idempotency_pkey PRIMARY KEY (tenant_id, mode, key)
CREATE INDEX idempotency_age ON public.idempotency USING btree (created_at)
POLICY fleet FOR ALL TO pf_worker USING (true)
POLICY guard RESTRICTIVE FOR ALL TO pf_app USING ((tenant_id = ( SELECT CASE WHEN (current_setting('app.tenant_at'::text, true) = (EXTRACT(epoch FROM transaction_timestamp()))::text) THEN (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid ELSE NULL::uuid END AS "case")))
POLICY tenant FOR ALL TO pf_app USING ((tenant_id = ( SELECT CASE WHEN (current_setting('app.tenant_at'::text, true) = (EXTRACT(epoch FROM transaction_timestamp()))::text) THEN (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid ELSE NULL::uuid END AS "case")))
GRANT DELETE, INSERT, MAINTAIN, REFERENCES, SELECT, TRIGGER, TRUNCATE, UPDATE TO pf_owner
GRANT DELETE, SELECT TO pf_worker
GRANT INSERT, SELECT, UPDATE TO pf_app

-- table in_doubt
TABLE OWNER pf_owner ROW LEVEL SECURITY FORCED
COLUMN tenant_id uuid NOT NULL
COLUMN message_id uuid NOT NULL
COLUMN attempt_no smallint NOT NULL
COLUMN attempt_id uuid NOT NULL
COLUMN sending_account_id uuid NOT NULL
COLUMN stream text NOT NULL
COLUMN policy text NOT NULL
COLUMN started_at timestamp with time zone NOT NULL
COLUMN ended_at timestamp with time zone NOT NULL
COLUMN expires_at timestamp with time zone NOT NULL
CONSTRAINT in_doubt_pkey PRIMARY KEY (tenant_id, message_id, attempt_no)
CREATE INDEX in_doubt_age ON public.in_doubt USING btree (ended_at)
POLICY fleet FOR ALL TO pf_worker USING (true)
POLICY guard RESTRICTIVE FOR ALL TO pf_app USING ((tenant_id = ( SELECT CASE WHEN (current_setting('app.tenant_at'::text, true) = (EXTRACT(epoch FROM transaction_timestamp()))::text) THEN (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid ELSE NULL::uuid END AS "case")))
POLICY operators FOR ALL TO pf_admin USING (true)
POLICY tenant FOR ALL TO pf_app USING ((tenant_id = ( SELECT CASE WHEN (current_setting('app.tenant_at'::text, true) = (EXTRACT(epoch FROM transaction_timestamp()))::text) THEN (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid ELSE NULL::uuid END AS "case")))
GRANT DELETE, INSERT, MAINTAIN, REFERENCES, SELECT, TRIGGER, TRUNCATE, UPDATE TO pf_owner
GRANT DELETE, INSERT, SELECT, UPDATE TO pf_worker
GRANT SELECT TO pf_admin

-- table invoice
TABLE OWNER pf_owner ROW LEVEL SECURITY FORCED
COLUMN tenant_id uuid NOT NULL
COLUMN id uuid NOT NULL
COLUMN kind text NOT NULL
COLUMN period text NOT NULL
COLUMN state text NOT NULL
COLUMN number text NOT NULL
COLUMN currency text NOT NULL
COLUMN total_micro bigint NOT NULL
COLUMN carried_in_micro bigint NOT NULL
COLUMN rounding_micro bigint NOT NULL
COLUMN total_cents bigint NOT NULL
COLUMN line_count integer NOT NULL
COLUMN input jsonb NOT NULL
COLUMN input_hash bytea NOT NULL
COLUMN body_hash bytea NOT NULL
COLUMN render_version integer NOT NULL
COLUMN audit_head bytea
COLUMN corrects uuid
COLUMN issued_at timestamp with time zone NOT NULL
COLUMN due_at timestamp with time zone NOT NULL
COLUMN voided_at timestamp with time zone
COLUMN void_reason text
CONSTRAINT invoice_check CHECK ((((total_micro + carried_in_micro) + rounding_micro) = (total_cents * 10000)))
CONSTRAINT invoice_check1 CHECK (((state = 'VOID'::text) = ((voided_at IS NOT NULL) AND (void_reason IS NOT NULL))))
CONSTRAINT invoice_check2 CHECK (((kind = 'CREDIT_NOTE'::text) = (corrects IS NOT NULL)))
CONSTRAINT invoice_currency_check CHECK ((currency = 'USD'::text))
CONSTRAINT invoice_kind_check CHECK ((kind = ANY (ARRAY['INVOICE'::text, 'CREDIT_NOTE'::text])))
CONSTRAINT invoice_period_check CHECK ((period ~ '^20[0-9]{2}-(0[1-9]|1[0-2])$'::text))
CONSTRAINT invoice_pkey PRIMARY KEY (tenant_id, id)
CONSTRAINT invoice_state_check CHECK ((state = ANY (ARRAY['FINAL'::text, 'VOID'::text])))
CONSTRAINT invoice_tenant_id_corrects_fkey FOREIGN KEY (tenant_id, corrects) REFERENCES invoice(tenant_id, id)
CONSTRAINT invoice_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenant(id)
CREATE INDEX invoice_period ON public.invoice USING btree (period, tenant_id)
CREATE UNIQUE INDEX invoice_numbered ON public.invoice USING btree (number)
CREATE UNIQUE INDEX invoice_of_period ON public.invoice USING btree (tenant_id, period) WHERE ((kind = 'INVOICE'::text) AND (state = 'FINAL'::text))
POLICY fleet FOR ALL TO pf_worker USING (true)
POLICY guard RESTRICTIVE FOR ALL TO pf_app USING ((tenant_id = ( SELECT CASE WHEN (current_setting('app.tenant_at'::text, true) = (EXTRACT(epoch FROM transaction_timestamp()))::text) THEN (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid ELSE NULL::uuid END AS "case")))
POLICY operators FOR ALL TO pf_admin USING (true)
POLICY tenant FOR ALL TO pf_app USING ((tenant_id = ( SELECT CASE WHEN (current_setting('app.tenant_at'::text, true) = (EXTRACT(epoch FROM transaction_timestamp()))::text) THEN (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid ELSE NULL::uuid END AS "case")))
CREATE TRIGGER issued BEFORE DELETE OR UPDATE ON public.invoice FOR EACH ROW EXECUTE FUNCTION refuse_change_of_invoice()
CREATE TRIGGER issued_all BEFORE TRUNCATE ON public.invoice FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_invoice_line()
GRANT DELETE, INSERT, MAINTAIN, REFERENCES, SELECT, TRIGGER, TRUNCATE, UPDATE TO pf_owner
GRANT INSERT, SELECT TO pf_admin
GRANT INSERT, SELECT TO pf_worker
GRANT SELECT TO pf_app
GRANT UPDATE (state) TO pf_admin
GRANT UPDATE (state) TO pf_worker
GRANT UPDATE (void_reason) TO pf_admin
GRANT UPDATE (void_reason) TO pf_worker
GRANT UPDATE (voided_at) TO pf_admin
GRANT UPDATE (voided_at) TO pf_worker
COMMENT ON total_micro 'exact sum of the charges; with what was carried in and the rounding it is whole cents'

-- table invoice_draft
TABLE OWNER pf_owner ROW LEVEL SECURITY FORCED
COLUMN tenant_id uuid NOT NULL
COLUMN period text NOT NULL
COLUMN input jsonb NOT NULL
COLUMN input_hash bytea NOT NULL
COLUMN total_micro bigint NOT NULL
COLUMN drafted_at timestamp with time zone NOT NULL
CONSTRAINT invoice_draft_period_check CHECK ((period ~ '^20[0-9]{2}-(0[1-9]|1[0-2])$'::text))
CONSTRAINT invoice_draft_pkey PRIMARY KEY (tenant_id, period)
CONSTRAINT invoice_draft_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenant(id)
CREATE INDEX invoice_draft_period ON public.invoice_draft USING btree (period, tenant_id)
POLICY fleet FOR ALL TO pf_worker USING (true)
POLICY guard RESTRICTIVE FOR ALL TO pf_app USING ((tenant_id = ( SELECT CASE WHEN (current_setting('app.tenant_at'::text, true) = (EXTRACT(epoch FROM transaction_timestamp()))::text) THEN (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid ELSE NULL::uuid END AS "case")))
POLICY operators FOR ALL TO pf_admin USING (true)
POLICY tenant FOR ALL TO pf_app USING ((tenant_id = ( SELECT CASE WHEN (current_setting('app.tenant_at'::text, true) = (EXTRACT(epoch FROM transaction_timestamp()))::text) THEN (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid ELSE NULL::uuid END AS "case")))
GRANT DELETE, INSERT, MAINTAIN, REFERENCES, SELECT, TRIGGER, TRUNCATE, UPDATE TO pf_owner
GRANT DELETE, INSERT, SELECT, UPDATE TO pf_admin
GRANT DELETE, INSERT, SELECT, UPDATE TO pf_worker

-- table invoice_event
TABLE OWNER pf_owner ROW LEVEL SECURITY FORCED
COLUMN tenant_id uuid NOT NULL
COLUMN idempotency_key text NOT NULL
COLUMN invoice_id uuid NOT NULL
COLUMN type text NOT NULL
COLUMN payload jsonb NOT NULL
COLUMN handed_over_at timestamp with time zone NOT NULL
CONSTRAINT invoice_event_pkey PRIMARY KEY (tenant_id, idempotency_key)
CONSTRAINT invoice_event_tenant_id_invoice_id_fkey FOREIGN KEY (tenant_id, invoice_id) REFERENCES invoice(tenant_id, id)
POLICY fleet FOR ALL TO pf_worker USING (true)
POLICY guard RESTRICTIVE FOR ALL TO pf_app USING ((tenant_id = ( SELECT CASE WHEN (current_setting('app.tenant_at'::text, true) = (EXTRACT(epoch FROM transaction_timestamp()))::text) THEN (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid ELSE NULL::uuid END AS "case")))
POLICY operators FOR ALL TO pf_admin USING (true)
POLICY tenant FOR ALL TO pf_app USING ((tenant_id = ( SELECT CASE WHEN (current_setting('app.tenant_at'::text, true) = (EXTRACT(epoch FROM transaction_timestamp()))::text) THEN (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid ELSE NULL::uuid END AS "case")))
GRANT DELETE, INSERT, MAINTAIN, REFERENCES, SELECT, TRIGGER, TRUNCATE, UPDATE TO pf_owner
GRANT INSERT, SELECT TO pf_worker
GRANT SELECT TO pf_admin

-- table invoice_line
TABLE OWNER pf_owner ROW LEVEL SECURITY FORCED
COLUMN tenant_id uuid NOT NULL
COLUMN invoice_id uuid NOT NULL
COLUMN no integer NOT NULL
COLUMN sku text NOT NULL
COLUMN description text NOT NULL
COLUMN quantity bigint NOT NULL
COLUMN unit text NOT NULL
COLUMN amount_micro bigint NOT NULL
COLUMN cites jsonb NOT NULL
CONSTRAINT invoice_line_pkey PRIMARY KEY (tenant_id, invoice_id, no)
CONSTRAINT invoice_line_tenant_id_invoice_id_fkey FOREIGN KEY (tenant_id, invoice_id) REFERENCES invoice(tenant_id, id)
POLICY fleet FOR ALL TO pf_worker USING (true)
POLICY guard RESTRICTIVE FOR ALL TO pf_app USING ((tenant_id = ( SELECT CASE WHEN (current_setting('app.tenant_at'::text, true) = (EXTRACT(epoch FROM transaction_timestamp()))::text) THEN (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid ELSE NULL::uuid END AS "case")))
POLICY operators FOR ALL TO pf_admin USING (true)
POLICY tenant FOR ALL TO pf_app USING ((tenant_id = ( SELECT CASE WHEN (current_setting('app.tenant_at'::text, true) = (EXTRACT(epoch FROM transaction_timestamp()))::text) THEN (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid ELSE NULL::uuid END AS "case")))
CREATE TRIGGER add_up AFTER INSERT ON public.invoice_line REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION check_invoice_lines()
CREATE TRIGGER issued BEFORE DELETE OR UPDATE ON public.invoice_line FOR EACH ROW EXECUTE FUNCTION refuse_change_of_invoice_line()
CREATE TRIGGER issued_all BEFORE TRUNCATE ON public.invoice_line FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_invoice_line()
GRANT DELETE, INSERT, MAINTAIN, REFERENCES, SELECT, TRIGGER, TRUNCATE, UPDATE TO pf_owner
GRANT INSERT, SELECT TO pf_admin
GRANT INSERT, SELECT TO pf_worker
GRANT SELECT TO pf_app

-- table invoice_number
TABLE OWNER pf_owner
COLUMN series text NOT NULL
COLUMN last bigint NOT NULL
CONSTRAINT invoice_number_last_check CHECK ((last >= 0))
CONSTRAINT invoice_number_pkey PRIMARY KEY (series)
GRANT DELETE, INSERT, MAINTAIN, REFERENCES, SELECT, TRIGGER, TRUNCATE, UPDATE TO pf_owner
GRANT INSERT, SELECT, UPDATE TO pf_admin
GRANT INSERT, SELECT, UPDATE TO pf_worker
COMMENT 'the last number given in a series; raised in the transaction that issues, so that none is left out'

-- table ip_lease
TABLE OWNER pf_owner ROW LEVEL SECURITY FORCED
COLUMN sending_account_id uuid NOT NULL
COLUMN ip inet NOT NULL
COLUMN lane_id uuid
COLUMN owner_tenant_id uuid
COLUMN leased_from timestamp with time zone NOT NULL
COLUMN leased_to timestamp with time zone
CONSTRAINT ip_lease_check CHECK ((leased_to > leased_from))
CONSTRAINT ip_lease_lane_id_fkey FOREIGN KEY (lane_id) REFERENCES lane(id)
CONSTRAINT ip_lease_pkey PRIMARY KEY (sending_account_id, ip, leased_from)
CONSTRAINT ip_lease_sending_account_id_fkey FOREIGN KEY (sending_account_id) REFERENCES sending_account(id)
CONSTRAINT ip_lease_sending_account_id_ip_tstzrange_excl EXCLUDE USING gist (sending_account_id WITH =, ip WITH =, tstzrange(leased_from, leased_to) WITH &&)
POLICY fleet FOR ALL TO pf_worker USING (true)
POLICY guard RESTRICTIVE FOR ALL TO pf_app USING ((owner_tenant_id = ( SELECT CASE WHEN (current_setting('app.tenant_at'::text, true) = (EXTRACT(epoch FROM transaction_timestamp()))::text) THEN (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid ELSE NULL::uuid END AS "case")))
POLICY operators FOR ALL TO pf_admin USING (true)
POLICY tenant FOR ALL TO pf_app USING ((owner_tenant_id = ( SELECT CASE WHEN (current_setting('app.tenant_at'::text, true) = (EXTRACT(epoch FROM transaction_timestamp()))::text) THEN (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid ELSE NULL::uuid END AS "case")))
GRANT DELETE, INSERT, MAINTAIN, REFERENCES, SELECT, TRIGGER, TRUNCATE, UPDATE TO pf_owner
GRANT DELETE, INSERT, SELECT, UPDATE TO pf_admin
GRANT DELETE, INSERT, SELECT, UPDATE TO pf_worker
GRANT SELECT (leased_from) TO pf_app
GRANT SELECT (leased_to) TO pf_app
GRANT SELECT (owner_tenant_id) TO pf_app
GRANT SELECT (sending_account_id) TO pf_app
COMMENT 'each dedicated IP while it was in one pool of one owner'
COMMENT ON lane_id 'the pool; null = in none'

-- table lane
TABLE OWNER pf_owner
COLUMN id uuid NOT NULL
COLUMN sending_account_id uuid NOT NULL
COLUMN kind text NOT NULL
COLUMN pool_name text NOT NULL
COLUMN stream text
COLUMN owner_tenant_id uuid
COLUMN created_at timestamp with time zone NOT NULL
CONSTRAINT lane_kind_check CHECK ((kind = ANY (ARRAY['SHARED'::text, 'POOL'::text])))
CONSTRAINT lane_owner_tenant_id_fkey FOREIGN KEY (owner_tenant_id) REFERENCES tenant(id)
CONSTRAINT lane_pkey PRIMARY KEY (id)
CONSTRAINT lane_sending_account_id_fkey FOREIGN KEY (sending_account_id) REFERENCES sending_account(id)
CONSTRAINT lane_sending_account_id_pool_name_key UNIQUE (sending_account_id, pool_name)
CONSTRAINT lane_stream_check CHECK ((stream = ANY (ARRAY['TRANSACTIONAL'::text, 'MARKETING'::text])))
GRANT DELETE, INSERT, MAINTAIN, REFERENCES, SELECT, TRIGGER, TRUNCATE, UPDATE TO pf_owner
GRANT INSERT, SELECT, UPDATE TO pf_admin
GRANT INSERT, SELECT, UPDATE TO pf_worker
GRANT SELECT TO pf_app

-- table message
TABLE PARTITION BY RANGE (id) OWNER pf_owner ROW LEVEL SECURITY FORCED
COLUMN tenant_id uuid NOT NULL
COLUMN id uuid NOT NULL
COLUMN mode text NOT NULL
COLUMN stream text NOT NULL
COLUMN n_rcpt smallint NOT NULL
COLUMN bytes integer NOT NULL
COLUMN from_address text NOT NULL
COLUMN from_name text
COLUMN subject text NOT NULL
COLUMN tags jsonb NOT NULL DEFAULT '[]'::jsonb
COLUMN region text
COLUMN idempotency_key text NOT NULL
COLUMN in_doubt_policy text NOT NULL DEFAULT 'AT_LEAST_ONCE'::text
COLUMN created_at timestamp with time zone NOT NULL
COLUMN scheduled_at timestamp with time zone
COLUMN expires_at timestamp with time zone NOT NULL
COLUMN sending_account_id uuid NOT NULL
COLUMN lane_id uuid NOT NULL
COLUMN state text NOT NULL
COLUMN attempt_no smallint NOT NULL DEFAULT 0
COLUMN batch_id uuid
COLUMN not_before timestamp with time zone
COLUMN settled_at timestamp with time zone
COLUMN detail text
CONSTRAINT message_bytes_check CHECK ((bytes >= 0))
CONSTRAINT message_in_doubt_policy_check CHECK ((in_doubt_policy = ANY (ARRAY['AT_LEAST_ONCE'::text, 'AT_MOST_ONCE'::text])))
CONSTRAINT message_mode_check CHECK ((mode = ANY (ARRAY['LIVE'::text, 'TEST'::text])))
CONSTRAINT message_n_rcpt_check CHECK (((n_rcpt >= 1) AND (n_rcpt <= 50)))
CONSTRAINT message_pkey PRIMARY KEY (tenant_id, id)
CONSTRAINT message_state_check CHECK ((state = ANY (ARRAY['SCHEDULED'::text, 'READY'::text, 'INTENT'::text, 'SENT'::text, 'REJECTED'::text, 'IN_DOUBT'::text, 'EXPIRED'::text, 'CANCELED'::text, 'SUPPRESSED'::text])))
CONSTRAINT message_stream_check CHECK ((stream = ANY (ARRAY['TRANSACTIONAL'::text, 'MARKETING'::text])))
CREATE INDEX message_by_key ON ONLY public.message USING btree (tenant_id, idempotency_key) WHERE (idempotency_key IS NOT NULL)
CREATE INDEX message_of_test ON ONLY public.message USING btree (tenant_id, id) WHERE (mode = 'TEST'::text)
POLICY fleet FOR ALL TO pf_worker USING (true)
POLICY guard RESTRICTIVE FOR ALL TO pf_app USING ((tenant_id = ( SELECT CASE WHEN (current_setting('app.tenant_at'::text, true) = (EXTRACT(epoch FROM transaction_timestamp()))::text) THEN (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid ELSE NULL::uuid END AS "case")))
POLICY operators FOR ALL TO pf_admin USING (true)
POLICY tenant FOR ALL TO pf_app USING ((tenant_id = ( SELECT CASE WHEN (current_setting('app.tenant_at'::text, true) = (EXTRACT(epoch FROM transaction_timestamp()))::text) THEN (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid ELSE NULL::uuid END AS "case")))
GRANT DELETE, INSERT, MAINTAIN, REFERENCES, SELECT, TRIGGER, TRUNCATE, UPDATE TO pf_owner
GRANT INSERT, SELECT, UPDATE TO pf_app
GRANT SELECT, UPDATE TO pf_admin
GRANT SELECT, UPDATE TO pf_worker

-- table message_attachment
TABLE OWNER pf_owner ROW LEVEL SECURITY FORCED
COLUMN tenant_id uuid NOT NULL
COLUMN message_id uuid NOT NULL
COLUMN bytes integer NOT NULL
CONSTRAINT message_attachment_bytes_check CHECK ((bytes > 0))
CONSTRAINT message_attachment_pkey PRIMARY KEY (tenant_id, message_id)
CREATE INDEX message_attachment_age ON public.message_attachment USING brin (message_id) WITH (autosummarize='on')
POLICY fleet FOR ALL TO pf_worker USING (true)
POLICY guard RESTRICTIVE FOR ALL TO pf_app USING ((tenant_id = ( SELECT CASE WHEN (current_setting('app.tenant_at'::text, true) = (EXTRACT(epoch FROM transaction_timestamp()))::text) THEN (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid ELSE NULL::uuid END AS "case")))
POLICY operators FOR ALL TO pf_admin USING (true)
POLICY tenant FOR ALL TO pf_app USING ((tenant_id = ( SELECT CASE WHEN (current_setting('app.tenant_at'::text, true) = (EXTRACT(epoch FROM transaction_timestamp()))::text) THEN (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid ELSE NULL::uuid END AS "case")))
GRANT DELETE, INSERT, MAINTAIN, REFERENCES, SELECT, TRIGGER, TRUNCATE, UPDATE TO pf_owner
GRANT DELETE, SELECT TO pf_worker
GRANT INSERT, SELECT TO pf_app
GRANT SELECT TO pf_admin
COMMENT ON bytes 'of all attachments together, decoded'

-- table message_body
TABLE PARTITION BY RANGE (message_id) OWNER pf_owner ROW LEVEL SECURITY FORCED
COLUMN tenant_id uuid NOT NULL
COLUMN message_id uuid NOT NULL
COLUMN content json NOT NULL
CONSTRAINT message_body_pkey PRIMARY KEY (tenant_id, message_id)
POLICY fleet FOR ALL TO pf_worker USING (true)
POLICY guard RESTRICTIVE FOR ALL TO pf_app USING ((tenant_id = ( SELECT CASE WHEN (current_setting('app.tenant_at'::text, true) = (EXTRACT(epoch FROM transaction_timestamp()))::text) THEN (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid ELSE NULL::uuid END AS "case")))
POLICY tenant FOR ALL TO pf_app USING ((tenant_id = ( SELECT CASE WHEN (current_setting('app.tenant_at'::text, true) = (EXTRACT(epoch FROM transaction_timestamp()))::text) THEN (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid ELSE NULL::uuid END AS "case")))
GRANT DELETE, INSERT, MAINTAIN, REFERENCES, SELECT, TRIGGER, TRUNCATE, UPDATE TO pf_owner
GRANT DELETE, SELECT TO pf_worker
GRANT INSERT, SELECT TO pf_app

-- table message_event
TABLE PARTITION BY RANGE (message_id) OWNER pf_owner ROW LEVEL SECURITY FORCED
COLUMN tenant_id uuid NOT NULL
COLUMN message_id uuid NOT NULL
COLUMN dedupe_key text NOT NULL
COLUMN id uuid NOT NULL
COLUMN type text NOT NULL
COLUMN at timestamp with time zone NOT NULL
COLUMN recipient text
COLUMN summary text NOT NULL
COLUMN data jsonb NOT NULL DEFAULT '{}'::jsonb
CONSTRAINT message_event_pkey PRIMARY KEY (tenant_id, message_id, dedupe_key)
CREATE INDEX message_event_by_id ON ONLY public.message_event USING btree (tenant_id, id)
POLICY fleet FOR ALL TO pf_worker USING (true)
POLICY guard RESTRICTIVE FOR ALL TO pf_app USING ((tenant_id = ( SELECT CASE WHEN (current_setting('app.tenant_at'::text, true) = (EXTRACT(epoch FROM transaction_timestamp()))::text) THEN (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid ELSE NULL::uuid END AS "case")))
POLICY operators FOR ALL TO pf_admin USING (true)
POLICY tenant FOR ALL TO pf_app USING ((tenant_id = ( SELECT CASE WHEN (current_setting('app.tenant_at'::text, true) = (EXTRACT(epoch FROM transaction_timestamp()))::text) THEN (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid ELSE NULL::uuid END AS "case")))
GRANT DELETE, INSERT, MAINTAIN, REFERENCES, SELECT, TRIGGER, TRUNCATE, UPDATE TO pf_owner
GRANT INSERT, SELECT TO pf_admin
GRANT INSERT, SELECT TO pf_app
GRANT INSERT, SELECT TO pf_worker

-- table message_tag
TABLE PARTITION BY RANGE (message_id) OWNER pf_owner ROW LEVEL SECURITY FORCED
COLUMN tenant_id uuid NOT NULL
COLUMN message_id uuid NOT NULL
COLUMN name text NOT NULL
COLUMN value text NOT NULL
CONSTRAINT message_tag_pkey PRIMARY KEY (tenant_id, name, value, message_id)
POLICY guard RESTRICTIVE FOR ALL TO pf_app USING ((tenant_id = ( SELECT CASE WHEN (current_setting('app.tenant_at'::text, true) = (EXTRACT(epoch FROM transaction_timestamp()))::text) THEN (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid ELSE NULL::uuid END AS "case")))
POLICY tenant FOR ALL TO pf_app USING ((tenant_id = ( SELECT CASE WHEN (current_setting('app.tenant_at'::text, true) = (EXTRACT(epoch FROM transaction_timestamp()))::text) THEN (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid ELSE NULL::uuid END AS "case")))
GRANT DELETE, INSERT, MAINTAIN, REFERENCES, SELECT, TRIGGER, TRUNCATE, UPDATE TO pf_owner
GRANT INSERT, SELECT TO pf_app
COMMENT 'the tags of message.tags one by one, to find messages by'

-- table notification
TABLE OWNER pf_owner WITH (autovacuum_vacuum_scale_factor=0.02)
COLUMN id text NOT NULL
COLUMN sending_account_id uuid NOT NULL
COLUMN topic_arn text NOT NULL
COLUMN type text NOT NULL
COLUMN body text NOT NULL
COLUMN received_at timestamp with time zone NOT NULL
COLUMN state text NOT NULL
COLUMN reason text
CONSTRAINT notification_pkey PRIMARY KEY (id)
CONSTRAINT notification_sending_account_id_fkey FOREIGN KEY (sending_account_id) REFERENCES sending_account(id)
CONSTRAINT notification_state_check CHECK ((state = ANY (ARRAY['STORED'::text, 'DONE'::text, 'REJECTED'::text])))
CONSTRAINT notification_type_check CHECK ((type = ANY (ARRAY['Notification'::text, 'SubscriptionConfirmation'::text, 'UnsubscribeConfirmation'::text])))
CREATE INDEX notification_open ON public.notification USING btree (received_at) WHERE (state = 'STORED'::text)
GRANT DELETE, INSERT, MAINTAIN, REFERENCES, SELECT, TRIGGER, TRUNCATE, UPDATE TO pf_owner
GRANT DELETE, SELECT, UPDATE TO pf_worker
GRANT INSERT TO pf_app
GRANT SELECT (id) TO pf_app
GRANT SELECT TO pf_admin

-- table operator_key
TABLE OWNER pf_owner
COLUMN id uuid NOT NULL
COLUMN name text NOT NULL
COLUMN role text NOT NULL
COLUMN prefix text NOT NULL
COLUMN digest bytea NOT NULL
COLUMN expires_at timestamp with time zone
COLUMN revoked_at timestamp with time zone
COLUMN created_at timestamp with time zone NOT NULL
CONSTRAINT operator_key_digest_key UNIQUE (digest)
CONSTRAINT operator_key_pkey PRIMARY KEY (id)
CONSTRAINT operator_key_role_check CHECK ((role = ANY (ARRAY['viewer'::text, 'operator'::text, 'owner'::text])))
GRANT DELETE, INSERT, MAINTAIN, REFERENCES, SELECT, TRIGGER, TRUNCATE, UPDATE TO pf_owner
GRANT INSERT, SELECT, UPDATE TO pf_admin

-- table outbox
TABLE OWNER pf_owner
COLUMN id bigint NOT NULL GENERATED ALWAYS AS IDENTITY
COLUMN job text NOT NULL
COLUMN payload jsonb NOT NULL
COLUMN created_at timestamp with time zone NOT NULL DEFAULT now()
CONSTRAINT outbox_pkey PRIMARY KEY (id)
GRANT DELETE, INSERT, MAINTAIN, REFERENCES, SELECT, TRIGGER, TRUNCATE, UPDATE TO pf_owner
GRANT DELETE, INSERT, SELECT, UPDATE TO pf_worker
GRANT INSERT TO pf_admin
GRANT INSERT TO pf_app

-- table placement
TABLE OWNER pf_owner ROW LEVEL SECURITY FORCED
COLUMN tenant_id uuid NOT NULL
COLUMN id uuid NOT NULL
COLUMN mode text NOT NULL
COLUMN stream text NOT NULL
COLUMN sending_account_id uuid NOT NULL
COLUMN lane_id uuid NOT NULL
COLUMN weight integer NOT NULL
COLUMN reason text NOT NULL
COLUMN decided_by text NOT NULL
COLUMN valid_from timestamp with time zone NOT NULL
COLUMN valid_to timestamp with time zone
CONSTRAINT placement_check CHECK (((valid_to IS NULL) OR (valid_to >= valid_from)))
CONSTRAINT placement_lane_id_fkey FOREIGN KEY (lane_id) REFERENCES lane(id)
CONSTRAINT placement_mode_check CHECK ((mode = ANY (ARRAY['LIVE'::text, 'TEST'::text])))
CONSTRAINT placement_pkey PRIMARY KEY (tenant_id, id)
CONSTRAINT placement_sending_account_id_fkey FOREIGN KEY (sending_account_id) REFERENCES sending_account(id)
CONSTRAINT placement_stream_check CHECK ((stream = ANY (ARRAY['TRANSACTIONAL'::text, 'MARKETING'::text])))
CONSTRAINT placement_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenant(id)
CONSTRAINT placement_weight_check CHECK (((weight >= 0) AND (weight <= 1000)))
CREATE INDEX placement_by_account ON public.placement USING btree (sending_account_id) WHERE (valid_to IS NULL)
CREATE UNIQUE INDEX placement_current ON public.placement USING btree (tenant_id, mode, stream, sending_account_id) WHERE (valid_to IS NULL)
POLICY fleet FOR ALL TO pf_worker USING (true)
POLICY guard RESTRICTIVE FOR ALL TO pf_app USING ((tenant_id = ( SELECT CASE WHEN (current_setting('app.tenant_at'::text, true) = (EXTRACT(epoch FROM transaction_timestamp()))::text) THEN (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid ELSE NULL::uuid END AS "case")))
POLICY operators FOR ALL TO pf_admin USING (true)
POLICY tenant FOR ALL TO pf_app USING ((tenant_id = ( SELECT CASE WHEN (current_setting('app.tenant_at'::text, true) = (EXTRACT(epoch FROM transaction_timestamp()))::text) THEN (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid ELSE NULL::uuid END AS "case")))
GRANT DELETE, INSERT, MAINTAIN, REFERENCES, SELECT, TRIGGER, TRUNCATE, UPDATE TO pf_owner
GRANT INSERT, SELECT, UPDATE TO pf_admin
GRANT INSERT, SELECT, UPDATE TO pf_worker
GRANT SELECT TO pf_app

-- table plan
TABLE OWNER pf_owner
COLUMN id uuid NOT NULL
COLUMN code text NOT NULL
COLUMN name text NOT NULL
COLUMN tier text NOT NULL
COLUMN streams text[] NOT NULL
COLUMN weight integer NOT NULL
COLUMN recipients_per_day bigint
COLUMN recipients_per_second numeric(12,3)
COLUMN dedicated_ips boolean NOT NULL DEFAULT false
COLUMN created_at timestamp with time zone NOT NULL
COLUMN transactional_in_doubt text NOT NULL DEFAULT 'AT_LEAST_ONCE'::text
COLUMN marketing_in_doubt text NOT NULL DEFAULT 'AT_LEAST_ONCE'::text
COLUMN body_retention_days integer NOT NULL DEFAULT 7
COLUMN metadata_retention_days integer NOT NULL DEFAULT 90
CONSTRAINT plan_body_retention_days_check CHECK (((body_retention_days >= 1) AND (body_retention_days <= 400)))
CONSTRAINT plan_check CHECK ((body_retention_days <= metadata_retention_days))
CONSTRAINT plan_code_check CHECK ((code ~ '^[a-z][a-z0-9_-]{0,47}$'::text))
CONSTRAINT plan_code_key UNIQUE (code)
CONSTRAINT plan_marketing_in_doubt_check CHECK ((marketing_in_doubt = ANY (ARRAY['AT_LEAST_ONCE'::text, 'AT_MOST_ONCE'::text])))
CONSTRAINT plan_metadata_retention_days_check CHECK (((metadata_retention_days >= 3) AND (metadata_retention_days <= 800)))
CONSTRAINT plan_pkey PRIMARY KEY (id)
CONSTRAINT plan_recipients_per_day_check CHECK ((recipients_per_day > 0))
CONSTRAINT plan_recipients_per_second_check CHECK ((recipients_per_second > (0)::numeric))
CONSTRAINT plan_streams_check CHECK (((streams <@ ARRAY['TRANSACTIONAL'::text, 'MARKETING'::text]) AND (cardinality(streams) > 0)))
CONSTRAINT plan_tier_fkey FOREIGN KEY (tier) REFERENCES tier(code)
CONSTRAINT plan_transactional_in_doubt_check CHECK ((transactional_in_doubt = ANY (ARRAY['AT_LEAST_ONCE'::text, 'AT_MOST_ONCE'::text])))
CONSTRAINT plan_weight_check CHECK (((weight >= 1) AND (weight <= 1000)))
GRANT DELETE, INSERT, MAINTAIN, REFERENCES, SELECT, TRIGGER, TRUNCATE, UPDATE TO pf_owner
GRANT INSERT, SELECT, UPDATE TO pf_admin
GRANT SELECT TO pf_app
GRANT SELECT TO pf_worker

-- table plan_price
TABLE OWNER pf_owner
COLUMN id bigint NOT NULL GENERATED ALWAYS AS IDENTITY
COLUMN plan_id uuid NOT NULL
COLUMN valid_from timestamp with time zone NOT NULL
COLUMN valid_to timestamp with time zone
COLUMN base_fee_micro bigint NOT NULL
COLUMN included_recipients bigint NOT NULL
COLUMN dedicated_ip_fee_micro bigint NOT NULL
COLUMN minimum_micro bigint NOT NULL
COLUMN monotone boolean NOT NULL
COLUMN source text NOT NULL
CONSTRAINT plan_price_base_fee_micro_check CHECK ((base_fee_micro >= 0))
CONSTRAINT plan_price_check CHECK ((valid_to > valid_from))
CONSTRAINT plan_price_dedicated_ip_fee_micro_check CHECK ((dedicated_ip_fee_micro >= 0))
CONSTRAINT plan_price_included_recipients_check CHECK ((included_recipients >= 0))
CONSTRAINT plan_price_minimum_micro_check CHECK ((minimum_micro >= 0))
CONSTRAINT plan_price_pkey PRIMARY KEY (id)
CONSTRAINT plan_price_plan_id_fkey FOREIGN KEY (plan_id) REFERENCES plan(id)
CONSTRAINT plan_price_plan_id_tstzrange_excl EXCLUDE USING gist (plan_id WITH =, tstzrange(valid_from, valid_to) WITH &&)
CREATE TRIGGER frozen BEFORE UPDATE ON public.plan_price FOR EACH ROW EXECUTE FUNCTION refuse_change_of_plan_price()
GRANT DELETE, INSERT, MAINTAIN, REFERENCES, SELECT, TRIGGER, TRUNCATE, UPDATE TO pf_owner
GRANT INSERT, SELECT TO pf_admin
GRANT SELECT TO pf_app
GRANT SELECT TO pf_worker
GRANT UPDATE (valid_to) TO pf_admin
COMMENT 'what a plan costs a month; a version is never changed, it only gets an end'
COMMENT ON monotone 'more usage never lowers the price: no tier is negative'

-- table plan_price_tier
TABLE OWNER pf_owner
COLUMN plan_price_id bigint NOT NULL
COLUMN tier_from bigint NOT NULL
COLUMN amount_micro bigint NOT NULL
COLUMN per_units bigint NOT NULL
CONSTRAINT plan_price_tier_per_units_check CHECK ((per_units > 0))
CONSTRAINT plan_price_tier_pkey PRIMARY KEY (plan_price_id, tier_from)
CONSTRAINT plan_price_tier_plan_price_id_fkey FOREIGN KEY (plan_price_id) REFERENCES plan_price(id)
CONSTRAINT plan_price_tier_tier_from_check CHECK ((tier_from >= 0))
GRANT DELETE, INSERT, MAINTAIN, REFERENCES, SELECT, TRIGGER, TRUNCATE, UPDATE TO pf_owner
GRANT INSERT, SELECT TO pf_admin
GRANT SELECT TO pf_app
GRANT SELECT TO pf_worker
COMMENT 'marginal: the tier_from-th recipient of a month above the included ones, and those after it'

-- table rate
TABLE OWNER pf_owner
COLUMN id bigint NOT NULL GENERATED ALWAYS AS IDENTITY
COLUMN card text NOT NULL
COLUMN sku text NOT NULL
COLUMN tier_from bigint NOT NULL DEFAULT 0
COLUMN amount_micro bigint NOT NULL
COLUMN per_units bigint NOT NULL
COLUMN valid_from timestamp with time zone NOT NULL
COLUMN valid_to timestamp with time zone
COLUMN source text NOT NULL
CONSTRAINT rate_amount_micro_check CHECK ((amount_micro >= 0))
CONSTRAINT rate_card_sku_tier_from_tstzrange_excl EXCLUDE USING gist (card WITH =, sku WITH =, tier_from WITH =, tstzrange(valid_from, valid_to) WITH &&)
CONSTRAINT rate_per_units_check CHECK ((per_units > 0))
CONSTRAINT rate_pkey PRIMARY KEY (id)
CONSTRAINT rate_tier_from_check CHECK ((tier_from >= 0))
CREATE TRIGGER frozen BEFORE UPDATE ON public.rate FOR EACH ROW EXECUTE FUNCTION refuse_change_of_rate()
GRANT DELETE, INSERT, MAINTAIN, REFERENCES, SELECT, TRIGGER, TRUNCATE, UPDATE TO pf_owner
GRANT INSERT, SELECT TO pf_admin
GRANT SELECT TO pf_app
GRANT SELECT TO pf_worker
GRANT UPDATE (valid_to) TO pf_admin
COMMENT 'a price is a rational: amount_micro micro-dollars for per_units units; a version is never changed, it only gets an end'

-- table recipient
TABLE PARTITION BY RANGE (message_id) OWNER pf_owner ROW LEVEL SECURITY FORCED
COLUMN tenant_id uuid NOT NULL
COLUMN message_id uuid NOT NULL
COLUMN "position" smallint NOT NULL
COLUMN kind text NOT NULL
COLUMN address text NOT NULL
COLUMN name text
COLUMN state text
COLUMN at timestamp with time zone
COLUMN detail text
CONSTRAINT recipient_kind_check CHECK ((kind = ANY (ARRAY['TO'::text, 'CC'::text, 'BCC'::text])))
CONSTRAINT recipient_pkey PRIMARY KEY (tenant_id, message_id, "position")
CONSTRAINT recipient_state_check CHECK ((state = ANY (ARRAY['DELIVERED'::text, 'BOUNCED'::text, 'COMPLAINED'::text, 'REJECTED'::text, 'SUPPRESSED'::text, 'SENT'::text])))
CREATE INDEX recipient_address ON ONLY public.recipient USING btree (tenant_id, address)
POLICY fleet FOR ALL TO pf_worker USING (true)
POLICY guard RESTRICTIVE FOR ALL TO pf_app USING ((tenant_id = ( SELECT CASE WHEN (current_setting('app.tenant_at'::text, true) = (EXTRACT(epoch FROM transaction_timestamp()))::text) THEN (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid ELSE NULL::uuid END AS "case")))
POLICY operators FOR ALL TO pf_admin USING (true)
POLICY tenant FOR ALL TO pf_app USING ((tenant_id = ( SELECT CASE WHEN (current_setting('app.tenant_at'::text, true) = (EXTRACT(epoch FROM transaction_timestamp()))::text) THEN (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid ELSE NULL::uuid END AS "case")))
GRANT DELETE, INSERT, MAINTAIN, REFERENCES, SELECT, TRIGGER, TRUNCATE, UPDATE TO pf_owner
GRANT INSERT, SELECT, UPDATE TO pf_app
GRANT SELECT, UPDATE TO pf_admin
GRANT SELECT, UPDATE TO pf_worker
COMMENT ON state 'what is known of this recipient alone; null = as its message'

-- table reroute
TABLE OWNER pf_owner ROW LEVEL SECURITY FORCED
COLUMN tenant_id uuid NOT NULL
COLUMN mode text NOT NULL
COLUMN stream text NOT NULL
COLUMN to_account uuid NOT NULL
COLUMN from_account uuid NOT NULL
COLUMN at timestamp with time zone NOT NULL
CONSTRAINT reroute_from_account_fkey FOREIGN KEY (from_account) REFERENCES sending_account(id)
CONSTRAINT reroute_mode_check CHECK ((mode = ANY (ARRAY['LIVE'::text, 'TEST'::text])))
CONSTRAINT reroute_pkey PRIMARY KEY (tenant_id, mode, stream, to_account)
CONSTRAINT reroute_stream_check CHECK ((stream = ANY (ARRAY['TRANSACTIONAL'::text, 'MARKETING'::text])))
CONSTRAINT reroute_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenant(id)
CONSTRAINT reroute_to_account_fkey FOREIGN KEY (to_account) REFERENCES sending_account(id)
POLICY fleet FOR ALL TO pf_worker USING (true)
POLICY guard RESTRICTIVE FOR ALL TO pf_app USING ((tenant_id = ( SELECT CASE WHEN (current_setting('app.tenant_at'::text, true) = (EXTRACT(epoch FROM transaction_timestamp()))::text) THEN (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid ELSE NULL::uuid END AS "case")))
POLICY operators FOR ALL TO pf_admin USING (true)
POLICY tenant FOR ALL TO pf_app USING ((tenant_id = ( SELECT CASE WHEN (current_setting('app.tenant_at'::text, true) = (EXTRACT(epoch FROM transaction_timestamp()))::text) THEN (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid ELSE NULL::uuid END AS "case")))
GRANT DELETE, INSERT, MAINTAIN, REFERENCES, SELECT, TRIGGER, TRUNCATE, UPDATE TO pf_owner
GRANT INSERT, SELECT, UPDATE TO pf_worker
GRANT SELECT TO pf_admin
GRANT SELECT TO pf_app
COMMENT 'what stands on to_account without a placement there may stay, until a placement is decided anew'

-- table schema_migration
TABLE OWNER pf_owner
COLUMN id integer NOT NULL DEFAULT nextval('schema_migration_id_seq'::regclass)
COLUMN "timestamp" bigint NOT NULL
COLUMN name character varying NOT NULL
CONSTRAINT "PK_0edff5015b71cc0389ae0f4b9a1" PRIMARY KEY (id)
GRANT DELETE, INSERT, MAINTAIN, REFERENCES, SELECT, TRIGGER, TRUNCATE, UPDATE TO pf_owner

-- table sending_account
TABLE OWNER pf_owner
COLUMN id uuid NOT NULL
COLUMN aws_account_id uuid NOT NULL
COLUMN region text NOT NULL
COLUMN tier text NOT NULL
COLUMN mode text NOT NULL
COLUMN state text NOT NULL
COLUMN sending_enabled boolean NOT NULL DEFAULT true
COLUMN max_24_hour_send bigint NOT NULL
COLUMN max_send_rate numeric(12,3) NOT NULL
COLUMN sent_last_24_hours bigint NOT NULL DEFAULT 0
COLUMN pricing_plan text NOT NULL DEFAULT 'NONE'::text
COLUMN observed_at timestamp with time zone
COLUMN epoch bigint NOT NULL DEFAULT 1
COLUMN topic_arn text
COLUMN subscription_arn text
COLUMN webhook_url text
COLUMN created_at timestamp with time zone NOT NULL
COLUMN apart_until timestamp with time zone
CONSTRAINT sending_account_aws_account_id_fkey FOREIGN KEY (aws_account_id) REFERENCES aws_account(id)
CONSTRAINT sending_account_aws_account_id_region_key UNIQUE (aws_account_id, region)
CONSTRAINT sending_account_mode_check CHECK ((mode = ANY (ARRAY['LIVE'::text, 'TEST'::text])))
CONSTRAINT sending_account_pkey PRIMARY KEY (id)
CONSTRAINT sending_account_pricing_plan_check CHECK ((pricing_plan = ANY (ARRAY['NONE'::text, 'ESSENTIALS'::text, 'PRO'::text, 'ENTERPRISE'::text])))
CONSTRAINT sending_account_state_check CHECK ((state = ANY (ARRAY['SANDBOX'::text, 'PRODUCTION'::text, 'UNDER_REVIEW'::text, 'PAUSED'::text, 'SUSPENDED'::text])))
CONSTRAINT sending_account_tier_fkey FOREIGN KEY (tier) REFERENCES tier(code)
CONSTRAINT sending_account_topic_arn_key UNIQUE (topic_arn)
GRANT DELETE, INSERT, MAINTAIN, REFERENCES, SELECT, TRIGGER, TRUNCATE, UPDATE TO pf_owner
GRANT INSERT, SELECT, UPDATE TO pf_admin
GRANT INSERT, SELECT, UPDATE TO pf_worker
GRANT SELECT TO pf_app
COMMENT ON apart_until 'SES took shared requests and could not render their mail: until then each message goes by itself'
COMMENT ON epoch 'raised when the ledger is rebuilt, so that no older ticket can be claimed'
COMMENT ON max_24_hour_send 'recipients per rolling 24 h; -1 = unlimited; GetAccount'
COMMENT ON webhook_url 'where SNS was last asked to deliver events; another address is subscribed anew'

-- table spend_cursor
TABLE OWNER pf_owner ROW LEVEL SECURITY FORCED
COLUMN tenant_id uuid NOT NULL
COLUMN base date NOT NULL
COLUMN counted_to timestamp with time zone NOT NULL
CONSTRAINT spend_cursor_pkey PRIMARY KEY (tenant_id)
CONSTRAINT spend_cursor_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenant(id)
POLICY fleet FOR ALL TO pf_worker USING (true)
POLICY guard RESTRICTIVE FOR ALL TO pf_app USING ((tenant_id = ( SELECT CASE WHEN (current_setting('app.tenant_at'::text, true) = (EXTRACT(epoch FROM transaction_timestamp()))::text) THEN (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid ELSE NULL::uuid END AS "case")))
POLICY operators FOR ALL TO pf_admin USING (true)
POLICY tenant FOR ALL TO pf_app USING ((tenant_id = ( SELECT CASE WHEN (current_setting('app.tenant_at'::text, true) = (EXTRACT(epoch FROM transaction_timestamp()))::text) THEN (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid ELSE NULL::uuid END AS "case")))
GRANT DELETE, INSERT, MAINTAIN, REFERENCES, SELECT, TRIGGER, TRUNCATE, UPDATE TO pf_owner
GRANT DELETE, INSERT, SELECT, UPDATE TO pf_worker
GRANT SELECT TO pf_admin
COMMENT ON base 'the first day that no roll-up has counted; once it is another one, all is counted anew from there'
COMMENT ON counted_to 'attempts that began before it are in spend_usage, or in spend_open'

-- table spend_open
TABLE OWNER pf_owner ROW LEVEL SECURITY FORCED
COLUMN tenant_id uuid NOT NULL
COLUMN message_id uuid NOT NULL
COLUMN attempt_no smallint NOT NULL
COLUMN began_at timestamp with time zone NOT NULL
CONSTRAINT spend_open_pkey PRIMARY KEY (tenant_id, message_id, attempt_no)
POLICY fleet FOR ALL TO pf_worker USING (true)
POLICY guard RESTRICTIVE FOR ALL TO pf_app USING ((tenant_id = ( SELECT CASE WHEN (current_setting('app.tenant_at'::text, true) = (EXTRACT(epoch FROM transaction_timestamp()))::text) THEN (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid ELSE NULL::uuid END AS "case")))
POLICY operators FOR ALL TO pf_admin USING (true)
POLICY tenant FOR ALL TO pf_app USING ((tenant_id = ( SELECT CASE WHEN (current_setting('app.tenant_at'::text, true) = (EXTRACT(epoch FROM transaction_timestamp()))::text) THEN (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid ELSE NULL::uuid END AS "case")))
GRANT DELETE, INSERT, MAINTAIN, REFERENCES, SELECT, TRIGGER, TRUNCATE, UPDATE TO pf_owner
GRANT DELETE, INSERT, SELECT, UPDATE TO pf_worker
GRANT SELECT TO pf_admin
COMMENT 'attempts that SES had not taken when they were counted, and may turn out to have'

-- table spend_setting
TABLE OWNER pf_owner ROW LEVEL SECURITY FORCED
COLUMN tenant_id uuid NOT NULL
COLUMN alerts_micro bigint[] NOT NULL
COLUMN hard_cap_micro bigint
COLUMN updated_at timestamp with time zone NOT NULL
CONSTRAINT spend_setting_alerts_micro_check CHECK ((cardinality(alerts_micro) <= 5))
CONSTRAINT spend_setting_hard_cap_micro_check CHECK ((hard_cap_micro > 0))
CONSTRAINT spend_setting_pkey PRIMARY KEY (tenant_id)
CONSTRAINT spend_setting_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenant(id)
POLICY fleet FOR ALL TO pf_worker USING (true)
POLICY guard RESTRICTIVE FOR ALL TO pf_app USING ((tenant_id = ( SELECT CASE WHEN (current_setting('app.tenant_at'::text, true) = (EXTRACT(epoch FROM transaction_timestamp()))::text) THEN (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid ELSE NULL::uuid END AS "case")))
POLICY operators FOR ALL TO pf_admin USING (true)
POLICY tenant FOR ALL TO pf_app USING ((tenant_id = ( SELECT CASE WHEN (current_setting('app.tenant_at'::text, true) = (EXTRACT(epoch FROM transaction_timestamp()))::text) THEN (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid ELSE NULL::uuid END AS "case")))
GRANT DELETE, INSERT, MAINTAIN, REFERENCES, SELECT, TRIGGER, TRUNCATE, UPDATE TO pf_owner
GRANT INSERT, SELECT, UPDATE TO pf_app
GRANT SELECT TO pf_admin
GRANT SELECT TO pf_worker
GRANT UPDATE (updated_at) TO pf_worker
COMMENT ON alerts_micro 'charges of a month, micro-dollars: each is told once a month when it is reached'
COMMENT ON hard_cap_micro 'at this charge of a month, micro-dollars, marketing stops until the next one; null = never'

-- table spend_usage
TABLE OWNER pf_owner ROW LEVEL SECURITY FORCED
COLUMN tenant_id uuid NOT NULL
COLUMN day date NOT NULL
COLUMN recipients bigint NOT NULL
CONSTRAINT spend_usage_pkey PRIMARY KEY (tenant_id, day)
POLICY fleet FOR ALL TO pf_worker USING (true)
POLICY guard RESTRICTIVE FOR ALL TO pf_app USING ((tenant_id = ( SELECT CASE WHEN (current_setting('app.tenant_at'::text, true) = (EXTRACT(epoch FROM transaction_timestamp()))::text) THEN (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid ELSE NULL::uuid END AS "case")))
POLICY operators FOR ALL TO pf_admin USING (true)
POLICY tenant FOR ALL TO pf_app USING ((tenant_id = ( SELECT CASE WHEN (current_setting('app.tenant_at'::text, true) = (EXTRACT(epoch FROM transaction_timestamp()))::text) THEN (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid ELSE NULL::uuid END AS "case")))
GRANT DELETE, INSERT, MAINTAIN, REFERENCES, SELECT, TRIGGER, TRUNCATE, UPDATE TO pf_owner
GRANT DELETE, INSERT, SELECT, UPDATE TO pf_worker
GRANT SELECT TO pf_admin
COMMENT 'a copy of what attempts say: it may be emptied at any time together with spend_cursor and spend_open'

-- table stream_hold
TABLE OWNER pf_owner ROW LEVEL SECURITY FORCED
COLUMN tenant_id uuid NOT NULL
COLUMN stream text NOT NULL
COLUMN reason text NOT NULL
COLUMN since timestamp with time zone NOT NULL
COLUMN until timestamp with time zone NOT NULL
CONSTRAINT stream_hold_check CHECK ((until > since))
CONSTRAINT stream_hold_pkey PRIMARY KEY (tenant_id, stream)
CONSTRAINT stream_hold_reason_check CHECK ((reason = 'SPEND_CAP'::text))
CONSTRAINT stream_hold_stream_check CHECK ((stream = ANY (ARRAY['TRANSACTIONAL'::text, 'MARKETING'::text])))
CONSTRAINT stream_hold_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenant(id)
POLICY fleet FOR ALL TO pf_worker USING (true)
POLICY guard RESTRICTIVE FOR ALL TO pf_app USING ((tenant_id = ( SELECT CASE WHEN (current_setting('app.tenant_at'::text, true) = (EXTRACT(epoch FROM transaction_timestamp()))::text) THEN (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid ELSE NULL::uuid END AS "case")))
POLICY operators FOR ALL TO pf_admin USING (true)
POLICY tenant FOR ALL TO pf_app USING ((tenant_id = ( SELECT CASE WHEN (current_setting('app.tenant_at'::text, true) = (EXTRACT(epoch FROM transaction_timestamp()))::text) THEN (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid ELSE NULL::uuid END AS "case")))
GRANT DELETE, INSERT, MAINTAIN, REFERENCES, SELECT, TRIGGER, TRUNCATE, UPDATE TO pf_owner
GRANT DELETE, INSERT, SELECT, UPDATE TO pf_app
GRANT DELETE, INSERT, SELECT, UPDATE TO pf_worker
GRANT SELECT TO pf_admin
COMMENT 'live mail of the stream is neither accepted nor sent before until; test mode knows no hold'

-- table suppression
TABLE OWNER pf_owner ROW LEVEL SECURITY FORCED
COLUMN tenant_id uuid NOT NULL
COLUMN id uuid NOT NULL
COLUMN address text NOT NULL
COLUMN reason text NOT NULL
COLUMN cause_event_id uuid
COLUMN created_at timestamp with time zone NOT NULL
CONSTRAINT suppression_pkey PRIMARY KEY (tenant_id, id)
CONSTRAINT suppression_tenant_id_address_key UNIQUE (tenant_id, address)
CONSTRAINT suppression_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenant(id)
POLICY fleet FOR ALL TO pf_worker USING (true)
POLICY guard RESTRICTIVE FOR ALL TO pf_app USING ((tenant_id = ( SELECT CASE WHEN (current_setting('app.tenant_at'::text, true) = (EXTRACT(epoch FROM transaction_timestamp()))::text) THEN (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid ELSE NULL::uuid END AS "case")))
POLICY operators FOR ALL TO pf_admin USING (true)
POLICY tenant FOR ALL TO pf_app USING ((tenant_id = ( SELECT CASE WHEN (current_setting('app.tenant_at'::text, true) = (EXTRACT(epoch FROM transaction_timestamp()))::text) THEN (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid ELSE NULL::uuid END AS "case")))
GRANT DELETE, INSERT, MAINTAIN, REFERENCES, SELECT, TRIGGER, TRUNCATE, UPDATE TO pf_owner
GRANT DELETE, INSERT, SELECT TO pf_app
GRANT INSERT, SELECT TO pf_worker
GRANT SELECT TO pf_admin

-- table tenant
TABLE OWNER pf_owner ROW LEVEL SECURITY FORCED
COLUMN id uuid NOT NULL
COLUMN name text NOT NULL
COLUMN plan_id uuid NOT NULL
COLUMN state text NOT NULL
COLUMN paused_reason text
COLUMN created_at timestamp with time zone NOT NULL
CONSTRAINT tenant_pkey PRIMARY KEY (id)
CONSTRAINT tenant_plan_id_fkey FOREIGN KEY (plan_id) REFERENCES plan(id)
CONSTRAINT tenant_state_check CHECK ((state = ANY (ARRAY['ACTIVE'::text, 'PAUSED'::text])))
POLICY fleet FOR ALL TO pf_worker USING (true)
POLICY guard RESTRICTIVE FOR ALL TO pf_app USING ((id = ( SELECT CASE WHEN (current_setting('app.tenant_at'::text, true) = (EXTRACT(epoch FROM transaction_timestamp()))::text) THEN (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid ELSE NULL::uuid END AS "case")))
POLICY operators FOR ALL TO pf_admin USING (true)
POLICY tenant FOR ALL TO pf_app USING ((id = ( SELECT CASE WHEN (current_setting('app.tenant_at'::text, true) = (EXTRACT(epoch FROM transaction_timestamp()))::text) THEN (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid ELSE NULL::uuid END AS "case")))
GRANT DELETE, INSERT, MAINTAIN, REFERENCES, SELECT, TRIGGER, TRUNCATE, UPDATE TO pf_owner
GRANT INSERT, SELECT, UPDATE TO pf_admin
GRANT SELECT TO pf_app
GRANT SELECT TO pf_worker

-- table tenant_event
TABLE OWNER pf_owner ROW LEVEL SECURITY FORCED
COLUMN tenant_id uuid NOT NULL
COLUMN dedupe_key text NOT NULL
COLUMN id uuid NOT NULL
COLUMN type text NOT NULL
COLUMN at timestamp with time zone NOT NULL
COLUMN summary text NOT NULL
COLUMN data jsonb NOT NULL
CONSTRAINT tenant_event_pkey PRIMARY KEY (tenant_id, dedupe_key)
CONSTRAINT tenant_event_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenant(id)
CREATE INDEX tenant_event_by_id ON public.tenant_event USING btree (tenant_id, id)
POLICY fleet FOR ALL TO pf_worker USING (true)
POLICY guard RESTRICTIVE FOR ALL TO pf_app USING ((tenant_id = ( SELECT CASE WHEN (current_setting('app.tenant_at'::text, true) = (EXTRACT(epoch FROM transaction_timestamp()))::text) THEN (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid ELSE NULL::uuid END AS "case")))
POLICY operators FOR ALL TO pf_admin USING (true)
POLICY tenant FOR ALL TO pf_app USING ((tenant_id = ( SELECT CASE WHEN (current_setting('app.tenant_at'::text, true) = (EXTRACT(epoch FROM transaction_timestamp()))::text) THEN (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid ELSE NULL::uuid END AS "case")))
GRANT DELETE, INSERT, MAINTAIN, REFERENCES, SELECT, TRIGGER, TRUNCATE, UPDATE TO pf_owner
GRANT INSERT, SELECT TO pf_worker
GRANT SELECT TO pf_admin
GRANT SELECT TO pf_app
COMMENT 'what happened to a tenant and belongs to no message; the dedupe key says that it happened once'

-- table tenant_move
TABLE OWNER pf_owner ROW LEVEL SECURITY FORCED
COLUMN tenant_id uuid NOT NULL
COLUMN id uuid NOT NULL
COLUMN mode text NOT NULL
COLUMN sending_account_id uuid NOT NULL
COLUMN reason text NOT NULL
COLUMN decided_by text NOT NULL
COLUMN state text NOT NULL
COLUMN detail text
COLUMN created_at timestamp with time zone NOT NULL
COLUMN ended_at timestamp with time zone
CONSTRAINT tenant_move_check CHECK (((state = 'PENDING'::text) = (ended_at IS NULL)))
CONSTRAINT tenant_move_mode_check CHECK ((mode = ANY (ARRAY['LIVE'::text, 'TEST'::text])))
CONSTRAINT tenant_move_pkey PRIMARY KEY (tenant_id, id)
CONSTRAINT tenant_move_sending_account_id_fkey FOREIGN KEY (sending_account_id) REFERENCES sending_account(id)
CONSTRAINT tenant_move_state_check CHECK ((state = ANY (ARRAY['PENDING'::text, 'DONE'::text, 'FAILED'::text])))
CONSTRAINT tenant_move_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenant(id)
CREATE UNIQUE INDEX tenant_move_pending ON public.tenant_move USING btree (tenant_id, mode) WHERE (state = 'PENDING'::text)
POLICY fleet FOR ALL TO pf_worker USING (true)
POLICY guard RESTRICTIVE FOR ALL TO pf_app USING ((tenant_id = ( SELECT CASE WHEN (current_setting('app.tenant_at'::text, true) = (EXTRACT(epoch FROM transaction_timestamp()))::text) THEN (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid ELSE NULL::uuid END AS "case")))
POLICY operators FOR ALL TO pf_admin USING (true)
POLICY tenant FOR ALL TO pf_app USING ((tenant_id = ( SELECT CASE WHEN (current_setting('app.tenant_at'::text, true) = (EXTRACT(epoch FROM transaction_timestamp()))::text) THEN (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid ELSE NULL::uuid END AS "case")))
GRANT DELETE, INSERT, MAINTAIN, REFERENCES, SELECT, TRIGGER, TRUNCATE, UPDATE TO pf_owner
GRANT INSERT, SELECT, UPDATE TO pf_admin
GRANT INSERT, SELECT, UPDATE TO pf_worker

-- table tenant_plan
TABLE OWNER pf_owner ROW LEVEL SECURITY FORCED
COLUMN tenant_id uuid NOT NULL
COLUMN plan_id uuid NOT NULL
COLUMN valid_from timestamp with time zone NOT NULL
COLUMN valid_to timestamp with time zone
CONSTRAINT tenant_plan_check CHECK ((valid_to > valid_from))
CONSTRAINT tenant_plan_pkey PRIMARY KEY (tenant_id, valid_from)
CONSTRAINT tenant_plan_plan_id_fkey FOREIGN KEY (plan_id) REFERENCES plan(id)
CONSTRAINT tenant_plan_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenant(id)
CONSTRAINT tenant_plan_tenant_id_tstzrange_excl EXCLUDE USING gist (tenant_id WITH =, tstzrange(valid_from, valid_to) WITH &&)
POLICY fleet FOR ALL TO pf_worker USING (true)
POLICY guard RESTRICTIVE FOR ALL TO pf_app USING ((tenant_id = ( SELECT CASE WHEN (current_setting('app.tenant_at'::text, true) = (EXTRACT(epoch FROM transaction_timestamp()))::text) THEN (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid ELSE NULL::uuid END AS "case")))
POLICY operators FOR ALL TO pf_admin USING (true)
POLICY tenant FOR ALL TO pf_app USING ((tenant_id = ( SELECT CASE WHEN (current_setting('app.tenant_at'::text, true) = (EXTRACT(epoch FROM transaction_timestamp()))::text) THEN (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid ELSE NULL::uuid END AS "case")))
GRANT DELETE, INSERT, MAINTAIN, REFERENCES, SELECT, TRIGGER, TRUNCATE, UPDATE TO pf_owner
GRANT DELETE, INSERT, SELECT, UPDATE TO pf_admin
GRANT SELECT TO pf_app
GRANT SELECT TO pf_worker

-- table tier
TABLE OWNER pf_owner
COLUMN code text NOT NULL
COLUMN name text NOT NULL
COLUMN rank integer NOT NULL
COLUMN ramp_floor bigint NOT NULL DEFAULT 50000
COLUMN ramp_factor numeric(6,2) NOT NULL DEFAULT 3
CONSTRAINT tier_code_check CHECK ((code ~ '^[a-z][a-z0-9_]{0,31}$'::text))
CONSTRAINT tier_pkey PRIMARY KEY (code)
CONSTRAINT tier_ramp_factor_check CHECK ((ramp_factor >= (1)::numeric))
CONSTRAINT tier_ramp_floor_check CHECK ((ramp_floor > 0))
GRANT DELETE, INSERT, MAINTAIN, REFERENCES, SELECT, TRIGGER, TRUNCATE, UPDATE TO pf_owner
GRANT INSERT, SELECT, UPDATE TO pf_admin
GRANT SELECT TO pf_app
GRANT SELECT TO pf_worker
COMMENT ON ramp_factor 'a day may have this many times the highest of the last seven days'
COMMENT ON ramp_floor 'recipients a day that a tenant of the tier may send whatever it sent before'

-- table usage_day
TABLE OWNER pf_owner
COLUMN day date NOT NULL
COLUMN revision integer NOT NULL
COLUMN rolled_at timestamp with time zone NOT NULL
COLUMN attempts bigint NOT NULL
COLUMN recipients bigint NOT NULL
COLUMN in_doubt bigint NOT NULL
COLUMN src_hash bytea NOT NULL
CONSTRAINT usage_day_attempts_check CHECK ((attempts >= 0))
CONSTRAINT usage_day_in_doubt_check CHECK ((in_doubt >= 0))
CONSTRAINT usage_day_pkey PRIMARY KEY (day)
CONSTRAINT usage_day_recipients_check CHECK ((recipients >= 0))
CONSTRAINT usage_day_revision_check CHECK ((revision >= 0))
GRANT DELETE, INSERT, MAINTAIN, REFERENCES, SELECT, TRIGGER, TRUNCATE, UPDATE TO pf_owner
GRANT INSERT, SELECT, UPDATE TO pf_worker
GRANT SELECT (day) TO pf_app
GRANT SELECT (revision) TO pf_app
GRANT SELECT (rolled_at) TO pf_app
GRANT SELECT TO pf_admin
COMMENT ON src_hash 'sha256 of the day as it was last computed, row by row'

-- table usage_rollup
TABLE OWNER pf_owner ROW LEVEL SECURITY FORCED
COLUMN day date NOT NULL
COLUMN revision integer NOT NULL
COLUMN tenant_id uuid
COLUMN sending_account_id uuid NOT NULL
COLUMN lane_id uuid
COLUMN sku text NOT NULL
COLUMN hour smallint NOT NULL DEFAULT '-1'::integer
COLUMN qty bigint NOT NULL
COLUMN booked_at timestamp with time zone NOT NULL
COLUMN period text NOT NULL
CONSTRAINT usage_rollup_day_revision_tenant_id_sending_account_id_lane_key UNIQUE NULLS NOT DISTINCT (day, revision, tenant_id, sending_account_id, lane_id, sku, hour)
CONSTRAINT usage_rollup_hour_check CHECK (((hour >= '-1'::integer) AND (hour <= 23)))
CONSTRAINT usage_rollup_period_check CHECK ((period ~ '^20[0-9]{2}-(0[1-9]|1[0-2])$'::text))
CONSTRAINT usage_rollup_qty_check CHECK ((qty <> 0))
CONSTRAINT usage_rollup_revision_check CHECK ((revision >= 0))
CREATE INDEX usage_rollup_period ON public.usage_rollup USING btree (period)
CREATE INDEX usage_rollup_tenant ON public.usage_rollup USING btree (tenant_id, day) WHERE (sku <> 'ses.pool_recipient'::text)
POLICY fleet FOR ALL TO pf_worker USING (true)
POLICY guard RESTRICTIVE FOR ALL TO pf_app USING ((tenant_id = ( SELECT CASE WHEN (current_setting('app.tenant_at'::text, true) = (EXTRACT(epoch FROM transaction_timestamp()))::text) THEN (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid ELSE NULL::uuid END AS "case")))
POLICY operators FOR ALL TO pf_admin USING (true)
POLICY tenant FOR ALL TO pf_app USING ((tenant_id = ( SELECT CASE WHEN (current_setting('app.tenant_at'::text, true) = (EXTRACT(epoch FROM transaction_timestamp()))::text) THEN (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid ELSE NULL::uuid END AS "case")))
GRANT DELETE, INSERT, MAINTAIN, REFERENCES, SELECT, TRIGGER, TRUNCATE, UPDATE TO pf_owner
GRANT INSERT, SELECT TO pf_worker
GRANT SELECT TO pf_admin
GRANT SELECT TO pf_app
COMMENT 'added to only: revision 0 is the first roll-up of a day, later ones the differences found since'
COMMENT ON hour 'of the day, UTC; -1 = the whole day'
COMMENT ON period 'the month it is billed in: that of the day, or a later one when that month was final'
COMMENT ON tenant_id 'null = nobody''s yet or the platform''s: extra attempts, IPs of shared pools'
