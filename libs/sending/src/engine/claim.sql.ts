import { DOMAIN_READY, OF_DOMAIN } from '../domain-ready.sql';
import type { DaySuffix } from './day-suffix.policy';

// Statements of the claim. Tenant, domain, set and suppression belong to lower libs whose services would need a round
// trip each; the claim stands between a grant and its slot, so it reads them itself.

/** Test addresses behave as they are named, every time, whatever a list says. */
const ON_THE_LIST = `s.tenant_id = ANY (ARRAY[r.tenant_id]) AND s.address = ANY (ARRAY[lower(r.address)]) AND s.address NOT LIKE '%@postfleet.test'`;

const SENDER_OF_MESSAGE = `sender s WHERE s.tenant_id = m.tenant_id AND s.stream = m.stream AND s.lane_id = m.lane_id`;

/**
 * The usual claim in one statement, on the tables of one day or on the parents. $1 account, $2 epoch, $3 batch, $4 worker,
 * $5 granted, $6 bucket, $7 slot end, $8 now, $9-11 tenants, messages and attempt ids, $12 every tenant of $9 once.
 *
 * Answers a row for each message intended, one row without a message when there was none, and no row when the account's
 * epoch is another, the account may not send or the batch is somebody's: then nothing here may be committed.
 *
 * `= ANY (ARRAY[x])` is `= x` that can be neither hashed, merged nor used for an order: what is left is one descent of the
 * primary key for each message, whatever the planner believes about tables that were empty when it planned
 * (docs/decisions/005; test/sending/explain.spec.ts).
 */
export const claimOf = (day: DaySuffix): string => `
  WITH account AS MATERIALIZED (
    -- Held, so that the epoch cannot be raised until this claim has ended.
    SELECT id FROM sending_account
     WHERE id = $1 AND epoch = $2::bigint AND sending_enabled AND state NOT IN ('PAUSED', 'SUSPENDED')
       FOR SHARE
  ), sender AS MATERIALIZED (
    -- What holds for a tenant is read once for all of its messages.
    SELECT t.id AS tenant_id, c.stream, c.lane_id, c.name,
           (SELECT s.created_at FROM suppression s WHERE s.tenant_id = t.id ORDER BY s.id DESC LIMIT 1) AS suppressed_at
      FROM unnest($12::uuid[]) AS k (tenant_id)
      JOIN tenant t ON t.id = ANY (ARRAY[k.tenant_id]) AND t.state = 'ACTIVE'
      JOIN configuration_set c ON c.tenant_id = ANY (ARRAY[t.id]) AND c.sending_account_id = $1 AND c.ready_at IS NOT NULL
           AND (c.held_until IS NULL OR c.held_until <= $8)
  ), sender_domain AS MATERIALIZED (
    SELECT d.tenant_id, d.name
      FROM unnest($12::uuid[]) AS k (tenant_id)
      JOIN domain d ON d.tenant_id = ANY (ARRAY[k.tenant_id]) AND d.state = 'READY'
      JOIN domain_identity i ON i.tenant_id = ANY (ARRAY[d.tenant_id]) AND i.domain_id = ANY (ARRAY[d.id])
           AND i.sending_account_id = $1 AND i.state = 'VERIFIED'
  ), intended AS (
    UPDATE message${day} m SET state = 'INTENT', batch_id = $3, attempt_no = m.attempt_no + 1, not_before = NULL, detail = NULL
      FROM account, unnest($9::uuid[], $10::uuid[], $11::uuid[]) WITH ORDINALITY AS w (tenant_id, id, attempt_id, n)
     WHERE m.tenant_id = ANY (ARRAY[w.tenant_id]) AND m.id = ANY (ARRAY[w.id])
       AND m.state = 'READY' AND m.sending_account_id = $1 AND m.expires_at > $8
       AND (m.not_before IS NULL OR m.not_before <= $8)
       AND (SELECT true FROM sender_domain d WHERE d.tenant_id = m.tenant_id AND ${OF_DOMAIN} LIMIT 1)
       -- Accepting looked at the list: only what was added since (or a moment before, by another clock) can matter.
       AND (SELECT coalesce(s.suppressed_at < m.created_at - interval '1 minute', true)
                   OR (SELECT true FROM recipient${day} r JOIN suppression s ON ${ON_THE_LIST}
                        WHERE r.tenant_id = m.tenant_id AND r.message_id = m.id AND r.state IS NULL
                          AND s.created_at >= m.created_at - interval '1 minute' LIMIT 1) IS NULL
              FROM ${SENDER_OF_MESSAGE})
    RETURNING w.n, w.attempt_id, (SELECT s.name FROM ${SENDER_OF_MESSAGE}) AS set_name, m.tenant_id, m.id, m.attempt_no, m.lane_id,
              m.mode, m.stream, m.n_rcpt, m.bytes
  ), gone AS (
    DELETE FROM backlog b USING intended i WHERE b.tenant_id = ANY (ARRAY[i.tenant_id]) AND b.message_id = ANY (ARRAY[i.id])
  ), attempts AS (
    INSERT INTO attempt${day} (tenant_id, message_id, attempt_no, id, batch_id, sending_account_id, lane_id, mode, stream, n_rcpt,
                         bytes, created_at, state)
    SELECT tenant_id, id, attempt_no, attempt_id, $3, $1, lane_id, mode, stream, n_rcpt, bytes, $8, 'INTENT' FROM intended
  ), opened AS (
    -- The fence. Last, because it says what was claimed; first or last, there is one commit.
    INSERT INTO batch (id, sending_account_id, worker, granted, bucket, slot_end, created_at, tenant_ids, message_ids, claimed, state)
    SELECT $3, a.id, $4, $5, $6, $7, $8, coalesce(i.tenants, '{}'), coalesce(i.messages, '{}'), coalesce(i.recipients, 0), 'OPEN'
      FROM account a, (SELECT array_agg(tenant_id) AS tenants, array_agg(id) AS messages, sum(n_rcpt) AS recipients FROM intended) i
    ON CONFLICT (id) DO NOTHING RETURNING id
  )
  SELECT i.n::int, i.n_rcpt AS recipients, i.stream, i.set_name AS "configurationSet", b.content::text AS content
    FROM opened LEFT JOIN intended i ON true
    LEFT JOIN message_body${day} b ON b.tenant_id = ANY (ARRAY[i.tenant_id]) AND b.message_id = ANY (ARRAY[i.id])`;

/** Where mail of message `m` leaves its account now: its placement's lane, once the route is set up there. */
const LANE_NOW = `
  placement p JOIN configuration_set r ON r.tenant_id = p.tenant_id AND r.sending_account_id = p.sending_account_id AND r.stream = p.stream
                                      AND r.lane_id = p.lane_id
   WHERE p.tenant_id = m.tenant_id AND p.mode = m.mode AND p.stream = m.stream AND p.sending_account_id = m.sending_account_id
     AND p.valid_to IS NULL`;

/** Messages held by this transaction take the lane that their placement has now. */
export const RELANE = `
  UPDATE message m SET lane_id = (SELECT p.lane_id FROM ${LANE_NOW} LIMIT 1), not_before = NULL, detail = NULL
    FROM jsonb_to_recordset($1::jsonb) AS w ("tenantId" uuid, id uuid)
   WHERE m.tenant_id = w."tenantId" AND m.id = w.id AND m.state = 'READY' AND EXISTS (SELECT FROM ${LANE_NOW})`;

/**
 * What there is to say about messages that the usual claim left. Rows that another transaction holds stay READY. A row of
 * the backlog whose message waits no more is taken away: a claim that met two others on one row can leave it behind.
 */
export const CANDIDATES = `
  WITH stale AS (
    DELETE FROM backlog b USING unnest($1::uuid[], $2::uuid[]) AS w (tenant_id, id)
      JOIN message m ON m.tenant_id = w.tenant_id AND m.id = w.id AND m.state NOT IN ('READY', 'SCHEDULED')
     WHERE b.tenant_id = w.tenant_id AND b.message_id = w.id
  )
  SELECT m.tenant_id AS "tenantId", m.id, m.mode, m.stream, t.state = 'ACTIVE' AS "tenantActive",
         c.name AS "configurationSet", b.content, ${DOMAIN_READY} AS "domainReady",
         coalesce((SELECT jsonb_agg(r.address) FROM recipient r JOIN suppression s ON ${ON_THE_LIST}
                   WHERE r.tenant_id = m.tenant_id AND r.message_id = m.id AND r.state IS NULL), '[]') AS suppressed,
         EXISTS (SELECT FROM ${LANE_NOW} AND p.lane_id <> m.lane_id) AS "laneLeft"
    FROM unnest($1::uuid[], $2::uuid[]) WITH ORDINALITY AS w (tenant_id, id, n)
    JOIN message m ON m.tenant_id = w.tenant_id AND m.id = w.id
    JOIN tenant t ON t.id = m.tenant_id
    JOIN message_body b ON b.tenant_id = m.tenant_id AND b.message_id = m.id
    LEFT JOIN configuration_set c ON c.tenant_id = m.tenant_id AND c.sending_account_id = m.sending_account_id
          AND c.stream = m.stream AND c.lane_id = m.lane_id AND c.ready_at IS NOT NULL AND (c.held_until IS NULL OR c.held_until <= $4)
   WHERE m.state = 'READY' AND m.sending_account_id = $3 AND m.expires_at > $4
     AND (m.not_before IS NULL OR m.not_before <= $4)
   ORDER BY w.n
     FOR UPDATE OF m SKIP LOCKED`;

export const INTEND = `
  WITH w AS (
    SELECT * FROM jsonb_to_recordset($1::jsonb) AS w ("tenantId" uuid, id uuid, "attemptId" uuid, recipients smallint)
  ), intended AS (
    UPDATE message m SET state = 'INTENT', batch_id = $2, attempt_no = m.attempt_no + 1, not_before = NULL, detail = NULL
      FROM w WHERE m.tenant_id = w."tenantId" AND m.id = w.id AND m.state = 'READY'
    RETURNING m.tenant_id, m.id, m.attempt_no, m.lane_id, m.mode, m.stream, m.bytes, w."attemptId" AS attempt_id, w.recipients
  ), gone AS (
    DELETE FROM backlog b USING intended i WHERE b.tenant_id = i.tenant_id AND b.message_id = i.id
  ), attempts AS (
    INSERT INTO attempt (tenant_id, message_id, attempt_no, id, batch_id, sending_account_id, lane_id, mode, stream, n_rcpt,
                         bytes, created_at, state)
    SELECT tenant_id, id, attempt_no, attempt_id, $2, $3, lane_id, mode, stream, recipients, bytes, $4, 'INTENT' FROM intended
  ), joined AS (
    UPDATE batch b SET claimed = b.claimed + i.recipients, tenant_ids = b.tenant_ids || i.tenants, message_ids = b.message_ids || i.messages
      FROM (SELECT array_agg(tenant_id) AS tenants, array_agg(id) AS messages, sum(recipients) AS recipients FROM intended) i
     WHERE b.id = $2 AND i.messages IS NOT NULL
  )
  SELECT id FROM intended`;

export const SUPPRESS = `
  WITH m AS (
    UPDATE message m SET state = 'SUPPRESSED', settled_at = $2
      FROM jsonb_to_recordset($1::jsonb) AS w ("tenantId" uuid, id uuid)
     WHERE m.tenant_id = w."tenantId" AND m.id = w.id AND m.state = 'READY'
    RETURNING m.tenant_id, m.id
  )
  DELETE FROM backlog b USING m WHERE b.tenant_id = m.tenant_id AND b.message_id = m.id`;

export const SUPPRESS_RECIPIENTS = `
  UPDATE recipient r SET state = 'SUPPRESSED', at = $2, detail = 'suppressed after it was accepted'
    FROM jsonb_to_recordset($1::jsonb) AS w ("tenantId" uuid, id uuid, address text)
   WHERE r.tenant_id = w."tenantId" AND r.message_id = w.id AND r.address = w.address AND r.state IS NULL`;

export const SUPPRESS_EVENT = `
  INSERT INTO message_event (tenant_id, id, message_id, type, at, dedupe_key, summary)
  SELECT w."tenantId", w."eventId", w.id, 'message.suppressed', $2, $3,
         'Not sent: every recipient was suppressed after the message was accepted.'
    FROM jsonb_to_recordset($1::jsonb) AS w ("tenantId" uuid, id uuid, "eventId" uuid)
  ON CONFLICT DO NOTHING`;

export const WAIT = `
  WITH w AS (
    SELECT * FROM jsonb_to_recordset($1::jsonb) AS w ("tenantId" uuid, id uuid, "notBefore" timestamptz, reason text)
  ), m AS (
    UPDATE message m SET not_before = w."notBefore", detail = w.reason
      FROM w WHERE m.tenant_id = w."tenantId" AND m.id = w.id AND m.state = 'READY'
    RETURNING m.tenant_id, m.id, m.not_before
  )
  UPDATE backlog b SET due_at = m.not_before FROM m WHERE b.tenant_id = m.tenant_id AND b.message_id = m.id`;
