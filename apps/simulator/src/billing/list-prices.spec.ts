import { atTiers, DOLLAR, PLAN_FEE, RECIPIENT, type PricingPlan } from './list-prices';

describe("the simulator's price list", () => {
  it.each<[PricingPlan, bigint, bigint]>([
    ['NONE', 50_000n, 5n],
    ['NONE', 1_500_000n, 150n],
    ['ESSENTIALS', 50_000n, 8n],
    ['ESSENTIALS', 1_500_000n, 240n],
    ['PRO', 50_000n, 116n],
    ['PRO', 1_500_000n, 435n],
    ['PRO', 11_000_000n, 105n + 2_200n + 170n],
  ])('charges on %s for %s recipients a month %s dollars, fee included', (plan, recipients, dollars) => {
    expect(PLAN_FEE[plan] + atTiers(RECIPIENT[plan], 0n, recipients)).toBe(dollars * DOLLAR);
  });

  it('charges the same however a month is cut into days', () => {
    const cuts = [0n, 9_999_999n, 10_000_000n, 10_000_001n, 100_000_000n, 123_456_789n];
    const whole = atTiers(RECIPIENT.ENTERPRISE, 0n, 123_456_789n);
    const parts = cuts.slice(1).map((to, i) => atTiers(RECIPIENT.ENTERPRISE, cuts[i] ?? 0n, to - (cuts[i] ?? 0n)));
    expect(parts.reduce((sum, part) => sum + part, 0n)).toBe(whole);
  });
});
