/** Places in the life of a batch, in their order, at which a rehearsal of a crash may end or stop the process. */
export const FAILPOINTS = [
  'after-acquire',
  'after-enqueue',
  'before-claim',
  'in-claim',
  'after-claim',
  'before-send',
  'after-answer',
  'after-record',
  'before-outcome-commit',
  'after-outcome-commit',
  'before-settle',
  'after-settle',
] as const;
export type Failpoint = (typeof FAILPOINTS)[number];

/** Passing a place does nothing, unless the process was started to crash there (docs/faults.md). */
export class Failpoints {
  constructor(readonly reach: (place: Failpoint) => void = () => undefined) {}
}
