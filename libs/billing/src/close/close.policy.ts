import type { Period } from '../billing-period.policy';
import { PeriodFinal, PeriodNotOver, PeriodNotReconciled } from './close.errors';

export const PERIOD_STATES = ['OPEN', 'PROVISIONAL', 'RECONCILED', 'FINAL'] as const;
export type PeriodState = (typeof PERIOD_STATES)[number];
/** Where a month can be asked to go. */
export type CloseGoal = Exclude<PeriodState, 'OPEN'>;

/** What a close does, in this order. */
export const CLOSE_STEPS = ['ROLL_UP', 'COSTS', 'RECONCILE', 'DRAFT_INVOICES', 'FINALISE_INVOICES', 'SEAL'] as const;
export type CloseStep = (typeof CLOSE_STEPS)[number];

/** Where a rehearsal of a crash may end the process: each step is passed when it is done. */
export const CLOSE_FAILPOINTS = CLOSE_STEPS.map(failpointOf);

export function failpointOf(step: CloseStep): string {
  return `close-${step.toLowerCase().replaceAll('_', '-')}`;
}

/** From here on nothing is computed anew: invoices have gone out. */
const POINT_OF_NO_RETURN = CLOSE_STEPS.indexOf('FINALISE_INVOICES');

/**
 * Whether a month may be asked to go there.
 * @throws PeriodNotOver, PeriodFinal, PeriodNotReconciled
 */
export function checkGoal(
  goal: CloseGoal,
  month: {
    readonly period: Period;
    readonly state: PeriodState;
    /** What it is on its way to already: with RECONCILED its bill is imported. */
    readonly onItsWay: CloseGoal | null;
    readonly now: Date;
    readonly withoutBill: boolean;
  },
): void {
  const { period, state, onItsWay, now, withoutBill } = month;
  if (state === 'FINAL') {
    // Closing twice is closing once.
    if (goal === 'FINAL') return;
    throw new PeriodFinal(period.name);
  }
  if (now < period.end) throw new PeriodNotOver(period.name, period.end);
  const hasBill = state === 'RECONCILED' || (onItsWay !== null && onItsWay !== 'PROVISIONAL');
  if (goal === 'FINAL' && !hasBill && !withoutBill) throw new PeriodNotReconciled(period.name, state);
}

/** The steps left to reach a goal; after a crash those from the step that was under way. */
export function stepsTo(goal: CloseGoal, interrupted: CloseStep | null, hasBill: boolean): CloseStep[] {
  const last = goal === 'FINAL' ? CLOSE_STEPS.length : POINT_OF_NO_RETURN;
  const reached = interrupted === null ? 0 : CLOSE_STEPS.indexOf(interrupted);
  // Before invoices go out everything is computed anew, so that it belongs together.
  const first = reached >= POINT_OF_NO_RETURN ? reached : 0;
  return CLOSE_STEPS.slice(first, last).filter((step) => step !== 'RECONCILE' || hasBill);
}

/** Whether invoices of the month are going out: for everybody else it is FINAL already. */
export function isIssuing(step: CloseStep | null): boolean {
  return step !== null && CLOSE_STEPS.indexOf(step) >= POINT_OF_NO_RETURN;
}

/** The state that a month has when the steps before its invoices go out are done. */
export function stateAfterClose(isOver: boolean, hasWholeBill: boolean): PeriodState {
  if (!isOver) return 'OPEN';
  return hasWholeBill ? 'RECONCILED' : 'PROVISIONAL';
}
