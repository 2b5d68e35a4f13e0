import { EngineArm } from '../engine-arm';
import type { Lab } from '../lab';
import type { Result } from '../result';
import { cpuPerMessage, measureSlice, sentBySet } from '../slice';
import type { SeededTenant } from '../seed';
import type { Arrival } from '../sink/arrival-record';
import { jain, worstShareError } from '../statistics';

const RATE = 400;
const EQUAL_TENANTS = 20;
const WEIGHTS = [10, 20, 40];
const WINDOW_SECONDS = 10;

/** Two accounts: 20 equal tenants share one, three of weights 1:2:4 the other; all have mail waiting the whole time. */
export async function b07(lab: Lab): Promise<Result> {
  const windows = Math.max(2, Math.ceil((lab.args.seconds * lab.args.slices) / WINDOW_SECONDS));
  lab.progress(`fairness over ${windows} windows of ${WINDOW_SECONDS} s`);
  const quota = 50_000_000;
  const arm = await EngineArm.prepare(lab, {
    accounts: [
      { rate: RATE, quota, tenantWeights: Array.from({ length: EQUAL_TENANTS }, () => 10) },
      { rate: RATE, quota, tenantWeights: WEIGHTS },
    ],
  });
  try {
    // The heaviest tenant alone takes 4/7 of an account; everybody gets as much mail as it could send.
    const longest = Math.ceil(RATE * (windows * WINDOW_SECONDS + 10) * (4 / 7));
    await arm.fill(longest * arm.fleet.tenants.length);
    await arm.connectSink();
    await arm.runUp();
    const slice = await measureSlice(lab, windows * WINDOW_SECONDS);
    const begin = slice.arrivals[0]?.atUs ?? 0;
    const within = (n: number) => (arrival: Arrival) =>
      Math.floor((arrival.atUs - begin) / (WINDOW_SECONDS * 1e6)) === n;
    const shares = (tenants: readonly SeededTenant[], n: number) => {
      const counts = sentBySet(lab, slice.arrivals.filter(within(n)));
      return tenants.map(({ sets }) => counts.get(sets.MARKETING) ?? 0);
    };
    const equal = arm.fleet.tenants.slice(0, EQUAL_TENANTS);
    const weighted = arm.fleet.tenants.slice(EQUAL_TENANTS);
    const numbers = Array.from({ length: windows }, (_, n) => n);
    const fairness = numbers.map((n) => jain(shares(equal, n)));
    const errors = numbers.map((n) => 100 * worstShareError(shares(weighted, n), WEIGHTS));
    return {
      id: 'B7',
      measure: 'fairness among tenants of one account in windows of 10 s',
      figures: [
        {
          name: 'Jain index, 20 equal tenants',
          value: Math.min(...fairness),
          unit: '',
          target: { least: 0.999 },
          stretch: { least: 0.9999 },
        },
        { name: 'error at 1:2:4', value: Math.max(...errors), unit: '%', target: { most: 2 }, stretch: { most: 1 } },
      ],
      cpuUs: cpuPerMessage(slice),
      notes: [
        `Worst of ${windows} windows at ${RATE}/s an account; Jain ${fairness.map((one) => one.toFixed(5)).join(', ')}; errors ${errors.map((one) => `${one.toFixed(2)} %`).join(', ')}.`,
      ],
    };
  } finally {
    await arm.close();
  }
}
