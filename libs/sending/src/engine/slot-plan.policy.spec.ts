import { SlotPlan } from './slot-plan.policy';

const items = (...recipients: number[]) => recipients.map((n) => ({ recipients: n }));
const planOf = (given: { recipients: number }[], deadlineMs: number, rate: { num: number; den: number }) => {
  const plan = new SlotPlan<{ recipients: number }>();
  plan.add(given, 1_000, deadlineMs, rate);
  return plan;
};
const dues = (plan: SlotPlan<{ recipients: number }>) => plan.takeAll().map((slot) => slot.dueMs);

describe('a slot plan', () => {
  it('gives every message the time of its recipients', () => {
    const plan = planOf(items(1, 3, 1), 9_000, { num: 10, den: 1 });
    expect(dues(plan)).toEqual([1_000, 1_100, 1_400]);
  });

  it('moves only what is overdue, behind or between what keeps its slot', () => {
    const plan = planOf(items(1, 1, 1, 1), 9_000, { num: 10, den: 1 });
    const late = plan.takeOverdue(1_150);
    expect(late.map((slot) => slot.dueMs)).toEqual([1_000, 1_100]);
    plan.add(
      late.map((slot) => slot.item),
      1_250,
      9_500,
      { num: 10, den: 1 },
    );
    expect(plan.next).toMatchObject({ dueMs: 1_200, deadlineMs: 9_000 });
    expect(dues(plan)).toEqual([1_200, 1_250, 1_300, 1_350]);
  });

  it('counts the slots that begin by a time', () => {
    const plan = planOf(items(1, 1, 1), 9_000, { num: 10, den: 1 });
    expect([999, 1_000, 1_150, 1_200].map((time) => plan.dueBy(time))).toEqual([0, 1, 2, 3]);
  });

  it('is empty when everything was taken', () => {
    const plan = planOf(items(1), 9_000, { num: 1, den: 2 });
    expect(plan.take()?.dueMs).toBe(1_000);
    expect(plan.next).toBeUndefined();
    expect(plan.take()).toBeUndefined();
  });
});
