import type { AwsAccount, SendingAccount } from '@libs/fleet';
import type { Tier } from '@libs/plans';
import type { FleetOverview, TierOverview } from './fleet-overview.type';

/** An account may send when AWS lets it, for real mail. */
function sends(account: SendingAccount): boolean {
  return account.state === 'PRODUCTION' && account.sendingEnabled;
}

/** The fleet in numbers. Quota of accounts that may not send is no capacity and is left out. */
export function overviewOf(
  tiers: readonly Tier[],
  awsAccounts: readonly AwsAccount[],
  sendingAccounts: readonly SendingAccount[],
): FleetOverview {
  return {
    awsAccounts: awsAccounts.length,
    failedAwsAccounts: awsAccounts.filter((account) => account.state === 'FAILED').length,
    sendingAccounts: sendingAccounts.length,
    tiers: tiers.map(({ code }) => tierOverview(code, sendingAccounts)),
  };
}

function tierOverview(tier: string, all: readonly SendingAccount[]): TierOverview {
  const live = all.filter((account) => account.tier === tier && account.mode === 'LIVE');
  const sending = live.filter(sends);
  const limited = sending.filter((account) => account.max24HourSend >= 0n);
  const quota = sum(limited.map((account) => account.max24HourSend));
  const ofQuota = sum(limited.map((account) => account.sentLast24Hours));
  return {
    tier,
    sendingAccounts: live.length,
    sending: sending.length,
    quota,
    used: sum(live.map((account) => account.sentLast24Hours)),
    utilisationPermille: quota === 0n ? 0 : Number((ofQuota * 1_000n) / quota),
  };
}

function sum(values: readonly bigint[]): bigint {
  return values.reduce((total, value) => total + value, 0n);
}
