import type { Clock } from '@libs/kernel';
import type { z } from 'zod';
import { parsePolicy } from '../iam/policy-document.policy';
import { DEFAULT_POOL, poolExists } from '../ses/dedicated-ip.routes';
import type { AccountState, IdentityState, RegionState } from '../state/simulator.state';
import type { StateStore } from '../state/state.store';
import type { accountInput, leaseInput, regionInput, verifyInput } from './admin.schemas';

/** A request to the admin API that cannot be done as asked. */
export class AdminRefusal extends Error {
  constructor(
    readonly status: 400 | 404 | 409,
    message: string,
  ) {
    super(message);
  }
}

/** Changes what AWS itself, its support and its reviewers would: accounts, quotas, states, leased IPs, verification. */
export class FleetService {
  constructor(
    private readonly store: StateStore,
    private readonly clock: Clock,
  ) {}

  putAccount(id: string, input: z.output<typeof accountInput>): unknown {
    if (!/^\d{12}$/.test(id)) throw new AdminRefusal(400, `account id ${id} is not 12 digits`);
    checkPolicies(id, input);
    let account = this.store.state.accounts.get(id);
    if (account === undefined) {
      account = { id, alias: id, roles: new Map(), users: new Map(), regions: new Map() };
      this.store.state.accounts.set(id, account);
    }
    if (input.alias !== undefined) account.alias = input.alias;
    for (const role of input.roles ?? [])
      account.roles.set(role.arn, { ...role, permissionPolicy: role.permissionPolicy });
    for (const user of input.users ?? []) account.users.set(user.accessKeyId, { ...user, policy: user.policy });
    for (const [name, region] of Object.entries(input.regions ?? {})) applyRegion(this.store.region(id, name), region);
    this.store.touch();
    return describeAccount(account);
  }

  describe(id: string): unknown {
    return describeAccount(this.accountOf(id));
  }

  describeAll(): unknown {
    return [...this.store.state.accounts.values()].map(describeAccount);
  }

  leaseIps(id: string, regionName: string, input: z.output<typeof leaseInput>): unknown {
    this.accountOf(id);
    const region = this.store.region(id, regionName);
    if (input.pool !== undefined && !poolExists(region, input.pool))
      throw new AdminRefusal(404, `pool ${input.pool} does not exist`);
    const wanted = input.ips ?? freeAddresses(region, id, input.count ?? 1);
    // Without automatic warm-up a new IP is marked complete: the owner warms it (aws-facts 5).
    const warmupPercentage = input.warmupPercentage ?? (region.autoWarmup ? 1 : 100);
    for (const ip of wanted) {
      if (region.ips.has(ip)) throw new AdminRefusal(409, `IP ${ip} is leased already`);
      region.ips.set(ip, {
        ip,
        pool: input.pool ?? DEFAULT_POOL,
        warmupStatus: warmupPercentage < 100 ? 'IN_PROGRESS' : 'DONE',
        warmupPercentage,
        leasedAt: this.clock.nowMs(),
      });
    }
    this.store.touch();
    return { ips: wanted };
  }

  verify(input: z.output<typeof verifyInput>): unknown {
    this.accountOf(input.account);
    const region = this.store.region(input.account, input.region);
    const name = input.identity.toLowerCase();
    const identity: IdentityState = region.identities.get(name) ?? newIdentity(name);
    identity.status = input.status;
    region.identities.set(name, identity);
    this.store.touch();
    return { identity: name, status: identity.status };
  }

  private accountOf(id: string): AccountState {
    const account = this.store.state.accounts.get(id);
    if (account === undefined) throw new AdminRefusal(404, `account ${id} is not in the simulator`);
    return account;
  }
}

function checkPolicies(id: string, input: z.output<typeof accountInput>): void {
  for (const role of input.roles ?? []) {
    if (role.arn.split(':')[4] !== id) throw new AdminRefusal(400, `role ${role.arn} is not of account ${id}`);
    if (parsePolicy(role.trustPolicy) === undefined)
      throw new AdminRefusal(400, `trust policy of ${role.arn} is malformed`);
    if (role.permissionPolicy !== undefined && parsePolicy(role.permissionPolicy) === undefined) {
      throw new AdminRefusal(400, `permission policy of ${role.arn} is malformed`);
    }
  }
  for (const user of input.users ?? []) {
    if (user.policy !== undefined && parsePolicy(user.policy) === undefined) {
      throw new AdminRefusal(400, `policy of user ${user.userName} is malformed`);
    }
  }
}

function applyRegion(region: RegionState, input: z.output<typeof regionInput>): void {
  const { bucketCapacity, reviewStatus, ...rest } = input;
  for (const [key, value] of Object.entries(rest)) if (value !== undefined) Object.assign(region, { [key]: value });
  if (bucketCapacity !== undefined) region.bucketCapacity = bucketCapacity ?? undefined;
  if (reviewStatus !== undefined && region.details !== undefined) {
    region.details.ReviewDetails.Status = reviewStatus;
    if (reviewStatus === 'GRANTED') region.productionAccess = true;
  }
}

function describeAccount(account: AccountState): unknown {
  return {
    id: account.id,
    alias: account.alias,
    roles: [...account.roles.values()],
    users: [...account.users.values()].map(({ accessKeyId, userName, admin }) => ({ accessKeyId, userName, admin })),
    regions: Object.fromEntries(
      [...account.regions].map(([name, region]) => [
        name,
        {
          max24HourSend: region.max24HourSend,
          maxSendRate: region.maxSendRate,
          bucketCapacity: region.bucketCapacity ?? null,
          productionAccess: region.productionAccess,
          sendingEnabled: region.sendingEnabled,
          enforcementStatus: region.enforcementStatus,
          suspended: region.suspended,
          details: region.details ?? null,
          quotaRequests: region.quotaRequests,
          identities: [...region.identities.values()].map(({ name: identity, type, status }) => ({
            identity,
            type,
            status,
          })),
          configurationSets: [...region.configurationSets.values()].map((set) => ({
            name: set.name,
            pool: set.deliveryOptions['SendingPoolName'] ?? null,
            sendingEnabled: set.sendingEnabled,
          })),
          pools: [...region.pools.values()],
          ips: [...region.ips.values()],
          suppressed: region.suppressed.size,
        },
      ]),
    ),
  };
}

/** Addresses of the documentation range 198.18.0.0/15, the same for the same account and order. */
function freeAddresses(region: RegionState, accountId: string, count: number): string[] {
  const third = Number(accountId.slice(-2));
  const found: string[] = [];
  for (let last = 1; last < 255 && found.length < count; last += 1) {
    const ip = `198.18.${String(third)}.${String(last)}`;
    if (!region.ips.has(ip)) found.push(ip);
  }
  return found;
}

function newIdentity(name: string): IdentityState {
  return {
    name,
    type: name.includes('@') ? 'EMAIL_ADDRESS' : 'DOMAIN',
    status: 'PENDING',
    dkimSigningEnabled: true,
    dkimOrigin: 'AWS_SES',
    dkimTokens: [],
    behaviorOnMxFailure: 'USE_DEFAULT_VALUE',
    feedbackForwarding: true,
  };
}
