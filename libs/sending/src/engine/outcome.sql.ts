import type { DaySuffix } from './day-suffix.policy';
import { MOST_DOUBLINGS, OFTEN, WAIT_PER_ATTEMPT_MS } from './outcome.policy';

// Statements that end attempts. All of them lock attempts first, then messages, then what waits or is in doubt.

/**
 * SES took it: attempt and message change in place, on their pages, and nothing else does. $1-5 tenants, messages,
 * attempts, SES's ids and times; all of one day, or on the parents. Only attempts under way; the rest is for APPLY.
 * (`= ANY (ARRAY[x])`: see claim.sql.ts.)
 */
export const applySentOf = (day: DaySuffix): string => `
  WITH a AS (
    UPDATE attempt${day} a SET state = 'SENT', ses_message_id = o.ses, ended_at = o.at
      FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::timestamptz[]) WITH ORDINALITY AS o (tenant_id, message_id, id, ses, at, n)
     WHERE a.tenant_id = ANY (ARRAY[o.tenant_id]) AND a.message_id = ANY (ARRAY[o.message_id]) AND a.id = ANY (ARRAY[o.id])
       AND a.state = 'INTENT'
    RETURNING a.tenant_id, a.message_id, a.attempt_no, o.at, o.n
  ), m AS (
    UPDATE message${day} m SET state = 'SENT', settled_at = a.at
      FROM a
     WHERE m.tenant_id = ANY (ARRAY[a.tenant_id]) AND m.id = ANY (ARRAY[a.message_id])
       AND m.attempt_no = ANY (ARRAY[a.attempt_no]) AND m.state = 'INTENT'
  )
  SELECT n FROM a`;

/** $1-3 tenants, messages, attempts. Before APPLY, which then sees what the events have proven until these rows were free. */
export const LOCK = `
  SELECT FROM unnest($1::uuid[], $2::uuid[], $3::uuid[]) AS o (tenant_id, message_id, id)
    JOIN attempt a ON a.tenant_id = ANY (ARRAY[o.tenant_id]) AND a.message_id = ANY (ARRAY[o.message_id]) AND a.id = ANY (ARRAY[o.id])
    JOIN message m ON m.tenant_id = ANY (ARRAY[o.tenant_id]) AND m.id = ANY (ARRAY[o.message_id])
   ORDER BY o.message_id FOR NO KEY UPDATE OF a, m`;

/**
 * Any end. An attempt ends once: INTENT, or IN_DOUBT that an answer settles late. The message follows only if that
 * attempt is still its last one; one that waits again returns to the backlog, one in doubt is noted among the doubts. A message
 * of which an earlier attempt has turned out to be sent is sent, whatever became of this one.
 */
export const APPLY = `
  WITH o AS (
    SELECT * FROM jsonb_to_recordset($1::jsonb) AS o ("tenantId" uuid, "messageId" uuid, "attemptId" uuid, attempt text, message text,
           "sesMessageId" text, code text, text text, at timestamptz, "notBefore" timestamptz, grows boolean)
  ), a AS (
    UPDATE attempt a SET state = o.attempt, ses_message_id = coalesce(o."sesMessageId", a.ses_message_id), error_code = o.code,
           error = o.text, ended_at = o.at
      FROM o WHERE a.tenant_id = ANY (ARRAY[o."tenantId"]) AND a.message_id = ANY (ARRAY[o."messageId"]) AND a.id = ANY (ARRAY[o."attemptId"])
       AND (a.state = 'INTENT' OR (a.state = 'IN_DOUBT' AND o.attempt <> 'IN_DOUBT'))
    RETURNING a.tenant_id, a.id, a.message_id, a.attempt_no, a.sending_account_id, a.stream, a.created_at, a.state
  ), n AS (
    SELECT o.*, a.tenant_id, a.message_id, a.attempt_no,
           CASE WHEN a.attempt_no = 1 OR o.message = 'SENT' THEN o.message
                WHEN EXISTS (SELECT FROM attempt e WHERE e.tenant_id = ANY (ARRAY[a.tenant_id]) AND e.message_id = ANY (ARRAY[a.message_id])
                                AND e.attempt_no < a.attempt_no AND e.state = 'SENT')
                  OR EXISTS (SELECT FROM a e WHERE e.tenant_id = a.tenant_id AND e.message_id = a.message_id
                                AND e.attempt_no < a.attempt_no AND e.state = 'SENT')
                THEN 'SENT' ELSE o.message END AS becomes
      FROM o JOIN a ON a.tenant_id = o."tenantId" AND a.id = o."attemptId"
  ), m AS (
    UPDATE message m SET state = n.becomes,
           not_before = CASE WHEN n.becomes = n.message THEN greatest(
             CASE WHEN n.grows THEN n.at + (n."notBefore" - n.at) * 2 ^ least(n.attempt_no - 1, ${String(MOST_DOUBLINGS)}) ELSE n."notBefore" END,
             CASE WHEN n.message = 'READY' AND n.attempt_no > ${String(OFTEN)} THEN n.at + n.attempt_no * interval '${String(WAIT_PER_ATTEMPT_MS)} milliseconds' END) END,
           detail = CASE WHEN n.becomes = n.message THEN n.text END,
           settled_at = CASE WHEN n.becomes IN ('SENT', 'REJECTED') THEN n.at END
      FROM n
     WHERE m.tenant_id = ANY (ARRAY[n.tenant_id]) AND m.id = ANY (ARRAY[n.message_id]) AND m.attempt_no = ANY (ARRAY[n.attempt_no])
       AND m.state IN ('INTENT', 'IN_DOUBT')
    RETURNING m.tenant_id, m.id, m.mode, m.stream, m.sending_account_id, m.n_rcpt, m.state, m.not_before, m.expires_at, m.attempt_no,
              m.in_doubt_policy, n.at
  ), waits AS (
    INSERT INTO backlog (tenant_id, message_id, mode, stream, sending_account_id, n_rcpt, scheduled, due_at, expires_at)
    SELECT tenant_id, id, mode, stream, sending_account_id, n_rcpt, false, not_before, expires_at FROM m WHERE state = 'READY'
    ON CONFLICT (tenant_id, message_id) DO UPDATE SET scheduled = false, due_at = excluded.due_at, sending_account_id = excluded.sending_account_id
  ), known AS (
    DELETE FROM in_doubt d USING a
     WHERE a.state <> 'IN_DOUBT' AND d.tenant_id = a.tenant_id AND d.message_id = a.message_id AND d.attempt_no = a.attempt_no
  ), doubted AS (
    INSERT INTO in_doubt (tenant_id, message_id, attempt_no, attempt_id, sending_account_id, stream, policy, started_at, ended_at, expires_at)
    SELECT a.tenant_id, a.message_id, a.attempt_no, a.id, a.sending_account_id, a.stream, m.in_doubt_policy, a.created_at, m.at, m.expires_at
      FROM a JOIN m ON m.tenant_id = a.tenant_id AND m.id = a.message_id
     WHERE a.state = 'IN_DOUBT' AND m.state = 'IN_DOUBT'
    ON CONFLICT DO NOTHING
  )
  SELECT a.tenant_id AS "tenantId", a.id AS "attemptId" FROM a`;

/** $1-3 tenant, message, attempt, $4 now, $5 why. For an end that cannot be written: it is as a doubt whose time is over. */
export const END_IN_DOUBT = `
  WITH a AS (
    UPDATE attempt SET state = 'IN_DOUBT', error_code = 'OutcomeRefused', error = $5, ended_at = $4
     WHERE tenant_id = $1 AND message_id = $2 AND id = $3 AND state IN ('INTENT', 'IN_DOUBT')
    RETURNING tenant_id, message_id, attempt_no
  ), m AS (
    UPDATE message m SET state = 'IN_DOUBT', detail = $5, settled_at = $4 FROM a
     WHERE m.tenant_id = a.tenant_id AND m.id = a.message_id AND m.attempt_no = a.attempt_no AND m.state IN ('INTENT', 'IN_DOUBT')
  )
  DELETE FROM in_doubt d USING a
   WHERE d.tenant_id = a.tenant_id AND d.message_id = a.message_id AND d.attempt_no = a.attempt_no`;

export const EVENTS = `
  INSERT INTO message_event (tenant_id, id, message_id, type, at, dedupe_key, summary, data)
  SELECT e."tenantId", e.id, e."messageId", e.type, e.at, e.key, e.summary, e.data
    FROM jsonb_to_recordset($1::jsonb) AS e ("tenantId" uuid, id uuid, "messageId" uuid, type text, at timestamptz, key text, summary text,
         data jsonb)
  ON CONFLICT DO NOTHING`;

/** $1-3 batches, recipients used, times. By settled_at, which only an OPEN one has not: an index of all open ones would be read whole. */
export const SETTLE = `
  UPDATE batch b SET state = 'SETTLED', claimed = w.used, settled_at = w.at
    FROM unnest($1::uuid[], $2::int[], $3::timestamptz[]) AS w (id, used, at)
   WHERE b.id = ANY (ARRAY[w.id]) AND b.settled_at IS NULL`;

const ATTEMPTS_OF_BATCH = `
    FROM batch b CROSS JOIN LATERAL unnest(b.tenant_ids, b.message_ids) AS w (tenant_id, message_id)
    JOIN attempt a ON a.tenant_id = ANY (ARRAY[w.tenant_id]) AND a.message_id = ANY (ARRAY[w.message_id]) AND a.batch_id = ANY (ARRAY[b.id])
   WHERE b.id = $1`;

export const USAGE = `
  SELECT a.tenant_id AS "tenantId", coalesce(sum(a.n_rcpt) FILTER (WHERE a.state NOT IN ('NOT_SENT', 'REJECTED')), 0)::int AS used,
         coalesce(sum(a.n_rcpt) FILTER (WHERE a.state = 'REJECTED' OR (a.state = 'NOT_SENT' AND a.error_code <> 'unstarted')), 0)::int AS refused
   ${ATTEMPTS_OF_BATCH} GROUP BY a.tenant_id`;

export const OPEN_ATTEMPTS = `
  SELECT a.tenant_id AS "tenantId", a.message_id AS "messageId", a.id AS "attemptId" ${ATTEMPTS_OF_BATCH} AND a.state = 'INTENT'`;
