import { EngineArm } from '../engine-arm';
import type { Lab } from '../lab';
import type { Result } from '../result';
import type { AccountPlan } from '../seed';
import { cpuPerMessage, measureSlice, medianCpu, perSecond, spread, type Slice } from '../slice';

const ACCOUNTS = 8;
const RATE = 250;

/** Redis' own CPU per message at 2,000 messages/s: ledger, fair queue, ready lists, tickets, polls of idle loops, all of it. */
export async function b06(lab: Lab): Promise<Result> {
  const { seconds } = lab.args;
  // Counted to the microsecond over thousands of messages, so two are enough.
  const slices = Math.min(2, lab.args.slices);
  const account = { rate: RATE, quota: 50_000_000, tenantWeights: [10, 10, 10, 10] };
  const taken: Slice[] = [];
  for (let i = 0; i < slices; i += 1) {
    lab.progress(`Redis at 2,000/s, slice ${i + 1} of ${slices}`);
    const arm = await EngineArm.prepare(lab, { accounts: Array.from({ length: ACCOUNTS }, () => account) });
    try {
      taken.push(await arm.slice(ACCOUNTS * RATE * (seconds + 8), seconds));
    } finally {
      await arm.close();
    }
  }
  const idle = await idleCpu(lab, account);
  const redis = spread(taken.map((slice) => cpuPerMessage(slice)['redis'] ?? NaN));
  return {
    id: 'B6',
    measure: 'CPU of Redis per message at 2,000 messages/s',
    figures: [{ name: 'Redis CPU', value: redis.median, unit: 'us', target: { most: 15 }, stretch: { most: 5 } }],
    cpuUs: medianCpu(taken),
    notes: [
      `${redis.least.toFixed(1)} to ${redis.most.toFixed(1)} us at ${spread(taken.map(perSecond)).median.toFixed(0)}/s; user and system time by Redis' own account, with its append-only file on.`,
    ],
    losses: [
      `**At trivial load.** Ticks, pumps and their polls cost CPU when nothing is sent: ${idle} with ${ACCOUNTS} accounts. A loop over the SDK uses none then.`,
    ],
  };
}

/** What the product uses while nobody wants to send anything, in words. */
async function idleCpu(lab: Lab, account: AccountPlan): Promise<string> {
  lab.progress('an idle worker');
  const arm = await EngineArm.prepare(lab, { accounts: Array.from({ length: ACCOUNTS }, () => account) });
  try {
    await arm.connectSink();
    await arm.startWorker();
    await lab.wait(5);
    const { cpuMs, seconds } = await measureSlice(lab, lab.args.seconds);
    return Object.entries(cpuMs)
      .filter(([name]) => name !== 'sink')
      .map(([name, ms]) => `${name} ${(ms / seconds).toFixed(0)} ms a second`)
      .join(', ');
  } finally {
    await arm.close();
  }
}
