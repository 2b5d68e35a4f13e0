import { engineWith, type EngineFault } from './broken-engine';
import type { Violation } from './checker';
import { Scenario } from './scenario';

export interface SeedResult {
  readonly seed: number;
  readonly violations: readonly Violation[];
  /** Two runs of a seed have the same. */
  readonly hash: string;
  readonly accepted: number;
  /** Recipients SES took. */
  readonly taken: number;
  /** Messages SES took twice where nobody could know better. */
  readonly duplicates: number;
  readonly crashes: number;
  readonly steps: number;
}

/** Plays one seed to its end, with the engine as it is or broken in one way. */
export async function playSeed(seed: number, fault?: EngineFault, print?: (line: string) => void): Promise<SeedResult> {
  const scenario = new Scenario(seed, { ...engineWith(fault), ...(print === undefined ? {} : { print }) });
  const { world } = scenario;
  try {
    await scenario.play();
  } catch (error) {
    world.checker.violate('fault', error instanceof Error ? (error.stack ?? error.message) : String(error));
  }
  const { checker, trace, accepted, crashes, time } = world;
  return {
    seed,
    violations: checker.violations,
    hash: trace.hash,
    accepted,
    taken: checker.taken,
    duplicates: checker.duplicates,
    crashes,
    steps: time.steps,
  };
}
