import type { SendingAccountId, TenantId } from '@libs/kernel';
import { SKUS, type RateCards } from '../rates/rate-card.policy';
import type { UsageRow } from '../usage/usage';
import { feeLines, ipLines, meteredLines, volumeOf } from './account-lines.policy';
import { ascending, IDLE, PLATFORM, type Bearer } from './allocation.policy';
import type { FleetFacts } from './fleet-facts';
import { total, type FleetLine, type TenantCost, type TenantCostLine } from './fleet-line';
import { sharedIdle } from './idle-share.policy';

/** A period's cost. Tenants, idle and platform add up to the fleet, exactly. */
export interface FleetCosts {
  readonly period: string;
  readonly fleetMicro: bigint;
  readonly idleMicro: bigint;
  readonly platformMicro: bigint;
  readonly tenants: readonly TenantCost[];
  readonly lines: readonly FleetLine[];
}

/** What the fleet cost in a period and who bears it: a function of facts and prices, whatever order they come in. */
export function fleetCosts(facts: FleetFacts, rates: RateCards): FleetCosts {
  return costsOf(facts.period.name, fleetLines(facts, rates));
}

/** The same line by line. */
export function fleetLines(facts: FleetFacts, rates: RateCards): FleetLine[] {
  const usage = new Map<SendingAccountId, UsageRow[]>();
  for (const row of facts.usage) {
    const own = usage.get(row.sendingAccountId);
    if (own) own.push(row);
    else usage.set(row.sendingAccountId, [row]);
  }
  const accounts = [...facts.accounts].sort((a, b) => ascending(a.sendingAccountId, b.sendingAccountId));
  return accounts.flatMap((account) => {
    const own = usage.get(account.sendingAccountId) ?? [];
    const found = [
      ...meteredLines(account, own, facts, rates),
      ...ipLines(account, own, facts, rates),
      ...feeLines(account, own, facts, rates),
    ];
    return facts.policy.idle === 'PLATFORM'
      ? found
      : found.map((line) => sharedIdle(line, volumeOf(own, facts.period)));
  });
}

/** The lines, summed up by who bears them. */
function costsOf(period: string, lines: readonly FleetLine[]): FleetCosts {
  const borne = new Map<Bearer, bigint>();
  for (const line of lines) {
    for (const one of line.allocations) borne.set(one.bearer, (borne.get(one.bearer) ?? 0n) + one.costMicro);
  }
  return {
    period,
    fleetMicro: total(lines.map((line) => line.costMicro)),
    idleMicro: borne.get(IDLE) ?? 0n,
    platformMicro: borne.get(PLATFORM) ?? 0n,
    tenants: tenantCosts(lines),
    lines,
  };
}

function tenantCosts(lines: readonly FleetLine[]): TenantCost[] {
  const byTenant = new Map<TenantId, TenantCostLine[]>();
  for (const { allocations, ...line } of lines) {
    const allocatedOf = { quantity: line.quantity, costMicro: line.costMicro };
    for (const { bearer, quantity, costMicro } of allocations) {
      if (bearer === IDLE || bearer === PLATFORM) continue;
      const own = byTenant.get(bearer) ?? [];
      own.push({ ...line, quantity, costMicro, allocatedOf });
      byTenant.set(bearer, own);
    }
  }
  return [...byTenant]
    .sort(([a], [b]) => ascending(a, b))
    .map(([tenantId, own]) => ({
      tenantId,
      costMicro: total(own.map((line) => line.costMicro)),
      recipients: total(own.filter((line) => line.sku === SKUS.recipient).map((line) => line.quantity)),
      lines: own,
    }));
}
