/** One promise about a month's books as a statement that answers a row for every violation of it. */
export interface SqlInvariant {
  readonly id: bigint;
  readonly name: string;
  /** $1 the period `YYYY-MM`, $2 its first moment, $3 the first of the next. One row a violation, in the column `found`. */
  readonly sql: string;
}

/** Days of the period that are rolled up and whose attempts are still kept: only these can be reckoned anew. */
const KEPT_DAYS = `
  kept AS (
    SELECT u.day FROM usage_day u
     WHERE u.day >= ($2::timestamptz AT TIME ZONE 'UTC')::date AND u.day < ($3::timestamptz AT TIME ZONE 'UTC')::date
       AND u.day >= coalesce((SELECT max(before) FROM dropped_days WHERE parent = 'attempt'), '-infinity'::date))`;

/**
 * What SES accepted in live mode on these days, told in other words than the roll-up tells it, so that a mistake there is not
 * repeated here. An attempt ends within eight days after it began.
 */
const ACCEPTED = `
  accepted AS (
    SELECT a.tenant_id, a.message_id, a.attempt_no, a.sending_account_id, a.n_rcpt::bigint AS recipients,
           (CASE WHEN coalesce(a.ended_at, a.send_event_at) > a.created_at - interval '1 hour'
                  AND coalesce(a.ended_at, a.send_event_at) < a.created_at + interval '1 hour'
                 THEN coalesce(a.ended_at, a.send_event_at) ELSE a.created_at END AT TIME ZONE 'UTC')::date AS day
      FROM attempt a JOIN sending_account s ON s.id = a.sending_account_id
     WHERE a.mode = 'LIVE' AND s.mode = 'LIVE' AND (a.state = 'SENT' OR a.send_event_at IS NOT NULL)
       AND a.created_at >= $2::timestamptz - interval '16 days' AND a.created_at < $3::timestamptz + interval '1 hour'),
  first_accepted AS (
    SELECT DISTINCT ON (tenant_id, message_id) * FROM accepted ORDER BY tenant_id, message_id, attempt_no)`;

/**
 * The lines that a month's own bill answers for: its lines without what was booked in it for earlier months, later charges of it,
 * and its late usage that went out with another month.
 */
const OF_BILL = `
  of_bill AS (
    SELECT l.aws_account, l.cost_micro FROM fleet_line l JOIN billing_period b ON b.period = l.period
     WHERE CASE WHEN l.period = $1 THEN l.source = 'CUR' OR (l.source = 'PROVISIONAL' AND l.corrects IS NULL)
                WHEN l.corrects = $1 THEN l.source = 'CORRECTION' OR (l.source = 'PROVISIONAL' AND b.is_closed) END),
  theirs AS (
    SELECT b.aws_account, sum(b.cost_micro) AS micro FROM bill_line b JOIN bill_import i ON i.id = b.import_id
     WHERE i.period = $1 AND i.superseded_at IS NULL AND b.in_fleet GROUP BY 1)`;

/** The bearer as it is sorted when units are handed out: by its name, code unit by code unit. */
const BEARER = `coalesce(a.tenant_id::text, CASE a.bearer WHEN 'IDLE' THEN '__idle__' ELSE '__platform__' END)`;

export const SQL_INVARIANTS: readonly SqlInvariant[] = [
  {
    id: 1n,
    name: 'the allocations of a line add up to it',
    sql: `SELECT 'line ' || l.id || ' costs ' || l.cost_micro || ', allocated ' || coalesce(sum(a.amount_micro), 0) AS found
            FROM fleet_line l LEFT JOIN allocation a ON a.fleet_line_id = l.id
           WHERE l.period = $1 GROUP BY l.id HAVING coalesce(sum(a.amount_micro), 0) <> l.cost_micro`,
  },
  {
    id: 2n,
    name: 'tenants, idle and platform add up to the fleet, and to the bill once it is reconciled',
    sql: `WITH ${OF_BILL}, books AS (
            SELECT coalesce(sum(l.cost_micro), 0) AS fleet,
                   (SELECT coalesce(sum(a.amount_micro), 0) FROM allocation a JOIN fleet_line m ON m.id = a.fleet_line_id
                     WHERE m.period = $1) AS borne
              FROM fleet_line l WHERE l.period = $1),
          bill AS (
            SELECT sum(i.total_micro) AS billed,
                   (SELECT coalesce(sum(cost_micro), 0) FROM of_bill WHERE aws_account IN (SELECT aws_account FROM theirs)) AS ours
              FROM bill_import i WHERE i.period = $1 AND i.superseded_at IS NULL)
          SELECT 'borne ' || borne || ', fleet ' || fleet AS found FROM books WHERE borne <> fleet
          UNION ALL
          SELECT 'billed ' || billed || ', fleet ' || ours FROM bill, billing_period p
           WHERE p.period = $1 AND p.state IN ('RECONCILED', 'FINAL') AND billed <> ours`,
  },
  {
    id: 3n,
    name: 'each accepted attempt is in exactly one row of the roll-up',
    sql: `WITH ${KEPT_DAYS}, ${ACCEPTED},
          attempts AS (
            SELECT x.day, CASE WHEN f.attempt_no = x.attempt_no THEN x.tenant_id END AS tenant_id, x.sending_account_id,
                   sum(x.recipients) AS recipients
              FROM accepted x JOIN first_accepted f USING (tenant_id, message_id) JOIN kept ON kept.day = x.day GROUP BY 1, 2, 3),
          rolled AS (
            SELECT r.day, r.tenant_id, r.sending_account_id, sum(r.qty) AS recipients
              FROM usage_rollup r JOIN kept ON kept.day = r.day WHERE r.sku = 'ses.recipient' GROUP BY 1, 2, 3)
          SELECT coalesce(x.day, r.day) || ' tenant ' || coalesce(x.tenant_id, r.tenant_id)::text || ': attempts '
                 || coalesce(x.recipients, 0) || ', roll-up ' || coalesce(r.recipients, 0) AS found
            FROM attempts x FULL JOIN rolled r ON r.day = x.day AND r.sending_account_id = x.sending_account_id
                 AND coalesce(r.tenant_id::text, '') = coalesce(x.tenant_id::text, '')
           WHERE coalesce(x.recipients, 0) <> coalesce(r.recipients, 0)`,
  },
  {
    id: 4n,
    name: 'nobody is a whole micro-dollar away from the exact share',
    sql: `WITH share AS (
            SELECT a.fleet_line_id AS line, a.amount_micro, a.weight, l.cost_micro, sum(a.weight) OVER w AS total,
                   max(a.amount_micro) OVER equal - min(a.amount_micro) OVER equal AS apart
              FROM allocation a JOIN fleet_line l ON l.id = a.fleet_line_id WHERE l.period = $1
            WINDOW w AS (PARTITION BY a.fleet_line_id), equal AS (PARTITION BY a.fleet_line_id, a.weight))
          SELECT 'line ' || line || ': ' || amount_micro || ' for ' || weight || ' of ' || total AS found FROM share
           WHERE total > 0 AND (abs(amount_micro * total - cost_micro * weight) >= total OR apart > 1)`,
  },
  {
    id: 5n,
    name: 'who bears what follows from the weights alone, in whatever order they came',
    sql: `WITH share AS (
            SELECT a.fleet_line_id AS line, ${BEARER} AS bearer, a.amount_micro, l.cost_micro, sum(a.weight) OVER w AS total,
                   div(abs(l.cost_micro) * a.weight, nullif(sum(a.weight) OVER w, 0)) AS part,
                   mod(abs(l.cost_micro) * a.weight, nullif(sum(a.weight) OVER w, 0)) AS rest
              FROM allocation a JOIN fleet_line l ON l.id = a.fleet_line_id WHERE l.period = $1
            WINDOW w AS (PARTITION BY a.fleet_line_id)),
          ranked AS (
            SELECT *, abs(cost_micro) - sum(part) OVER (PARTITION BY line) AS units_left,
                   row_number() OVER (PARTITION BY line ORDER BY rest DESC, bearer COLLATE "C") AS place FROM share)
          SELECT 'line ' || line || ', ' || bearer || ': ' || amount_micro AS found FROM ranked
           WHERE CASE WHEN total = 0 THEN bearer <> '__idle__' AND amount_micro <> 0
                      ELSE amount_micro <> sign(cost_micro) * (part + CASE WHEN place <= units_left THEN 1 ELSE 0 END) END`,
  },
  {
    id: 7n,
    name: 'what was issued is guarded, numbered without a gap, and adds up to its lines',
    sql: `SELECT 'invoice ' || i.number || ': ' || i.total_cents * 10000 || ', lines ' || coalesce(sum(l.amount_micro), 0) AS found
            FROM invoice i LEFT JOIN invoice_line l ON l.tenant_id = i.tenant_id AND l.invoice_id = i.id
           WHERE i.period = $1 GROUP BY i.tenant_id, i.id
          HAVING coalesce(sum(l.amount_micro), 0) <> i.total_cents * 10000 OR count(l.no) <> i.line_count
                 OR i.total_micro + i.carried_in_micro + i.rounding_micro <> i.total_cents * 10000
          UNION ALL
          SELECT 'series ' || n.series || ': last number ' || n.last || ', issued ' || count(i.number) FROM invoice_number n
            LEFT JOIN invoice i ON left(i.number, length(n.series) + 1) = n.series || '-'
           GROUP BY n.series, n.last HAVING count(i.number) <> n.last
          UNION ALL
          SELECT 'the guard of ' || wanted.relation || ' is missing or switched off'
            FROM (VALUES ('invoice', 'issued'), ('invoice_line', 'issued'), ('billing_period', 'final_period'),
                         ('fleet_line', 'final_update'), ('allocation', 'final_update')) AS wanted (relation, trigger)
           WHERE NOT EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = wanted.relation::regclass AND t.tgname = wanted.trigger
                                AND t.tgenabled IN ('O', 'A'))
          UNION ALL
          SELECT grantee || ' may ' || privilege_type || ' ' || table_name FROM information_schema.role_table_grants
           WHERE table_schema = 'public' AND table_name IN ('invoice', 'invoice_line') AND grantee <> 'pf_owner'
             AND privilege_type IN ('UPDATE', 'DELETE', 'TRUNCATE')`,
  },
  {
    id: 8n,
    name: 'every line cites its rates and its method, and no usage is without a rate',
    sql: `SELECT 'line ' || l.id || ' (' || l.sku || ') cites no rate that was in force' AS found FROM fleet_line l
           WHERE l.period = $1 AND l.source = 'PROVISIONAL'
             AND (l.method_id = '' OR cardinality(l.rate_ids) = 0 OR EXISTS (
                   SELECT FROM unnest(l.rate_ids) AS cited (id) LEFT JOIN rate r ON r.id = cited.id
                    WHERE r.id IS NULL OR NOT tstzrange(r.valid_from, r.valid_to) && tstzrange(l.span_from, l.span_to)))
          UNION ALL
          SELECT 'invoice ' || i.number || ' line ' || l.no || ' cites nothing' FROM invoice i
            JOIN invoice_line l ON l.tenant_id = i.tenant_id AND l.invoice_id = i.id
           WHERE i.period = $1 AND l.cites IN ('[]'::jsonb, '{}'::jsonb, 'null'::jsonb)
          UNION ALL
          SELECT 'rates ' || a.id || ' and ' || b.id || ' overlap' FROM rate a JOIN rate b
              ON b.card = a.card AND b.sku = a.sku AND b.tier_from = a.tier_from AND b.id > a.id
             AND tstzrange(b.valid_from, b.valid_to) && tstzrange(a.valid_from, a.valid_to)
          UNION ALL
          SELECT 'no price of ' || u.sku || ' on plan ' || p.pricing_plan || ' on ' || u.day FROM (
            SELECT DISTINCT day, sending_account_id, sku FROM usage_rollup WHERE period = $1 AND sku = 'ses.recipient') u
            JOIN account_plan p ON p.sending_account_id = u.sending_account_id
                 AND tstzrange(p.valid_from, p.valid_to) && tstzrange(u.day AT TIME ZONE 'UTC', (u.day + 1) AT TIME ZONE 'UTC')
           WHERE NOT EXISTS (SELECT FROM rate r WHERE r.sku = u.sku AND r.tier_from = 0
                   AND r.card IN ('aws-a-la-carte', CASE p.pricing_plan WHEN 'ESSENTIALS' THEN 'aws-essentials'
                                                     WHEN 'PRO' THEN 'aws-pro' WHEN 'ENTERPRISE' THEN 'aws-enterprise' END)
                   AND tstzrange(r.valid_from, r.valid_to) && tstzrange(u.day AT TIME ZONE 'UTC', (u.day + 1) AT TIME ZONE 'UTC'))`,
  },
  {
    id: 9n,
    name: 'more usage never lowers a price that is marked monotone',
    sql: `SELECT 'price ' || p.id || ' from the ' || t.tier_from || 'th on: ' || t.amount_micro AS found FROM plan_price p
            JOIN plan_price_tier t ON t.plan_price_id = p.id WHERE p.monotone AND t.amount_micro < 0`,
  },
  {
    id: 10n,
    name: 'a message is billed to its tenant once, whatever the attempts',
    sql: `WITH ${KEPT_DAYS}, ${ACCEPTED},
          owed AS (SELECT f.tenant_id, sum(f.recipients) AS recipients FROM first_accepted f JOIN kept ON kept.day = f.day GROUP BY 1),
          billed AS (SELECT r.tenant_id, sum(r.qty) AS recipients FROM usage_rollup r JOIN kept ON kept.day = r.day
                      WHERE r.sku = 'ses.recipient' AND r.tenant_id IS NOT NULL GROUP BY 1)
          SELECT 'tenant ' || b.tenant_id || ': billed ' || b.recipients || ', owed ' || coalesce(o.recipients, 0) AS found
            FROM billed b LEFT JOIN owed o USING (tenant_id) WHERE b.recipients > coalesce(o.recipients, 0)`,
  },
  {
    id: 11n,
    name: 'IP-hours allocated are IP-hours leased',
    sql: `WITH leased AS (
            SELECT i.sending_account_id AS account,
                   sum(round(extract(epoch FROM least(coalesce(i.leased_to, 'infinity'), $3, p.refreshed_at)
                                                - greatest(i.leased_from, $2)) * 1000)) AS ms
              FROM ip_lease i JOIN sending_account s ON s.id = i.sending_account_id AND s.mode = 'LIVE'
              JOIN billing_period p ON p.period = $1 AND p.refreshed_at IS NOT NULL
             WHERE i.leased_from < least($3, p.refreshed_at) AND coalesce(i.leased_to, 'infinity') > $2 GROUP BY 1),
          line AS (
            SELECT l.id, l.sending_account_id AS account, l.quantity AS ms,
                   (SELECT coalesce(sum(a.quantity), 0) FROM allocation a WHERE a.fleet_line_id = l.id) AS borne
              FROM fleet_line l WHERE l.period = $1 AND l.source = 'PROVISIONAL' AND l.sku = 'ses.dedicated_ip_month'
                AND l.corrects IS NULL),
          lines AS (SELECT account, sum(ms) AS ms FROM line GROUP BY 1)
          SELECT 'line ' || id || ': ' || ms || ' ms, borne ' || borne AS found FROM line WHERE ms <> borne
          UNION ALL
          SELECT 'account ' || coalesce(k.account, n.account) || ': leased ' || coalesce(k.ms, 0) || ' ms, in lines ' || coalesce(n.ms, 0)
            FROM leased k FULL JOIN lines n ON n.account = k.account WHERE coalesce(k.ms, 0) <> coalesce(n.ms, 0)`,
  },
  {
    id: 12n,
    name: 'our own reckoning and the differences make what AWS billed, account by account',
    sql: `WITH ${OF_BILL}, ours AS (SELECT aws_account, sum(cost_micro) AS micro FROM of_bill GROUP BY 1)
          SELECT coalesce(o.aws_account, t.aws_account) || ': ours ' || coalesce(o.micro, 0) || ', billed ' || coalesce(t.micro, 0) AS found
            FROM ours o FULL JOIN theirs t ON t.aws_account = o.aws_account
           WHERE coalesce(o.micro, 0) <> coalesce(t.micro, 0)
             AND EXISTS (SELECT FROM billing_period p WHERE p.period = $1 AND p.state IN ('RECONCILED', 'FINAL')
                            -- A month sealed without a bill, or with that of one payer, owes nothing to the bill it has not.
                            AND (t.aws_account IS NOT NULL OR p.reconciled_at IS NOT NULL))
          UNION ALL
          SELECT 'line ' || id || ' differs from the bill and says not why' FROM fleet_line
           WHERE period = $1 AND source <> 'PROVISIONAL' AND coalesce(reason, '') = ''`,
  },
  {
    id: 13n,
    name: 'no column is of a floating type',
    sql: `SELECT table_name || '.' || column_name || ' is ' || data_type AS found FROM information_schema.columns
           WHERE table_schema = 'public' AND data_type IN ('real', 'double precision', 'money')`,
  },
  {
    id: 14n,
    name: 'closing twice left one of each: line, invoice, report',
    sql: `SELECT count(*) || ' lines of ' || aws_account || ' ' || usage_type || ' from ' || min(span_from) AS found FROM fleet_line
           WHERE period = $1 AND source = 'PROVISIONAL'
           GROUP BY aws_account, region, sending_account_id, lane_id, sku, usage_type, pricing_plan, span_from, span_to
          HAVING count(*) > 1
          UNION ALL
          SELECT count(*) || ' invoices of tenant ' || tenant_id FROM invoice
           WHERE period = $1 AND kind = 'INVOICE' AND state = 'FINAL' GROUP BY tenant_id HAVING count(*) > 1
          UNION ALL
          SELECT count(*) || ' reports of payer ' || payer FROM bill_import WHERE period = $1 AND superseded_at IS NULL
           GROUP BY payer HAVING count(*) > 1`,
  },
];
