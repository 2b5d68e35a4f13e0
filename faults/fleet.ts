import { SEED_ACCOUNTS, type SeedAccount } from '../tools/local-stack/fleet-plan';
import type { SeededFleet } from '../tools/local-stack/seed';
import type { LoadedTenant } from './load';

/** Recipients per second: slow enough for two cores to keep up with events and all, fast enough for seconds to count. */
const RATES: Readonly<Record<string, number>> = { 'A premium': 50, 'B growth': 40, 'C free': 14 };

/** The seed fleet at rates that leave the machine time to be broken. */
export const FAULT_ACCOUNTS: readonly SeedAccount[] = SEED_ACCOUNTS.map((account) => ({
  ...account,
  maxSendRate: RATES[account.name] ?? account.maxSendRate,
}));

/** Seconds of sending that wait at any time, so that a slot is never empty for want of mail. */
const BACKLOG_SECONDS = 2.5;

/** Four tenants on three accounts, two of them sharing one; each has its share of its account's rate waiting. */
export function loadedTenants(fleet: SeededFleet): LoadedTenant[] {
  const shares: readonly [name: string, account: string, share: number][] = [
    ['Northwind Bank', 'A premium', 0.5],
    ['Lumen Health', 'A premium', 0.5],
    ['Kestrel Shop', 'B growth', 1],
    ['Pixel Garden', 'C free', 1],
  ];
  return shares.map(([name, account, share]) => {
    const tenant = fleet.tenants.find((one) => one.name === name);
    if (!tenant) throw new Error(`tenant ${name} was not seeded`);
    return { tenant, backlog: Math.ceil((RATES[account] ?? 1) * share * BACKLOG_SECONDS) };
  });
}

/**
 * Recipients a second of the victim's account in a campaign: several slots of a moment, whose mail shares requests. Its one loaded tenant
 * hands in nothing but marketing mail. The rate that counts as steady leaves a slow machine room.
 */
export const CAMPAIGN = { tenant: 'Kestrel Shop', maxSendRate: 500, steadyRate: 250 };

/** The same tenants while one of them has a campaign. */
export function campaignTenants(usual: readonly LoadedTenant[]): LoadedTenant[] {
  const backlog = CAMPAIGN.maxSendRate * BACKLOG_SECONDS;
  return usual.map((one) => (one.tenant.name === CAMPAIGN.tenant ? { ...one, backlog, campaign: true } : one));
}

/** The account that faults of one account are done to: it has neighbours to compare it with, and is not the slowest. */
export const VICTIM_ACCOUNT = { accountId: '222222222222', max24HourSend: 500_000, domain: 'kestrel.example' };
