import { SlotPlan } from './slot-plan.policy';

describe('a slot plan', () => {
  it('gives every message the time of its recipients', () => {
    const plan = new SlotPlan(1_000, 9_000, { num: 10, den: 1 });
    const starts = [1, 3, 1].map((recipients) => {
      const start = plan.nextMs;
      plan.used(recipients);
      return start;
    });
    expect(starts).toEqual([1_000, 1_100, 1_400]);
  });

  it('starts anew when the rest is moved', () => {
    const plan = new SlotPlan(1_000, 9_000, { num: 1, den: 2 });
    plan.used(1);
    plan.move(5_000, 12_000);
    expect([plan.nextMs, plan.deadlineMs]).toEqual([5_000, 12_000]);
  });
});
