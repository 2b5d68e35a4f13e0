import type { Accepted } from './api-arm';
import type { Lab } from './lab';

const PATIENCE_SECONDS = 20;

/**
 * How long each message took from its acknowledgement to its first arrival at the sink, milliseconds; 0 when it was on the
 * wire before its acknowledgement had been read. @throws StackProblem when some never arrive
 */
export async function waitsMs(lab: Lab, accepted: readonly Accepted[], fromArrival: number): Promise<number[]> {
  const arrived = new Map<string, number>();
  let next = fromArrival;
  await lab.until('the arrival of every message', PATIENCE_SECONDS, async () => {
    const arrivals = await lab.sink.log(next);
    next += arrivals.length;
    for (const { message, atUs, status } of arrivals) {
      if (status === 200 && !arrived.has(message)) arrived.set(message, atUs);
    }
    return accepted.every(({ id }) => arrived.has(id));
  });
  return accepted.map(({ id, ackUs }) => Math.max(0, ((arrived.get(id) ?? NaN) - ackUs) / 1_000));
}
