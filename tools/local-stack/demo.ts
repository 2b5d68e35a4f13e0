import { setTimeout as sleep } from 'node:timers/promises';
import { SimulatorAdminClient } from '../../apps/simulator/src/simulator-admin.client';
import { fromPublicId, SystemClock } from '@libs/kernel';
import { holdAgainstBill, type BillVerdict } from './demo-bill';
import { arrivalsSoFar, judge, type Verdict } from './demo-judge';
import { ProgressReader, progressLine } from './demo-progress';
import { planTraffic, type DemoEmail, type DemoTraffic } from './demo-traffic';
import { SEED_ACCOUNTS, SEED_TENANTS } from './fleet-plan';
import { GraphqlClient } from './graphql-client';
import type { SeededFleet, SeededTenant } from './seed';
import type { Stack } from './stack';
import { StackProblem } from './stack-problem';

export interface DemoOptions {
  readonly messages: number;
  readonly seed: number;
  readonly killWorker: number;
  readonly ending: AbortSignal;
  /** A line that may be overwritten by the next one. */
  readonly progress: (line: string) => void;
  readonly say: (line: string) => void;
}

export interface DemoResult extends Verdict {
  readonly seconds: number;
  /** Of the whole month, in micro-dollars, as decimal strings: tenants + idle + platform = fleet = AWS's bill. */
  readonly fleetCostMicroUsd: string;
  readonly idleCostMicroUsd: string;
  readonly platformCostMicroUsd: string;
  readonly workerKills: number;
  readonly bill: BillVerdict;
}

/** Messages of one request: the flooding tenant fills it, the others hand in as a program of theirs would. */
const BATCH = { floods: 1_000, steady: 100 };
/** Over how long the steady tenants hand in their messages, at most. */
const SPREAD_MS = 25_000;

/** A day of mail: every tenant hands in its messages by the customer API, and the day ends when each has its final event. */
export async function demoDay(stack: Stack, fleet: SeededFleet, options: DemoOptions): Promise<DemoResult> {
  const started = performance.now();
  const since = new SystemClock().now();
  const run = since.getTime().toString(36);
  const after = await arrivalsSoFar(stack.simulatorAdminUrl);
  const traffic = planTraffic(options.messages, options.seed, run);
  const accepted = new Map<string, string>();
  const tenantUuids = new Map(fleet.tenants.map((tenant) => [tenant.id, fromPublicId('tenant', tenant.id) ?? '']));

  const handing = Promise.all(
    traffic.map(async (day) => {
      const tenant = fleet.tenants.find((one) => one.name === day.tenant.name);
      if (!tenant) throw new StackProblem(`tenant ${day.tenant.name} is not in this data folder; start with --reset`);
      const ids = await handIn(stack, tenant, day, run, options);
      for (const id of ids) accepted.set(id, tenantUuids.get(tenant.id) ?? '');
    }),
  );
  const kills = await watch(stack, handing, since, started, options);
  await eventsDelivered(stack, options);
  const verdict = await judge({
    databaseUrl: stack.databaseUrls.admin,
    simulatorAdminUrl: stack.simulatorAdminUrl,
    after,
    accepted,
    fleet,
    tenantUuids,
  });
  const bill = await holdAgainstBill({
    adminUrl: stack.databaseUrls.admin,
    simulatorAdminUrl: stack.simulatorAdminUrl,
    folder: stack.folder.path,
  });
  const borne = new Map(bill.tenants.map(({ tenantId, microUsd }) => [tenantId, microUsd]));
  for (const tenant of verdict.tenants) tenant.costMicroUsd = borne.get(tenantUuids.get(tenant.id) ?? '') ?? '0';
  return {
    ...verdict,
    seconds: Math.round((performance.now() - started) / 100) / 10,
    fleetCostMicroUsd: bill.fleetMicroUsd,
    idleCostMicroUsd: bill.idleMicroUsd,
    platformCostMicroUsd: bill.platformMicroUsd,
    workerKills: kills,
    bill,
  };
}

/** Hands one tenant's day in, batch by batch, and answers the ids the api acknowledged. */
async function handIn(
  stack: Stack,
  tenant: SeededTenant,
  day: DemoTraffic,
  run: string,
  options: DemoOptions,
): Promise<string[]> {
  const client = new GraphqlClient(`${stack.apiUrl}/graphql`, tenant.liveKey);
  await client.mutate('suppressRecipients', { addresses: day.suppressed, reason: 'left the list' }, 'added');
  const size = day.tenant.floods ? BATCH.floods : BATCH.steady;
  const batches = Array.from({ length: Math.ceil(day.emails.length / size) }, (_, i) =>
    day.emails.slice(i * size, (i + 1) * size),
  );
  const pauseMs = day.tenant.floods ? 0 : Math.min(SPREAD_MS, options.messages * 2) / Math.max(1, batches.length);
  const ids: string[] = [];
  for (const [i, emails] of batches.entries()) {
    if (options.ending.aborted) return ids;
    ids.push(...(await sendBatch(client, emails, `${run}/${String(i)}`, tenant.name)));
    if (i + 1 < batches.length) await sleep(pauseMs);
  }
  return ids;
}

async function sendBatch(
  client: GraphqlClient,
  emails: readonly DemoEmail[],
  key: string,
  tenant: string,
): Promise<string[]> {
  interface Payload {
    readonly results: readonly {
      readonly message: { readonly id: string } | null;
      readonly userErrors: readonly { message: string }[];
    }[];
  }
  const { results } = await client.mutate<Payload>(
    'sendEmails',
    { idempotencyKey: `demo/${key}`, emails },
    'results { message { id } userErrors { message } }',
  );
  return results.map((result, i) => {
    const id = result.message === null ? undefined : fromPublicId('message', result.message.id);
    if (id === undefined) {
      throw new StackProblem(
        `${tenant}: message ${String(i)} of a batch was refused: ${result.userErrors[0]?.message ?? 'no reason'}`,
      );
    }
    return id;
  });
}

/** Shows progress until every message has its final event, killing the worker on the way as often as asked. */
async function watch(
  stack: Stack,
  handing: Promise<unknown>,
  since: Date,
  started: number,
  options: DemoOptions,
): Promise<number> {
  const reader = await ProgressReader.open(stack.databaseUrls.admin);
  const hand: { done: boolean; problem?: Error } = { done: false };
  handing.then(
    () => (hand.done = true),
    (error: unknown) => (hand.problem = error instanceof Error ? error : new Error(String(error))),
  );
  const deadline = started + patienceMs(options.messages, options.killWorker);
  let kills = 0;
  try {
    for (;;) {
      if (hand.problem) throw hand.problem;
      if (options.ending.aborted) throw new StackProblem('stopped before the day was over');
      const progress = await reader.read(since);
      const seconds = Math.round((performance.now() - started) / 1_000);
      options.progress(progressLine(progress, options.messages, seconds));
      const done = hand.done && progress.settled === progress.total;
      const next = (kills + 1) / (options.killWorker + 1);
      if (kills < options.killWorker && (done || progress.settled >= options.messages * next * 0.9)) {
        kills += 1;
        options.say(`killing the worker with SIGKILL (${String(kills)} of ${String(options.killWorker)})`);
        await stack.killWorker();
        continue;
      }
      if (done) return kills;
      if (performance.now() > deadline) {
        options.say(
          `not settled in time: ${String(progress.total - progress.settled)} messages; the summary counts them as they are`,
        );
        return kills;
      }
      await sleep(500);
    }
  } finally {
    await reader.close();
  }
}

/** The slowest account's time for its share, three times over, and a minute for every kill. */
function patienceMs(messages: number, kills: number): number {
  const slowest = SEED_ACCOUNTS.map((account) => {
    const share = SEED_TENANTS.filter((tenant) => tenant.plan === account.tier).reduce(
      (sum, tenant) => sum + tenant.transactional + tenant.marketing,
      0,
    );
    return (messages * share) / 1_000 / account.maxSendRate;
  });
  return (Math.max(...slowest) * 3 + 120 + kills * 60) * 1_000;
}

/** Waits until SNS has nothing left to deliver, so that the summary is about the whole day. */
async function eventsDelivered(stack: Stack, options: DemoOptions): Promise<void> {
  const simulator = new SimulatorAdminClient(stack.simulatorAdminUrl);
  for (let i = 0; i < 60 && !options.ending.aborted; i += 1) {
    const { deliveries, events } = await simulator.summary();
    if (deliveries.pending === 0 && events.waiting === 0) return;
    await sleep(250);
  }
}
