import type { BenchId } from '../arguments';
import { EngineArm } from '../engine-arm';
import type { Lab } from '../lab';
import { monotonicUs } from '../monotonic';
import type { Report, Result } from '../result';
import { cpuPerMessageInAll, cpuPerMessage, measureSlice, perSecond, worstSecondOverRate, type Slice } from '../slice';
import type { Arrival } from '../sink/arrival-record';
import { worstSlidingWindow } from '../statistics';

const ACCOUNTS = 200;
const RATE = 8;
const QUOTA = 50_000;
const BODY_BYTES = 128;
const SMALL_BACKLOG = 10_000;
/** Seeding ten million rows takes minutes on two cores; without --long two million stand for them. */
const LARGE_BACKLOG = { short: 2_000_000, long: 10_000_000 };
const FLUSH_BACKLOG = 1_000_000;
const PATIENCE_SECONDS = 90;
/** "Full" again: 98 % of the granted rate over two seconds. */
const FULL = 0.98;

/** One fleet of 200 accounts: a small backlog, then a large one, then Redis loses everything. */
export async function scale(lab: Lab, wanted: ReadonlySet<BenchId>, report: Report): Promise<void> {
  const account = { rate: RATE, quota: QUOTA, tenantWeights: [10] };
  const arm = await EngineArm.prepare(lab, { accounts: Array.from({ length: ACCOUNTS }, () => account) }, BODY_BYTES);
  try {
    let seeded: number | undefined;
    if (wanted.has('B12')) {
      const { result, rows } = await b12(lab, arm);
      report(result);
      seeded = rows;
    }
    if (wanted.has('B11')) report(await b11(lab, arm, seeded ?? FLUSH_BACKLOG));
  } finally {
    await arm.close();
  }
}

async function b12(lab: Lab, arm: EngineArm): Promise<{ result: Result; rows: number }> {
  const { seconds } = lab.args;
  const take = async (backlog: number): Promise<{ slice: Slice; redisMb: number }> => {
    await lab.redis.flushall();
    await arm.fill(backlog);
    await arm.connectSink();
    await arm.runUp();
    // Ready lists of every account have to be full, not only the first.
    await lab.wait(5);
    const slice = await measureSlice(lab, seconds);
    const redisMb = await redisMemoryMb(lab);
    await arm.stopWorkers();
    return { slice, redisMb };
  };
  lab.progress(`a backlog of ${SMALL_BACKLOG}`);
  const small = await take(SMALL_BACKLOG + ACCOUNTS * RATE * (seconds + 10));
  const rows = lab.args.long ? LARGE_BACKLOG.long : LARGE_BACKLOG.short;
  lab.progress(`a backlog of ${rows}`);
  const large = await take(rows);
  const [cheap, dear] = [cpuPerMessageInAll(small.slice), cpuPerMessageInAll(large.slice)];
  return {
    rows,
    result: {
      id: 'B12',
      measure: `Redis memory and cost per message with ${rows} messages waiting`,
      figures: [
        { name: 'Redis memory', value: large.redisMb, unit: 'MB', target: { most: 100 }, stretch: { most: 30 } },
        { name: 'cost, large / small', value: dear / cheap, unit: '', target: { most: 1.2 }, stretch: { most: 1.05 } },
      ],
      cpuUs: cpuPerMessage(large.slice),
      notes: [
        `${ACCOUNTS} accounts of ${RATE}/s, one tenant each. Small: 10,000 messages and what the slice sends, ${cheap.toFixed(0)} us a message at ${perSecond(small.slice).toFixed(0)}/s, ${small.redisMb.toFixed(1)} MB; large: ${dear.toFixed(0)} us at ${perSecond(large.slice).toFixed(0)}/s.`,
        ...(lab.args.long
          ? []
          : [`${rows} rows stand for 10 million, whose seeding takes minutes here; --long takes them all.`]),
      ],
    },
  };
}

async function b11(lab: Lab, arm: EngineArm, backlog: number): Promise<Result> {
  lab.progress(`FLUSHALL with ${backlog} messages waiting`);
  await lab.redis.flushall();
  await arm.fill(backlog);
  await arm.connectSink();
  await arm.runUp();
  const granted = ACCOUNTS * RATE;
  await lab.until(
    'the full rate before the loss',
    PATIENCE_SECONDS,
    async () => (await rateOf(lab, 2)) >= FULL * granted,
  );
  const from = await lab.sink.length();
  const waiting = await arm.waiting();
  const lostAtUs = monotonicUs();
  await lab.redis.flushall();
  await lab.wait(3);
  await lab.until(
    'the full rate after the loss',
    PATIENCE_SECONDS,
    async () => (await rateOf(lab, 2)) >= FULL * granted,
  );
  await lab.wait(3);
  await arm.stopWorkers();
  const arrivals = await lab.sink.log(from);
  const seconds = secondsToFullRate(arrivals, lostAtUs, granted);
  const over = overRate(arrivals, arm.rates) + arrivals.filter(({ status }) => status === 429).length;
  return {
    id: 'B11',
    measure: `FLUSHALL with ${backlog} messages waiting on ${ACCOUNTS} accounts`,
    figures: [
      { name: 'full rate again', value: seconds, unit: 's', target: { most: 30 }, stretch: { most: 10 } },
      { name: 'exceedances', value: over, unit: '', target: { most: 0 }, stretch: { most: 0 } },
    ],
    notes: [
      `${waiting} messages waited at ${granted}/s. Full: the two seconds that begin then carry ${FULL * 100} % of the granted rate. Exceedances: refusals by the strict buckets, and accounts with a sliding second more than one message above their rate.`,
      `Worst second over the rate: ${worstSecondOverRate({ arrivals }, arm.rates).toFixed(3)} (one message of ${RATE} is ${(1 / RATE).toFixed(3)}).`,
    ],
  };
}

/** Accepted per second over the last seconds. */
async function rateOf(lab: Lab, seconds: number): Promise<number> {
  const total = await lab.sink.length();
  const recent = await lab.sink.log(Math.max(0, total - ACCOUNTS * RATE * seconds * 2));
  const since = monotonicUs() - seconds * 1e6;
  return recent.filter(({ atUs, status }) => atUs >= since && status === 200).length / seconds;
}

/** From the loss to the begin of the first two seconds at full rate after the gap it tore. */
function secondsToFullRate(arrivals: readonly Arrival[], lostAtUs: number, granted: number): number {
  const sent = arrivals.filter(({ status, atUs }) => status === 200 && atUs >= lostAtUs).map(({ atUs }) => atUs);
  const span = 2e6;
  let gapSeen = false;
  let first = 0;
  let behind = 0;
  for (let startUs = lostAtUs; startUs < (sent[sent.length - 1] ?? lostAtUs) - span; startUs += 50_000) {
    while ((sent[first] ?? Infinity) < startUs) first += 1;
    while ((sent[behind] ?? Infinity) < startUs + span) behind += 1;
    if (behind - first < FULL * granted * 2) gapSeen = true;
    else if (gapSeen) return (startUs - lostAtUs) / 1e6;
  }
  return gapSeen ? Infinity : 0;
}

/** Accounts whose worst sliding second held more than a message above the rate. */
function overRate(arrivals: readonly Arrival[], rates: readonly number[]): number {
  return rates.filter((rate, account) => {
    const own = arrivals.filter((arrival) => arrival.account === account && arrival.status === 200);
    return worstSlidingWindow(own, 1e6) > rate + 1;
  }).length;
}

async function redisMemoryMb({ redis }: Lab): Promise<number> {
  const info = await redis.info('memory');
  return Number(/^used_memory:(\d+)/m.exec(info)?.[1] ?? NaN) / 1e6;
}
