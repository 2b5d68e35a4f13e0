import { sendPermissions, trustPolicy } from '@libs/fleet';
import { toPublicId } from '@libs/kernel';
import type { FaultInput } from '../../apps/simulator/src/admin/admin.schemas';
import { REGION } from '../../tools/local-stack/fleet-plan';
import { HUB_PRINCIPAL_ARN } from '../../tools/local-stack/hub-user';
import type { Allowance, Fault } from '../fault';
import { VICTIM_ACCOUNT } from '../fleet';
import type { World } from '../world';

const OUTAGE_MS = 4_000;
const REOPENED_WITHIN_MS = 30_000;
/** A doubt, the silence that is evidence, and the message's next turn. */
const DOUBT = { recoverySeconds: 10 };

/** The paced rate was halved more than once and comes back step by step. */
const SLOWED_DOWN = { recoverySeconds: 20 };

/** SES is asked every 10 s. */
const ASKED = { recoverySeconds: 25 };

/** A message tries it after 15 s, then one at a time goes for 10 s. */
const TRIED = { recoverySeconds: 40 };

/** Requests to send go wrong in one way, for some seconds or so many times. */
function broken(
  name: string,
  about: string,
  rows: string,
  rules: readonly Omit<FaultInput, 'operation'>[],
  forMs = OUTAGE_MS,
  allow: Allowance = DOUBT,
): Fault {
  return {
    name,
    about,
    rows,
    allow,
    inject: async (world) => {
      for (const rule of rules) await world.simulator.addFault({ operation: 'Send*', ...rule });
      await world.wait(forMs);
      await world.simulator.clearFaults();
      return undefined;
    },
  };
}

export async function setAccount(
  world: World,
  region: { suspended?: boolean; max24HourSend?: number; maxSendRate?: number },
): Promise<void> {
  await world.simulator.putAccount(VICTIM_ACCOUNT.accountId, { regions: { [REGION]: region } });
}

/** Recipients SES has counted on the victim's account in the last day. */
async function sentToday(world: World): Promise<number> {
  const meters = await world.simulator.meters();
  return meters.find(({ account }) => account === VICTIM_ACCOUNT.accountId)?.meter.acceptedRecipients ?? 0;
}

const VICTIM = `SELECT a.id AS "awsAccountId", s.state FROM aws_account a JOIN sending_account s ON s.aws_account_id = a.id
                WHERE a.account_id = $1`;

async function victim(world: World): Promise<{ awsAccountId: string; state: string } | undefined> {
  return world.asSuperuser(async (client) => {
    const { rows } = await client.query<{ awsAccountId: string; state: string }>(VICTIM, [VICTIM_ACCOUNT.accountId]);
    return rows[0];
  });
}

/** What an operator does once AWS has opened the account again; until then a suspended one stays closed. */
async function reopen(world: World): Promise<void> {
  const closed = await victim(world);
  const id = toPublicId('awsAccount', closed?.awsAccountId ?? '');
  await world.operator.mutate('retryAwsAccountVerification', { id }, 'awsAccount { id }');
  await world.until(async () => (await victim(world))?.state === 'PRODUCTION', REOPENED_WITHIN_MS);
}

async function verifyDomain(world: World, status: 'PENDING' | 'SUCCESS'): Promise<void> {
  const { accountId: account, domain: identity } = VICTIM_ACCOUNT;
  await world.simulator.verifyIdentity({ account, region: REGION, identity, status });
}

/** Takes the send role's permission away, or gives it back. */
async function setSendRole(world: World, maySend: boolean): Promise<void> {
  const { accountId } = VICTIM_ACCOUNT;
  const role = await world.asSuperuser(async (client) => {
    const { rows } = await client.query<{ arn: string; externalId: string }>(
      'SELECT send_role_arn AS arn, external_id AS "externalId" FROM aws_account WHERE account_id = $1',
      [accountId],
    );
    return rows[0];
  });
  if (!role) throw new Error('the account of the fault is not there');
  const permissionPolicy = maySend ? sendPermissions(accountId) : { Version: '2012-10-17', Statement: [] };
  const trust = trustPolicy(HUB_PRINCIPAL_ARN, role.externalId);
  await world.simulator.putAccount(accountId, { roles: [{ arn: role.arn, trustPolicy: trust, permissionPolicy }] });
}

/** The engine looks at its accounts again within minutes; a new Redis makes it do so at once. */
export async function observeAnew(world: World): Promise<void> {
  for (const { url } of world.parts.redis) await world.onRedis(url, (redis) => redis.flushall());
  await world.workers(0);
  await world.workers();
}

export const sesFaults: readonly Fault[] = [
  broken(
    'ses-429-storm',
    'half of all requests to send are throttled for 4 s',
    '24',
    [{ kind: '429', rate: 0.5 }],
    OUTAGE_MS,
    SLOWED_DOWN,
  ),
  broken('ses-5xx', 'for 4 s a fifth of all requests are answered 500 or 503', '23', [
    { kind: '500', rate: 0.1 },
    { kind: '503', rate: 0.1 },
  ]),
  broken('ses-reset-before', 'for 4 s a fifth of all requests meet a reset connection before SES takes them', '23', [
    { kind: 'reset-before', rate: 0.2 },
  ]),
  broken(
    'ses-accept-then-reset',
    'for 4 s a fifth of all requests are accepted, and then the connection is reset',
    '23',
    [{ kind: 'accept-then-reset', rate: 0.2 }],
  ),
  broken('ses-accept-then-500', 'for 4 s a fifth of all requests are accepted and answered 500', '23', [
    { kind: 'accept-then-500', rate: 0.2 },
  ]),
  broken('ses-wrong-json', 'for 4 s a fifth of all requests are accepted with an answer that is cut short', '23', [
    { kind: 'wrong-json', rate: 0.2 },
  ]),
  broken(
    'ses-hang',
    '10 requests are taken and never answered, 10 are neither',
    '23',
    [
      { kind: 'accept-then-hang', count: 10, rate: 0.2 },
      { kind: 'hang', count: 10, rate: 0.2 },
    ],
    16_000,
  ),
  broken(
    'ses-slow-body',
    'the second half of 10 answers comes 20 s late',
    '23',
    [{ kind: 'slow-body', delayMs: 20_000, count: 10, rate: 0.2 }],
    16_000,
  ),
  {
    name: 'account-suspended',
    about: 'AWS suspends one of the accounts while it sends; its mail waits or goes by another one',
    rows: '27',
    allow: { recoverySeconds: 10, waiting: true },
    inject: async (world) => {
      await setAccount(world, { suspended: true });
      await world.wait(OUTAGE_MS);
      return undefined;
    },
    restore: async (world) => {
      await setAccount(world, { suspended: false });
      await reopen(world);
      await observeAnew(world);
    },
  },
  {
    name: 'identity-lost',
    about:
      'for 4 s SES finds the domain of a tenant not verified on its account; its mail is held and goes again by itself',
    rows: 'F21',
    allow: ASKED,
    inject: async (world) => {
      await verifyDomain(world, 'PENDING');
      await world.wait(OUTAGE_MS);
      await verifyDomain(world, 'SUCCESS');
      return undefined;
    },
  },
  {
    name: 'role-denied',
    about:
      'for 4 s the send role of an account may not send; its mail is held, tried by a message, and goes again by itself',
    rows: 'F22',
    allow: TRIED,
    inject: async (world) => {
      await setSendRole(world, false);
      await world.wait(OUTAGE_MS);
      await setSendRole(world, true);
      return undefined;
    },
  },
  {
    name: 'quota-cut',
    about: 'AWS cuts the daily quota of one account to a tenth of what it has sent, at full rate',
    rows: 'F20',
    allow: { recoverySeconds: 10, waiting: true },
    inject: async (world) => {
      const used = await sentToday(world);
      await setAccount(world, { max24HourSend: Math.max(1, Math.floor(used / 10)) });
      const refused = async () => (await world.witness.excess()).overQuota > 0;
      const noticed = await world.until(refused, 10_000);
      // What was on the wire when SES first said no could not know it.
      await world.wait(1_000);
      const forgiven = await world.witness.forgive();
      await world.wait(OUTAGE_MS);
      return noticed ? `${forgiven} on the wire at the cut` : 'the cut met no request';
    },
    restore: async (world) => {
      await setAccount(world, { max24HourSend: VICTIM_ACCOUNT.max24HourSend });
      await observeAnew(world);
    },
  },
];
