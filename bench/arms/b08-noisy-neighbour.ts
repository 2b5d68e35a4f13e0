import { ApiArm, atRate, type Accepted } from '../api-arm';
import { EngineArm } from '../engine-arm';
import type { Lab } from '../lab';
import type { Result } from '../result';
import { seedBacklog } from '../seed';
import { waitsMs } from '../waits';
import { percentile } from '../statistics';

const RATE = 400;
const QUIET_PER_SECOND = 10;
const NOISY_TIMES = 100;
const BODY_BYTES = 1_024;

/** A quiet tenant hands in 10 bulk messages a second, alone and then beside one that has a hundred times its mail waiting. */
export async function b08(lab: Lab): Promise<Result> {
  // The slowest of a hundred of 160 is the second slowest of all: one hiccup of the machine decided.
  const seconds = Math.max(15, lab.args.seconds * 4);
  const arm = await EngineArm.prepare(lab, {
    accounts: [{ rate: RATE, quota: 50_000_000, tenantWeights: [10, 10] }],
  });
  let api: ApiArm | undefined;
  try {
    const [quiet, noisy] = arm.fleet.tenants;
    if (!quiet || !noisy) throw new Error('two tenants are needed');
    api = await ApiArm.start(lab, arm.database, [quiet]);
    await arm.connectSink();
    const front = api;
    const listen = async (): Promise<number[]> => {
      const from = await lab.sink.length();
      const accepted: Accepted[] = [];
      await atRate(lab, QUIET_PER_SECOND, seconds, async () => {
        accepted.push(await front.sendOne(quiet, 'MARKETING', BODY_BYTES));
      });
      return waitsMs(lab, accepted, from);
    };
    await arm.startWorker();
    await front.sendOne(quiet, 'MARKETING', BODY_BYTES);
    await lab.until('the first send of a worker', 40, async () => (await lab.sink.length()) > 0);
    lab.progress(`a quiet tenant alone for ${seconds} s`);
    await lab.wait(2);
    const alone = await listen();
    await seedBacklog(
      arm.database.client,
      [noisy],
      QUIET_PER_SECOND * NOISY_TIMES * (seconds + 5),
      BODY_BYTES,
      'MARKETING',
    );
    lab.progress(`a quiet tenant beside a noisy one for ${seconds} s`);
    await lab.wait(4);
    const beside = await listen();
    const p99 = { alone: percentile(alone, 0.99), beside: percentile(beside, 0.99) };
    return {
      id: 'B8',
      measure: 'wait of a quiet tenant beside one with a hundred times its mail, over its wait alone',
      figures: [
        {
          name: 'p99 beside / alone',
          value: p99.beside / p99.alone,
          unit: '',
          target: { most: 2 },
          stretch: { most: 1.2 },
        },
      ],
      notes: [
        `From the api's acknowledgement to the arrival at SES, ${alone.length} and ${beside.length} messages of the bulk class: p50 ${percentile(alone, 0.5).toFixed(0)} and ${percentile(beside, 0.5).toFixed(0)} ms, p99 ${p99.alone.toFixed(0)} and ${p99.beside.toFixed(0)} ms.`,
        `The noisy tenant's ${NOISY_TIMES * QUIET_PER_SECOND}/s stand on an account of ${RATE}/s, so its mail waits all the time.`,
      ],
      losses: [
        `**Latency of a single message.** On an idle account a bulk message is on the wire ${percentile(alone, 0.5).toFixed(0)} ms (p50) after its acknowledgement, because a grant looks ahead so that batches keep the rate exactly; a loop that posts at once is that much sooner.`,
      ],
    };
  } finally {
    await api?.stop();
    await arm.close();
  }
}
