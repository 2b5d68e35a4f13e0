import type { Lane as LaneRow, SendingAccount as SendingAccountRow } from '@libs/fleet';
import { toPublicId } from '@libs/kernel';
import type { Lane, SendingAccount } from './sending-account.type';

/** `used` is filled in by the resolver, which also asks the ledger. */
export function toSendingAccount(row: SendingAccountRow): SendingAccount {
  return {
    uuid: row.id,
    awsAccountId: row.awsAccountId,
    id: toPublicId('sendingAccount', row.id),
    accountId: row.accountId,
    region: row.region,
    tier: row.tier,
    mode: row.mode,
    state: row.state,
    quota: row.max24HourSend,
    used: row.sentLast24Hours,
    rate: row.maxSendRate,
    pricingPlan: row.pricingPlan,
    observedAt: row.observedAt,
  };
}

export function toLane(row: LaneRow): Lane {
  return {
    id: toPublicId('lane', row.id),
    kind: row.kind,
    poolName: row.poolName,
    stream: row.stream,
    ownerTenantId: row.ownerTenantId === null ? null : toPublicId('tenant', row.ownerTenantId),
    ips: [...row.ips],
  };
}
