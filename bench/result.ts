import type { BenchId } from './arguments';

/** What a value must be: at most or at least that. */
export type Bound = { readonly most: number } | { readonly least: number };

/** One figure of a measure with what is asked of it. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  /** Empty for a ratio or a count. */
  readonly unit: string;
  readonly target: Bound;
  readonly stretch: Bound;
}

export interface Result {
  readonly id: BenchId;
  readonly measure: string;
  /** The first is the measure's own; all must be met. */
  readonly figures: readonly [Figure, ...Figure[]];
  /** CPU per message in microseconds by process, where the measure has messages. */
  readonly cpuUs?: Readonly<Record<string, number>>;
  /** How it was measured and what else was seen, in sentences. */
  readonly notes: readonly string[];
  /** Where the product comes off worse than what it is measured beside: Markdown for the page of results. */
  readonly losses?: readonly string[];
}

/** A measure that could not be taken, and why. It counts as not met. */
export interface Failure {
  readonly id: BenchId;
  readonly error: string;
}

export type Report = (result: Result) => void;

/** What a run found, in the order it was found. */
export interface Outcome {
  readonly results: Result[];
  readonly failures: Failure[];
  /** How long each scenario took, with boots and seeding. */
  readonly took: { readonly ids: readonly BenchId[]; readonly seconds: number }[];
}

export function isMet(value: number, bound: Bound): boolean {
  return 'most' in bound ? value <= bound.most : value >= bound.least;
}

export function targetMet({ figures }: Result): boolean {
  return figures.every(({ value, target }) => isMet(value, target));
}

export function stretchMet({ figures }: Result): boolean {
  return figures.every(({ value, stretch }) => isMet(value, stretch));
}

/** Without the sink, which stands for SES. Undefined where nothing was counted. */
export function totalCpuUs({ cpuUs }: Result): number | undefined {
  if (!cpuUs) return undefined;
  return Object.entries(cpuUs).reduce((sum, [name, us]) => (name === 'sink' ? sum : sum + us), 0);
}

export function boundValue(bound: Bound): number {
  return 'most' in bound ? bound.most : bound.least;
}
