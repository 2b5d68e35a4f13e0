import { ApiArm } from '../api-arm';
import { EngineArm } from '../engine-arm';
import type { Lab } from '../lab';
import { residentMb } from '../process-cpu';
import type { Result } from '../result';
import { cpuPerMessage, measureSlice, perSecond, worstSecondAsHeard, worstSecondOverRate, type Slice } from '../slice';

const ACCOUNTS = 8;
const RATE = 200;
/** Half of what the accounts may. */
const PER_SECOND = (ACCOUNTS * RATE) / 2;
const BATCH = 100;
const SECONDS = { short: 180, long: 3_600 };
const PARTS = 6;

/** The whole product at half load: the api accepts all the time, one worker sends. Flat means: nothing moves between the parts. */
export async function b17(lab: Lab): Promise<Result> {
  const seconds = lab.args.long ? SECONDS.long : SECONDS.short;
  const account = { rate: RATE, quota: 50_000_000, tenantWeights: [10, 10] };
  const arm = await EngineArm.prepare(lab, { accounts: Array.from({ length: ACCOUNTS }, () => account) });
  let api: ApiArm | undefined;
  try {
    api = await ApiArm.start(lab, arm.database, arm.fleet.tenants);
    await arm.connectSink();
    const worker = await arm.startWorker();
    const feed = startFeed(lab, api, arm);
    await lab.wait(20);
    const slices: Slice[] = [];
    const memory: number[] = [];
    for (let part = 0; part < PARTS; part += 1) {
      lab.progress(`soak at half load, part ${part + 1} of ${PARTS}, ${(seconds / PARTS).toFixed(0)} s each`);
      slices.push(await measureSlice(lab, seconds / PARTS));
      memory.push(residentMb(worker.pid));
    }
    await feed.stop();
    const rates = slices.map(perSecond);
    const first = rates[0] ?? NaN;
    const last = rates[PARTS - 1] ?? NaN;
    const all = joined(slices);
    // The first parts fill caches and heaps; what goes on growing afterwards is a leak.
    const settled = memory[Math.floor(PARTS / 2)] ?? NaN;
    const grown = 100 * ((memory[PARTS - 1] ?? NaN) / settled - 1);
    return {
      id: 'B17',
      measure: `soak at half load for ${seconds} s: drift of rate, worst second, memory`,
      figures: [
        {
          name: 'drift of rate',
          value: 100 * Math.abs(last / first - 1),
          unit: '%',
          target: { most: 2 },
          stretch: { most: 0.5 },
        },
        {
          name: 'worst second / rate',
          value: worstSecondOverRate(all, arm.rates),
          unit: '',
          target: { most: 1.03 },
          stretch: { most: 1.01 },
        },
        { name: 'memory, second half', value: grown, unit: '%', target: { most: 15 }, stretch: { most: 5 } },
      ],
      cpuUs: cpuPerMessage(all),
      notes: [
        `${PER_SECOND}/s accepted in batches of ${BATCH}; sent ${rates.map((rate) => rate.toFixed(0)).join(', ')}/s; worker's resident memory ${memory.map((mb) => mb.toFixed(0)).join(', ')} MiB, part by part. "Flat" is read as: rate within 2 %, memory within 15 % over the second half. Worst second as the sink heard it, its own pauses included: ${worstSecondAsHeard(all, arm.rates).toFixed(3)}.`,
      ],
    };
  } finally {
    await api?.stop();
    await arm.close();
  }
}

function joined(slices: readonly Slice[]): Slice {
  const names = Object.keys(slices[0]?.cpuMs ?? {});
  const sum = (of: (slice: Slice) => number) => slices.reduce((total, slice) => total + of(slice), 0);
  return {
    seconds: sum(({ seconds }) => seconds),
    arrivals: slices.flatMap(({ arrivals }) => arrivals),
    sent: sum(({ sent }) => sent),
    refused: sum(({ refused }) => refused),
    cpuMs: Object.fromEntries(names.map((name) => [name, sum(({ cpuMs }) => cpuMs[name] ?? 0)])),
  };
}

/** Hands batches in at an even pace, tenant by tenant, until it is stopped. */
function startFeed(lab: Lab, api: ApiArm, arm: EngineArm): { stop: () => Promise<void> } {
  const state = { ended: false };
  const { tenants } = arm.fleet;
  const run = async () => {
    const started = performance.now();
    for (let n = 0; !state.ended; n += 1) {
      const tenant = tenants[n % tenants.length];
      if (tenant) await api.sendBatch(tenant, 'MARKETING', 1_024, BATCH);
      const dueMs = started + ((n + 1) * BATCH * 1_000) / PER_SECOND;
      const pauseMs = dueMs - performance.now();
      if (pauseMs > 0) await lab.wait(pauseMs / 1_000);
    }
  };
  const running = run();
  running.catch(() => undefined); // told by stop()
  return {
    stop: async () => {
      state.ended = true;
      await running;
    },
  };
}
