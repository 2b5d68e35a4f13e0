import { formatUsd } from '@libs/kernel';
import { billLine } from './demo-bill';
import type { DemoResult } from './demo';

const ABOUT_SECONDS = `The worst second may hold up to 4 % more than the rate, and a message or two on a slow account: urgent mail starts at once, and later
grants make room. Over rate is what the token bucket of Amazon SES would have refused (docs/decisions/007-late-starts-and-urgent-mail.md).`;

/** The summary a person reads: the day by tenant and by account, and what must be zero. */
export function summaryTable(result: DemoResult): string {
  const tenants = table(
    ['tenant', 'plan', 'accepted', 'sent', 'delivered', 'bounced', 'complained', 'suppressed', 'USD this month'],
    result.tenants.map((tenant) => [
      tenant.name,
      tenant.plan,
      tenant.accepted,
      tenant.sent,
      tenant.delivered,
      tenant.bounced,
      tenant.complained,
      tenant.suppressed,
      formatUsd(BigInt(tenant.costMicroUsd)),
    ]),
  );
  const accounts = table(
    [
      'account',
      'tier',
      'messages',
      'recipients',
      'rate limit/s',
      'worst second',
      'throttled',
      'over quota',
      'over rate',
    ],
    result.accounts.map((account) => [
      `${account.accountId} ${account.name}`,
      account.tier,
      account.sent,
      account.recipients,
      account.maxSendRate,
      account.worstSecond,
      account.throttled,
      account.overQuota,
      account.overRate,
    ]),
  );
  const { lost, duplicated, overQuota, overRate, inDoubt, accepted, sent, seconds } = result;
  return [
    tenants,
    accounts,
    ABOUT_SECONDS,
    `${String(accepted)} accepted, ${String(sent)} sent in ${String(seconds)} s`,
    billLine(result.bill),
    `lost ${String(lost)}  duplicated ${String(duplicated)}  over quota ${String(overQuota)}  over rate ${String(overRate)}  in doubt ${String(inDoubt)}`,
  ].join('\n\n');
}

/** Names and values in two columns, however long the longest name is. */
export function aligned(rows: readonly (readonly string[])[]): string {
  const width = Math.max(...rows.map(([name = '']) => name.length));
  return rows.map(([name = '', value = '']) => `  ${name.padEnd(width)}  ${value}`).join('\n');
}

function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const cells = [head, ...rows.map((row) => row.map(String))];
  const widths = head.map((_, column) => Math.max(...cells.map((row) => (row[column] ?? '').length)));
  const numeric = head.map((_, column) => rows.every((row) => /^-?[\d.]+$/.test(String(row[column]))));
  const line = (row: readonly string[]) =>
    row
      .map((cell, i) => (numeric[i] === true ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0)))
      .join('  ')
      .trimEnd();
  return [line(head), widths.map((width) => '-'.repeat(width)).join('  '), ...cells.slice(1).map(line)].join('\n');
}
