import { Client } from 'pg';
import { isSend, type Arrival } from '../../apps/simulator/src/arrivals/arrival.log';
import { SimulatorAdminClient } from '../../apps/simulator/src/simulator-admin.client';
import { SEED_ACCOUNTS } from './fleet-plan';
import type { SeededFleet } from './seed';
import { SHOWN_STATE } from './shown-state';

/** How a message ended, as its customer sees it. */
export interface Outcomes {
  accepted: number;
  sent: number;
  delivered: number;
  bounced: number;
  complained: number;
  suppressed: number;
  rejected: number;
  inDoubt: number;
}

export interface TenantVerdict extends Outcomes {
  readonly id: string;
  readonly name: string;
  readonly plan: string;
  /** Micro-dollars of the current month, as a decimal string. */
  costMicroUsd: string;
}

export interface AccountVerdict {
  readonly accountId: string;
  readonly name: string;
  readonly tier: string;
  /** Requests SES accepted in this run, and their recipients. */
  readonly sent: number;
  readonly recipients: number;
  readonly throttled: number;
  readonly overQuota: number;
  readonly overRate: number;
  /** Recipients per second: AWS's limit, and what certainly came within its worst second, by the counting meter (docs/simulator.md). */
  readonly maxSendRate: number;
  readonly worstSecond: number;
}

export interface Verdict extends Outcomes {
  readonly lost: number;
  readonly duplicated: number;
  readonly overQuota: number;
  readonly overRate: number;
  readonly throttled: number;
  readonly accounts: readonly AccountVerdict[];
  readonly tenants: readonly TenantVerdict[];
}

interface MessageRow {
  readonly id: string;
  readonly tenant_id: string;
  readonly state: string;
  readonly worst: string;
}

/** States in which a message ends without having been sent, each with its reason on record. */
const NEVER_SENT = new Set(['SUPPRESSED', 'REJECTED', 'EXPIRED', 'CANCELED']);

/** Where the judge starts counting: what arrived before belongs to an earlier run. */
export async function arrivalsSoFar(simulatorAdminUrl: string): Promise<number> {
  return (await new SimulatorAdminClient(simulatorAdminUrl).summary()).arrivals;
}

/**
 * Holds the customers' receipts (ids the api acknowledged) against the database and against what arrived at AWS. The
 * simulator's log is the witness: it knows nothing of the product's own tables.
 * @param accepted message uuid -> tenant uuid, as acknowledged
 */
export async function judge(input: {
  readonly databaseUrl: string;
  readonly simulatorAdminUrl: string;
  readonly after: number;
  readonly accepted: ReadonlyMap<string, string>;
  readonly fleet: SeededFleet;
  readonly tenantUuids: ReadonlyMap<string, string>;
}): Promise<Verdict> {
  const rows = await messageRows(input.databaseUrl, [...input.accepted.keys()]);
  const simulator = new SimulatorAdminClient(input.simulatorAdminUrl);
  const live = new Set(SEED_ACCOUNTS.filter((account) => account.mode === 'LIVE').map((account) => account.accountId));
  const sends: Arrival[] = [];
  for await (const arrival of simulator.allArrivals(input.after)) {
    if (live.has(arrival.account) && isSend(arrival)) sends.push(arrival);
  }
  const arrived = new Map<string, number>();
  for (const send of sends.filter((one) => one.verdict === 'accepted')) {
    const message = send.tags?.['message'] ?? 'untagged';
    arrived.set(message, (arrived.get(message) ?? 0) + 1);
  }
  let lost = 0;
  for (const id of input.accepted.keys()) {
    const row = rows.get(id);
    if (!arrived.has(id) && (row === undefined || !NEVER_SENT.has(row.state))) lost += 1;
  }
  const duplicated = [...arrived.values()].reduce((sum, times) => sum + times - 1, 0);
  const accounts = await accountVerdicts(simulator, sends);
  const tenants = input.fleet.tenants.map((tenant) => {
    const uuid = input.tenantUuids.get(tenant.id);
    const own = [...input.accepted].filter(([, owner]) => owner === uuid).map(([id]) => id);
    const { id, name, plan } = tenant;
    return { id, name, plan, ...outcomes(own, rows, arrived), costMicroUsd: '0' };
  });
  return {
    ...outcomes([...input.accepted.keys()], rows, arrived),
    lost,
    duplicated,
    overQuota: accounts.reduce((sum, account) => sum + account.overQuota, 0),
    overRate: accounts.reduce((sum, account) => sum + account.overRate, 0),
    throttled: accounts.reduce((sum, account) => sum + account.throttled, 0),
    accounts,
    tenants,
  };
}

function outcomes(
  ids: readonly string[],
  rows: ReadonlyMap<string, MessageRow>,
  arrived: ReadonlyMap<string, number>,
): Outcomes {
  const count = (wanted: string) => ids.filter((id) => rows.get(id)?.worst === wanted).length;
  return {
    accepted: ids.length,
    sent: ids.filter((id) => arrived.has(id)).length,
    delivered: count('DELIVERED'),
    bounced: count('BOUNCED'),
    complained: count('COMPLAINED'),
    suppressed: count('SUPPRESSED'),
    rejected: count('REJECTED'),
    inDoubt: count('IN_DOUBT'),
  };
}

async function accountVerdicts(simulator: SimulatorAdminClient, sends: readonly Arrival[]): Promise<AccountVerdict[]> {
  const meters = await simulator.meters();
  return SEED_ACCOUNTS.filter((account) => account.mode === 'LIVE').map(({ accountId, name, tier, maxSendRate }) => {
    const own = sends.filter((send) => send.account === accountId);
    const accepted = own.filter((send) => send.verdict === 'accepted');
    const readings = meters.filter((meter) => meter.account === accountId).map(({ meter }) => meter);
    const sum = (of: 'overQuota' | 'overRate') => readings.reduce((total, reading) => total + reading[of], 0);
    return {
      accountId,
      name,
      tier,
      sent: accepted.length,
      recipients: accepted.reduce((total, send) => total + (send.nRecipients ?? 0), 0),
      throttled: own.filter((send) => send.verdict === 'TooManyRequestsException' && send.injected === undefined)
        .length,
      overQuota: sum('overQuota'),
      overRate: sum('overRate'),
      maxSendRate,
      worstSecond: Math.max(0, ...readings.map((reading) => reading.worstSecondAccepted.recipients)),
    };
  });
}

/** Least advanced recipient first: the state a customer sees for the whole message. */
const LATTICE = [
  'SCHEDULED',
  'QUEUED',
  'SENDING',
  'IN_DOUBT',
  'SENT',
  'SUPPRESSED',
  'EXPIRED',
  'CANCELED',
  'REJECTED',
  'BOUNCED',
  'DELIVERED',
  'COMPLAINED',
];

const ROWS = `
  SELECT m.id, m.tenant_id, m.state,
         (SELECT ${SHOWN_STATE} FROM recipient r WHERE r.tenant_id = m.tenant_id AND r.message_id = m.id
           ORDER BY array_position($2::text[], ${SHOWN_STATE}) LIMIT 1) AS worst
    FROM message m WHERE m.id = ANY ($1::uuid[])`;

async function messageRows(databaseUrl: string, ids: readonly string[]): Promise<Map<string, MessageRow>> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const { rows } = await client.query<MessageRow>(ROWS, [ids, LATTICE]);
    return new Map(rows.map((row) => [row.id, row]));
  } finally {
    await client.end();
  }
}
