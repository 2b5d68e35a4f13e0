import { COUNTED } from './usage';

/**
 * When SES took an attempt: its end, or its Send event, unless that is far from its beginning, because nobody knew for a
 * while. So the attempts of a day began in it, or at most an hour before, and lie together on disk.
 */
export const TAKEN_AT = `
  CASE WHEN abs(extract(epoch FROM coalesce(a.ended_at, a.send_event_at) - a.created_at)) < 3600
       THEN coalesce(a.ended_at, a.send_event_at) ELSE a.created_at END`;

/** SES took it, as its answer or its Send event says, whatever else was recorded. */
export const TAKEN = `(a.state = 'SENT' OR a.send_event_at IS NOT NULL)`;

/**
 * What was used from $1 until before $2, of IPs until $3 (now), as the facts say: CTEs that end with `counted` (hour, whole, tenant_id,
 * sending_account_id, lane_id, sku, qty) and `hourly`, which also counts attempts. `whole`: of the day, not the hour.
 *
 * Billed is what SES accepted in live mode, whether it was delivered, suppressed, found to carry a virus or sent to the
 * mailbox simulator; what SES refused is not (aws-facts 6.3). The tenant bears the first accepted attempt of a message.
 */
export const COUNTED_USAGE = `
  hourly AS MATERIALIZED (
    SELECT date_trunc('hour', t.at, 'UTC') AS hour, CASE WHEN NOT t.extra THEN t.tenant_id END AS tenant_id, t.sending_account_id,
           t.lane_id, count(*) FILTER (WHERE t.taken) AS attempts, count(*) FILTER (WHERE NOT t.taken) AS in_doubt,
           coalesce(sum(t.n_rcpt) FILTER (WHERE t.taken), 0)::bigint AS recipients,
           coalesce(sum(t.n_rcpt::bigint * t.bytes) FILTER (WHERE t.taken), 0)::bigint AS attached
      FROM (SELECT a.tenant_id, a.sending_account_id, a.lane_id, a.n_rcpt, ${TAKEN_AT} AS at, ${TAKEN} AS taken, f.bytes,
                   a.attempt_no > 1 AND ${TAKEN} AND EXISTS (
                     SELECT FROM attempt b
                      WHERE b.tenant_id = a.tenant_id AND b.message_id = a.message_id AND b.attempt_no < a.attempt_no
                        AND (b.state = 'SENT' OR b.send_event_at IS NOT NULL)) AS extra
              FROM attempt a
              LEFT JOIN message_attachment f ON f.tenant_id = a.tenant_id AND f.message_id = a.message_id
             WHERE a.created_at >= $1::timestamptz - interval '1 hour' AND a.created_at < $2::timestamptz + interval '1 hour'
               AND a.mode = 'LIVE' AND (${TAKEN} OR a.state IN ('INTENT', 'IN_DOUBT'))) t
      JOIN sending_account s ON s.id = t.sending_account_id AND s.mode = 'LIVE'
     WHERE t.at >= $1 AND t.at < $2
     GROUP BY 1, 2, 3, 4
  ), changed AS (
    -- Days on which an account changed its plan: their usage is kept by the hour, since the price changed with it.
    SELECT DISTINCT p.sending_account_id, date_trunc('day', p.valid_from, 'UTC') AS day FROM account_plan p
     WHERE p.valid_from >= $1 AND p.valid_from < $2 AND p.valid_from > date_trunc('day', p.valid_from, 'UTC')
       AND EXISTS (SELECT FROM account_plan q WHERE q.sending_account_id = p.sending_account_id AND q.valid_from < p.valid_from)
  ), ip_hours AS (
    SELECT h.hour, i.sending_account_id, i.lane_id, i.owner_tenant_id,
           trunc(extract(epoch FROM least(i.leased_to, h.hour + interval '1 hour', $2, $3) - greatest(i.leased_from, h.hour, $1)) * 1000) AS ms
      FROM ip_lease i
      JOIN sending_account s ON s.id = i.sending_account_id AND s.mode = 'LIVE'
     CROSS JOIN LATERAL generate_series(
       date_trunc('hour', greatest(i.leased_from, $1), 'UTC'), least(i.leased_to, $2, $3) - interval '1 microsecond', interval '1 hour') AS h (hour)
     WHERE i.leased_from < $2 AND (i.leased_to IS NULL OR i.leased_to > $1)
  ), counted AS (
    SELECT CASE WHEN c.day IS NULL THEN date_trunc('day', u.hour, 'UTC') ELSE u.hour END AS hour, c.day IS NULL AS whole, u.tenant_id,
           u.sending_account_id, u.lane_id, v.sku, sum(v.qty)::bigint AS qty
      FROM hourly u
      LEFT JOIN changed c ON c.sending_account_id = u.sending_account_id AND c.day = date_trunc('day', u.hour, 'UTC')
     CROSS JOIN LATERAL (VALUES ('${COUNTED.recipient}', u.recipients), ('${COUNTED.attachment}', u.attached)) AS v (sku, qty)
     GROUP BY 1, 2, 3, 4, 5, 6
    UNION ALL
    SELECT u.hour, false, u.tenant_id, u.sending_account_id, u.lane_id, '${COUNTED.poolRecipient}', u.recipients
      FROM hourly u JOIN lane l ON l.id = u.lane_id AND l.kind = 'POOL'
    UNION ALL
    SELECT CASE WHEN w.whole THEN date_trunc('day', i.hour, 'UTC') ELSE i.hour END, w.whole, i.owner_tenant_id, i.sending_account_id,
           i.lane_id, '${COUNTED.dedicatedIp}', sum(i.ms)::bigint
      FROM ip_hours i CROSS JOIN LATERAL (SELECT i.lane_id IS NULL OR i.owner_tenant_id IS NOT NULL) AS w (whole)
     GROUP BY 1, 2, 3, 4, 5
    UNION ALL
    SELECT d.day::timestamp AT TIME ZONE 'UTC', true, d.tenant_id, d.sending_account_id, NULL, '${COUNTED.delivery}', sum(d.deliveries)::bigint
      FROM event_delivery d
      JOIN sending_account s ON s.id = d.sending_account_id AND s.mode = 'LIVE'
     WHERE d.day >= ($1::timestamptz AT TIME ZONE 'UTC')::date AND d.day::timestamp AT TIME ZONE 'UTC' < $2
     GROUP BY 1, 3, 4
  )`;
