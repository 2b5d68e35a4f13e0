import { spawn } from 'node:child_process';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SimulatorAdminClient } from '../../apps/simulator/src/simulator-admin.client';
import { readJson, writeJson, type DataFolder } from './data-folder';
import { RECIPIENT_DOMAINS, REGION, SEED_ACCOUNTS, SEED_PLANS, SEED_TENANTS, type SeedAccount } from './fleet-plan';
import { GraphqlClient } from './graphql-client';
import { HUB_PRINCIPAL_ARN } from './hub-user';
import { projectRoot } from './project-root';
import type { Stack } from './stack';
import { StackProblem } from './stack-problem';

/** What seeding leaves behind, kept in `fleet.json` (0600), because keys are shown only once. */
export interface SeededFleet {
  readonly operatorKey: string;
  readonly tenants: readonly SeededTenant[];
}

export interface SeededTenant {
  readonly id: string;
  readonly name: string;
  readonly plan: string;
  readonly domain: string;
  readonly liveKey: string;
  readonly testKey: string;
}

const VERIFY_WITHIN_MS = 60_000;

const fileOf = (folder: DataFolder) => path.join(folder.path, 'fleet.json');

/** True when an earlier start has seeded this data folder. */
export function isSeeded(folder: DataFolder): boolean {
  return readJson<SeededFleet>(fileOf(folder)) !== undefined;
}

/** Reads what an earlier start has seeded, or seeds now, through the product's own front door: the admin API. */
export async function seedFleet(
  stack: Stack,
  say: (line: string) => void,
  accounts: readonly SeedAccount[] = SEED_ACCOUNTS,
): Promise<SeededFleet> {
  const file = fileOf(stack.folder);
  const known = readJson<SeededFleet>(file);
  if (known !== undefined) return known;
  const operatorKey = await makeOperatorKey(stack);
  const admin = new GraphqlClient(`${stack.apiUrl}/admin/graphql`, operatorKey);
  const simulator = new SimulatorAdminClient(stack.simulatorAdminUrl);
  for (const [domain, behaviour] of Object.entries(RECIPIENT_DOMAINS)) await simulator.putDomain(domain, behaviour);
  for (const account of accounts) {
    await joinAccount(admin, simulator, account);
    say(`account ${account.accountId} (${account.name}) joined the fleet`);
  }
  const plans = await createPlans(admin);
  const tenants: SeededTenant[] = [];
  for (const tenant of SEED_TENANTS) tenants.push(await createTenant(admin, plans, tenant));
  await domainsReady(admin, tenants);
  say(`${tenants.length} tenants on ${SEED_PLANS.length} plans are placed and may send`);
  const fleet = { operatorKey, tenants };
  writeJson(file, fleet);
  return fleet;
}

/** The first operator's key is made on the command line, by whoever holds the database's password. */
export async function makeOperatorKey(stack: Pick<Stack, 'databaseUrls' | 'secrets'>): Promise<string> {
  const program = path.join(projectRoot(), 'dist', 'apps', 'api', 'src', 'operator-key.js');
  const child = spawn(process.execPath, [program, '--name', 'local operator', '--role', 'owner'], {
    env: { DATABASE_ADMIN_URL: stack.databaseUrls.admin, API_KEY_PEPPER: stack.secrets.apiKeyPepper },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let problem = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (problem += chunk.toString()));
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  if (code !== 0) throw new StackProblem(`the operator's key could not be made: ${problem.trim()}`);
  return out.trim();
}

/** Registers an account, applies in it the roles that the product's own template asks for, and waits until it is ACTIVE. */
async function joinAccount(admin: GraphqlClient, simulator: SimulatorAdminClient, account: SeedAccount): Promise<void> {
  const { accountId, max24HourSend, maxSendRate, ips, name, tier, mode } = account;
  await simulator.putAccount(accountId, {
    alias: name,
    regions: { [REGION]: { max24HourSend, maxSendRate, productionAccess: true } },
  });
  // IPs are leased by a support case and only then found by the product. These have sent for weeks: new ones would be held
  // back by their warm-up for most of the day.
  if (ips.length > 0) await simulator.leaseIps(accountId, REGION, { ips: [...ips], warmupPercentage: 100 });
  const { awsAccount } = await admin.mutate<{ awsAccount: { id: string; roleTemplates: { cloudFormation: string } } }>(
    'registerAwsAccount',
    { accountId, name, tier, regions: [REGION], mode },
    'awsAccount { id roleTemplates { cloudFormation } }',
  );
  await simulator.putAccount(accountId, { roles: rolesOf(awsAccount.roleTemplates.cloudFormation, accountId) });
  await accountActive(admin, awsAccount.id, account);
}

interface RoleResource {
  readonly Properties: {
    readonly Path: string;
    readonly RoleName: string;
    readonly MaxSessionDuration: number;
    readonly AssumeRolePolicyDocument: object;
    readonly Policies: readonly { readonly PolicyDocument: object }[];
  };
}

/** The roles of a CloudFormation template, as a stack with our hub as parameter would make them. */
function rolesOf(template: string, accountId: string) {
  const { Resources } = JSON.parse(template) as { Resources: Record<string, RoleResource> };
  return Object.values(Resources).map(({ Properties: role }) => ({
    arn: `arn:aws:iam::${accountId}:role${role.Path}${role.RoleName}`,
    maxSessionDuration: role.MaxSessionDuration,
    trustPolicy: JSON.stringify(role.AssumeRolePolicyDocument).replaceAll(
      /\{"Ref":"[^"]+"\}/g,
      JSON.stringify(HUB_PRINCIPAL_ARN),
    ),
    permissionPolicy: JSON.stringify(role.Policies[0]?.PolicyDocument ?? {}),
  }));
}

async function accountActive(admin: GraphqlClient, id: string, account: SeedAccount): Promise<void> {
  interface Found {
    awsAccount: { state: string; failedStep: string | null; failure: string | null; fix: string | null };
  }
  const deadline = performance.now() + VERIFY_WITHIN_MS;
  for (;;) {
    const { awsAccount } = await admin.request<Found>(
      'awsAccount',
      'query ($id: ID!) { awsAccount(id: $id) { state failedStep failure fix } }',
      { id },
    );
    if (awsAccount.state === 'ACTIVE') return;
    if (performance.now() > deadline) {
      throw new StackProblem(
        `account ${account.accountId} did not join: ${awsAccount.state} ${awsAccount.failedStep ?? ''} ${awsAccount.failure ?? ''} ${awsAccount.fix ?? ''}`,
      );
    }
    // The worker may have looked before the roles existed: an operator would press "retry" just so.
    if (awsAccount.state === 'FAILED') await admin.mutate('retryAwsAccountVerification', { id }, 'awsAccount { id }');
    await sleep(250);
  }
}

async function createPlans(admin: GraphqlClient): Promise<Map<string, string>> {
  const ids = new Map<string, string>();
  for (const plan of SEED_PLANS) {
    const made = await admin.mutate<{ plan: { id: string } }>(
      'createPlan',
      { ...plan, streams: ['TRANSACTIONAL', 'MARKETING'] },
      'plan { id }',
    );
    ids.set(plan.code, made.plan.id);
  }
  return ids;
}

async function createTenant(
  admin: GraphqlClient,
  plans: ReadonlyMap<string, string>,
  { name, plan, domain }: (typeof SEED_TENANTS)[number],
): Promise<SeededTenant> {
  const { tenant } = await admin.mutate<{ tenant: { id: string } }>(
    'createTenant',
    { name, planId: plans.get(plan), domains: [domain] },
    'tenant { id }',
  );
  const key = async (mode: 'LIVE' | 'TEST') => {
    const scopes = ['send', 'read', 'keys', 'billing:read', 'billing:write'];
    const made = await admin.mutate<{ key: string }>(
      'createTenantApiKey',
      { tenantId: tenant.id, name: `local ${mode.toLowerCase()}`, mode, scopes },
      'key',
    );
    return made.key;
  };
  return { id: tenant.id, name, plan, domain, liveKey: await key('LIVE'), testKey: await key('TEST') };
}

async function domainsReady(admin: GraphqlClient, tenants: readonly SeededTenant[]): Promise<void> {
  const deadline = performance.now() + VERIFY_WITHIN_MS;
  for (const { id, name } of tenants) {
    for (;;) {
      const { tenant } = await admin.request<{ tenant: { domains: { name: string; state: string }[] } }>(
        'tenant',
        'query ($id: ID!) { tenant(id: $id) { domains { name state } } }',
        { id },
      );
      if (tenant.domains.every((domain) => domain.state === 'READY')) break;
      if (performance.now() > deadline)
        throw new StackProblem(`the sending domain of ${name} was not verified in time`);
      await sleep(250);
    }
  }
}
