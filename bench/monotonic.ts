/** Microseconds of CLOCK_MONOTONIC: the same clock in every process of this machine. */
export function monotonicUs(): number {
  return Number(process.hrtime.bigint() / 1_000n);
}
