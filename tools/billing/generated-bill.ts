import type { Client } from 'pg';

/** Who pays for the generated accounts. */
export const GENERATED_PAYER = '209999999999';

const HEADER =
  'bill/PayerAccountId,bill/BillingPeriodStartDate,lineItem/UsageAccountId,lineItem/LineItemType,lineItem/ProductCode,' +
  'lineItem/UsageType,lineItem/UsageAmount,lineItem/CurrencyCode,lineItem/UnblendedCost,product/region';

/**
 * What AWS would bill for the generated month, reckoned straight from its facts with prices of its own, day by day as AWS
 * writes it, and what a real bill has besides: somebody else's mail through one of the accounts, a credit and tax.
 * $1 the first moment of the month. Fits the volumes of that month: nobody leaves the first tier.
 */
const LINES = `
  WITH month AS (SELECT $1::timestamptz AS since, $1::timestamptz + interval '1 month' AS until),
  account AS (SELECT s.id, a.account_id FROM sending_account s JOIN aws_account a ON a.id = s.aws_account_id),
  sent AS (
    SELECT account.account_id, (a.ended_at AT TIME ZONE 'UTC')::date AS day, p.pricing_plan AS plan, sum(a.n_rcpt)::numeric AS recipients
      FROM attempt a JOIN account ON account.id = a.sending_account_id
      JOIN account_plan p ON p.sending_account_id = a.sending_account_id AND a.ended_at >= p.valid_from
           AND (p.valid_to IS NULL OR a.ended_at < p.valid_to), month
     WHERE (a.state = 'SENT' OR a.send_event_at IS NOT NULL) AND a.ended_at >= month.since AND a.ended_at < month.until
     GROUP BY 1, 2, 3),
  leased AS (
    SELECT account.account_id, sum(extract(epoch FROM least(coalesce(l.leased_to, until), until) - greatest(l.leased_from, since)))::numeric AS seconds
      FROM ip_lease l JOIN account ON account.id = l.sending_account_id, month
     WHERE l.leased_from < until AND coalesce(l.leased_to, until) > since GROUP BY 1),
  line (account, type, usage, amount, cost) AS (
    SELECT account_id, 'Usage', 'USE1-Recipients', recipients,
           recipients * CASE plan WHEN 'NONE' THEN 0.10 WHEN 'ESSENTIALS' THEN 0.16 WHEN 'PRO' THEN 0.22 ELSE 0.23 END / 1000 FROM sent
    UNION ALL
    SELECT account_id, 'Usage', 'USE1-DIP-Hours', seconds / 3600, seconds * 24.95 / extract(epoch FROM until - since)::numeric FROM leased, month
    UNION ALL
    SELECT account.account_id, 'Usage', 'USE1-EmailPlan-Months', 1, CASE p.pricing_plan WHEN 'PRO' THEN 105 ELSE 500 END
      FROM account_plan p JOIN account ON account.id = p.sending_account_id, month
     WHERE p.pricing_plan IN ('PRO', 'ENTERPRISE') AND p.valid_from < until AND coalesce(p.valid_to, until) >= until
    UNION ALL SELECT max(account_id), 'Usage', 'USE1-Recipients', 1250, 0.125 FROM account
    UNION ALL SELECT min(account_id), 'Tax', 'USE1-Recipients', 0, 3.21 FROM account
    UNION ALL SELECT min(account_id), 'Credit', 'USE1-Recipients', 0, -5 FROM account)
  SELECT account, type, usage, round(amount, 10)::text AS amount, round(cost, 10)::text AS cost FROM line ORDER BY 1, 2, 3, 4`;

/** The generated month's bill as a Cost and Usage Report. */
export async function billOfMonth(client: Client, period: string): Promise<string> {
  const { rows } = await client.query<Record<'account' | 'type' | 'usage' | 'amount' | 'cost', string>>(LINES, [
    `${period}-01T00:00:00Z`,
  ]);
  const text = rows.map(({ account, type, usage, amount, cost }) =>
    [
      GENERATED_PAYER,
      `${period}-01T00:00:00Z`,
      account,
      type,
      'AmazonSES',
      usage,
      amount,
      'USD',
      cost,
      'us-east-1',
    ].join(','),
  );
  return [HEADER, ...text, ''].join('\n');
}
