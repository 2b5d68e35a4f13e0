import { parsePeriod } from '../billing-period.policy';
import { checkGoal, CLOSE_STEPS, stateAfterClose, stepsTo, type CloseGoal, type PeriodState } from './close.policy';

const period = parsePeriod('2026-10');
const after = new Date('2026-11-02T00:00:00Z');
const month = (state: PeriodState, more: Partial<Parameters<typeof checkGoal>[1]> = {}) => ({
  period,
  state,
  onItsWay: null,
  now: after,
  withoutBill: false,
  ...more,
});

describe('where a month may go', () => {
  it.each<[PeriodState, CloseGoal]>([
    ['OPEN', 'PROVISIONAL'],
    ['PROVISIONAL', 'PROVISIONAL'],
    ['PROVISIONAL', 'RECONCILED'],
    ['RECONCILED', 'PROVISIONAL'],
    ['RECONCILED', 'FINAL'],
    ['FINAL', 'FINAL'],
  ])('from %s to %s', (state, goal) => {
    expect(() => {
      checkGoal(goal, month(state));
    }).not.toThrow();
  });

  it.each<[string, CloseGoal, Parameters<typeof checkGoal>[1], string]>([
    ['before it is over', 'PROVISIONAL', month('OPEN', { now: new Date(period.end.getTime() - 1) }), 'PeriodNotOver'],
    ['back from FINAL', 'RECONCILED', month('FINAL'), 'PeriodFinal'],
    ['to FINAL without a bill', 'FINAL', month('PROVISIONAL'), 'PeriodNotReconciled'],
    [
      'to FINAL with a mere refresh on its way',
      'FINAL',
      month('PROVISIONAL', { onItsWay: 'PROVISIONAL' }),
      'PeriodNotReconciled',
    ],
  ])('nowhere %s', (_, goal, facts, name) => {
    expect(() => {
      checkGoal(goal, facts);
    }).toThrow(expect.objectContaining({ name }) as Error);
  });

  it('to FINAL without a bill when somebody says so, or when the bill is being held against it', () => {
    for (const more of [{ withoutBill: true }, { onItsWay: 'RECONCILED' as const }]) {
      expect(() => {
        checkGoal('FINAL', month('PROVISIONAL', more));
      }).not.toThrow();
    }
  });
});

describe('the steps of a close', () => {
  it('stop before invoices go out, unless the month shall be FINAL', () => {
    expect(stepsTo('PROVISIONAL', null, false)).toEqual(['ROLL_UP', 'COSTS', 'DRAFT_INVOICES']);
    expect(stepsTo('RECONCILED', null, true)).toEqual(['ROLL_UP', 'COSTS', 'RECONCILE', 'DRAFT_INVOICES']);
    expect(stepsTo('FINAL', null, true)).toEqual([...CLOSE_STEPS]);
  });

  it('begin anew after a crash, as long as no invoice can have gone out', () => {
    expect(stepsTo('FINAL', 'DRAFT_INVOICES', true)).toEqual([...CLOSE_STEPS]);
    expect(stepsTo('FINAL', 'FINALISE_INVOICES', true)).toEqual(['FINALISE_INVOICES', 'SEAL']);
    expect(stepsTo('FINAL', 'SEAL', true)).toEqual(['SEAL']);
  });

  it('leave a month OPEN that is not over, and PROVISIONAL when a payer has not billed', () => {
    expect([stateAfterClose(false, true), stateAfterClose(true, false), stateAfterClose(true, true)]).toEqual([
      'OPEN',
      'PROVISIONAL',
      'RECONCILED',
    ]);
  });
});
