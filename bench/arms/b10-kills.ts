import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fromPublicId } from '@libs/kernel';
import { Client } from 'pg';
import { isSend } from '../../apps/simulator/src/arrivals/arrival.log';
import { SimulatorAdminClient } from '../../apps/simulator/src/simulator-admin.client';
import { ownEnvironment } from '../../tools/local-stack/environment';
import { GraphqlClient } from '../../tools/local-stack/graphql-client';
import type { Session } from '../../tools/local-stack/launcher';
import type { Part } from '../../tools/local-stack/part';
import { rememberedPort } from '../../tools/local-stack/ports';
import { projectRoot } from '../../tools/local-stack/project-root';
import { seedFleet, type SeededFleet } from '../../tools/local-stack/seed';
import { bootStack, redisPackagesFolder, type Stack } from '../../tools/local-stack/stack';
import { StackProblem } from '../../tools/local-stack/stack-problem';
import type { BenchArguments } from '../arguments';
import { countBacklog, htmlOf } from '../seed';
import type { Result } from '../result';

const ACCOUNTS = ['111111111111', '222222222222'];
const RATE = 150;
const GRANTED = ACCOUNTS.length * RATE;
const KILL_EVERY_MS = 1_500;
const SECONDS = { short: 60, long: 600 };
const FULL = 0.95;
const BATCH = 250;
/** Messages that wait while workers are killed, and when the last one was: more than the slowest recovery that counts can send. */
const WAITING = 20 * GRANTED;
/** Of a worker: 5 s instead of minutes before silence counts as evidence about a doubt, as in the faults. */
const SHORT_DOUBT = { IN_DOUBT_AFTER_BULK_MS: '5000' };

interface Send {
  readonly atMs: number;
  readonly message: string;
}

/**
 * The whole product with the simulator as AWS, events on: two workers, one of which is killed with SIGKILL every 1.5 s in its
 * turn and started again at once. Judged by the simulator's log of arrivals.
 */
export async function b10(session: Session, args: BenchArguments, progress: (line: string) => void): Promise<Result> {
  session.folder.reset();
  const stack = await bootStack(session.supervisor, {
    folder: session.folder,
    env: { ...ownEnvironment(), REDIS_URL: '' },
    port: await rememberedPort(session.folder.path, 'api'),
    seed: args.seed,
    applications: ['simulator', 'api', 'worker'],
    workers: 2,
    redisPackages: redisPackagesFolder(path.join(projectRoot(), '.data')),
    say: session.say,
  });
  const fleet = await seedFleet(stack, session.say);
  const simulator = new SimulatorAdminClient(stack.simulatorAdminUrl);
  await prepareAccounts(stack, simulator);
  const seconds = args.long ? SECONDS.long : SECONDS.short;
  progress(`handing in mail for ${seconds} s of kills`);
  const db = new Client({ connectionString: stack.superuserUrl });
  db.on('error', () => undefined);
  await db.connect();
  const supply = new Supply(stack, fleet, db);
  try {
    await supply.fill();
    for (const worker of stack.parts.workers) await worker.start(SHORT_DOUBT);
    await until(
      'the full rate before the first kill',
      60,
      session,
      async () => (await lastSecond(simulator)) >= FULL * GRANTED,
    );
    progress(`a worker is killed every 1.5 s for ${seconds} s`);
    const { kills, lastKillMs } = await killInTurn(stack.parts.workers, seconds, simulator, session, () =>
      supply.fill(),
    );
    progress('waiting for the end of every message');
    await until('the end of every message', 300, session, () => allEnded(db));
    const sends = await allSends(simulator);
    const counts = new Map<string, number>();
    for (const { message } of sends) counts.set(message, (counts.get(message) ?? 0) + 1);
    const lost = supply.accepted.filter((id) => !counts.has(id)).length;
    const duplicates = [...counts.values()].reduce((sum, times) => sum + times - 1, 0);
    return resultOf({
      kills,
      lost,
      duplicates,
      sends: sends.length,
      accepted: supply.accepted.length,
      recovery: recoverySeconds(sends, lastKillMs),
      seconds,
    });
  } finally {
    await db.end();
  }
}

function resultOf(seen: {
  kills: number;
  lost: number;
  duplicates: number;
  sends: number;
  accepted: number;
  recovery: number;
  seconds: number;
}): Result {
  const most = (target: number, stretch: number) => ({ target: { most: target }, stretch: { most: stretch } });
  return {
    id: 'B10',
    measure: `kill -9 of one of two workers every 1.5 s for ${seen.seconds} s, events on`,
    figures: [
      { name: 'lost', value: seen.lost, unit: '', ...most(0, 0) },
      { name: 'duplicates a message', value: seen.duplicates / seen.accepted, unit: '', ...most(1e-5, 0) },
      { name: 'back to 95 % of the rate', value: seen.recovery, unit: 's', ...most(5, 2) },
    ],
    notes: [
      `${seen.accepted} messages accepted, so that ${WAITING} waited after every kill; ${seen.sends} accepted by the simulator, ${seen.duplicates} of them twice; ${seen.kills} kills. The killed worker starts again at once; a kill whose turn finds no worker that is up takes place half a second later.`,
      `From the last kill to the first second that carries 95 % of the ${GRANTED}/s granted. Latency of the simulator: p50 15 ms, p99 80 ms; mail in doubt is settled by its events, after 5 s, or ten times that where few were sent beside it.`,
    ],
  };
}

/** More rate than the demo's accounts have, so that more is under way when a worker dies. */
async function prepareAccounts(stack: Stack, simulator: SimulatorAdminClient): Promise<void> {
  for (const worker of stack.parts.workers) await worker.stop();
  for (const account of ACCOUNTS) {
    await simulator.putAccount(account, { regions: { 'us-east-1': { maxSendRate: RATE } } });
  }
  const db = new Client({ connectionString: stack.superuserUrl });
  await db.connect();
  // What the next observation would find a minute later.
  await db.query(
    'UPDATE sending_account s SET max_send_rate = $2 FROM aws_account a WHERE a.id = s.aws_account_id AND a.account_id = ANY($1)',
    [ACCOUNTS, RATE],
  );
  await db.end();
}

/** Bulk mail of the tenants of both accounts, in equal parts. */
class Supply {
  /** Ids that the api acknowledged. */
  readonly accepted: string[] = [];
  private readonly tenants: SeededFleet['tenants'];
  private batches = 0;

  constructor(
    private readonly stack: Stack,
    fleet: SeededFleet,
    private readonly db: Client,
  ) {
    this.tenants = fleet.tenants.filter(({ plan }) => plan !== 'free');
  }

  /** Hands in what is missing until enough waits. */
  async fill(): Promise<void> {
    for (let waiting = await countBacklog(this.db); waiting < WAITING; waiting += BATCH) await this.handIn();
  }

  private async handIn(): Promise<void> {
    const batch = this.batches;
    this.batches += 1;
    const tenant = this.tenants[batch % this.tenants.length];
    if (!tenant) throw new Error('the fleet has no tenants');
    const client = new GraphqlClient(`${this.stack.apiUrl}/graphql`, tenant.liveKey);
    const emails = Array.from({ length: BATCH }, (_, i) => ({
      from: { email: `news@${tenant.domain}` },
      to: [{ email: `r${batch}-${i}@inbox.example` }],
      content: { inline: { subject: 'Benchmark', html: htmlOf(512) } },
      stream: 'MARKETING',
    }));
    const { results } = await client.mutate<{ results: { message: { id: string } | null }[] }>(
      'sendEmails',
      { idempotencyKey: `kills/${batch}`, emails },
      'results { message { id } }',
    );
    for (const { message } of results) {
      const id = message === null ? undefined : fromPublicId('message', message.id);
      if (id === undefined) throw new StackProblem('a message of the benchmark was refused');
      this.accepted.push(id);
    }
  }
}

/** Answers how many kills there were, and when the last one was by the simulator's clock. */
async function killInTurn(
  workers: readonly Part[],
  seconds: number,
  simulator: SimulatorAdminClient,
  session: Session,
  betweenKills: () => Promise<void>,
): Promise<{ kills: number; lastKillMs: number }> {
  const until = performance.now() + seconds * 1_000;
  const ready = new Set(workers);
  const restarts: Promise<void>[] = [];
  let kills = 0;
  let lastKillMs = 0;
  for (let turn = 0; performance.now() < until;) {
    const victim = workers[turn % workers.length];
    if (!victim || !ready.has(victim)) {
      await pause(KILL_EVERY_MS / 3, session);
      continue;
    }
    turn += 1;
    kills += 1;
    ready.delete(victim);
    lastKillMs = (await simulator.clock()).nowMs;
    await victim.kill();
    const restart = victim.start(SHORT_DOUBT).then(() => void ready.add(victim));
    restart.catch(() => undefined); // told below
    restarts.push(restart);
    await Promise.all([pause(KILL_EVERY_MS, session), betweenKills()]);
  }
  await Promise.all(restarts);
  return { kills, lastKillMs };
}

async function lastSecond(simulator: SimulatorAdminClient): Promise<number> {
  const { nowMs } = await simulator.clock();
  const { arrivals: total } = await simulator.summary();
  const { arrivals } = await simulator.arrivals(Math.max(0, total - 3 * GRANTED), 3 * GRANTED);
  return arrivals.filter((arrival) => isSend(arrival) && arrival.verdict === 'accepted' && arrival.at > nowMs - 1_000)
    .length;
}

async function allSends(simulator: SimulatorAdminClient): Promise<Send[]> {
  const sends: Send[] = [];
  for await (const arrival of simulator.allArrivals()) {
    if (!isSend(arrival) || arrival.verdict !== 'accepted') continue;
    sends.push({ atMs: arrival.at, message: arrival.tags?.['message'] ?? '' });
  }
  return sends;
}

async function allEnded(db: Client): Promise<boolean> {
  const { rows } = await db.query<{ open: boolean }>(
    `SELECT EXISTS (SELECT FROM backlog) OR EXISTS (SELECT FROM message WHERE state IN ('READY', 'INTENT', 'IN_DOUBT')) AS open`,
  );
  return rows[0]?.open === false;
}

/** Seconds from `fromMs` to the begin of the first second at full rate. */
function recoverySeconds(sends: readonly Send[], fromMs: number): number {
  const times = sends.map(({ atMs }) => atMs).filter((atMs) => atMs >= fromMs);
  const last = times.at(-1) ?? fromMs;
  for (let start = fromMs; start < last; start += 50) {
    const count = times.filter((atMs) => atMs >= start && atMs < start + 1_000).length;
    if (count >= FULL * GRANTED) return (start - fromMs) / 1_000;
  }
  return Infinity;
}

async function until(what: string, seconds: number, session: Session, ask: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + seconds * 1_000;
  while (!(await ask())) {
    if (performance.now() > deadline)
      throw new StackProblem(`${what} did not come within ${seconds} s; logs: ${session.folder.logs}`);
    await pause(250, session);
  }
}

async function pause(ms: number, session: Session): Promise<void> {
  await sleep(ms, undefined, { signal: session.ending }).catch(() => undefined);
  if (session.ending.aborted) throw new StackProblem('the run was interrupted');
}
