import { SystemClock } from '@libs/kernel';
import { rateBefore } from './judge';
import { Load } from './load';
import type { TrialSettings } from './trial';
import type { World } from './world';

const WARM_MS = 3_000;
const MEASURE_MS = 5_000;
const EVERY_MS = 500;

/** The rate this machine sends at when nothing is wrong, in recipients per second: what a recovery is measured by. */
export async function steadyRate(world: World, settings: Omit<TrialSettings, 'rate'>): Promise<number> {
  const clock = new SystemClock();
  await world.workers();
  await world.witness.begin();
  const load = new Load(world.stack.apiUrl, settings.tenants, world.witness, `${settings.run}/calibration`);
  load.start();
  const rates: number[] = [];
  for (let ms = 0; ms < WARM_MS + MEASURE_MS; ms += EVERY_MS) {
    await world.wait(EVERY_MS);
    const seenMs = clock.nowMs();
    await world.witness.look();
    settings.progress(`measuring the rate without faults, ${load.receipts.size} accepted`);
    if (ms >= WARM_MS) rates.push(rateBefore(world.witness.sends, seenMs));
  }
  await load.stop();
  for (const id of load.receipts) world.earlier.add(id);
  rates.sort((a, b) => a - b);
  return rates[Math.floor(rates.length / 2)] ?? 0;
}
