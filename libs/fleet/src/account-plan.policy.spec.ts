import type { PricingPlan } from '@libs/aws';
import fc from 'fast-check';
import { plansAfter, type PlanSpan } from './account-plan.policy';

const at = (text: string) => new Date(`${text}Z`);
const look = (history: readonly PlanSpan[], time: string, pricingPlan: PricingPlan, nextPlan?: PricingPlan) =>
  plansAfter(history, { pricingPlan, nextPlan }, at(time));
const written = (history: readonly PlanSpan[]) =>
  history.map(
    ({ pricingPlan, validFrom, validTo }) =>
      `${pricingPlan} ${validFrom.toISOString().slice(0, 16)} ${validTo?.toISOString().slice(0, 16) ?? '...'}`,
  );

describe('the pricing plans an account has been on', () => {
  const first = look([], '2026-11-03T10:00', 'NONE');

  it('begin with what is seen first', () => {
    expect(written(first)).toEqual(['NONE 2026-11-03T10:00 ...']);
  });

  it('stay as they are while nothing changes', () => {
    expect(look(first, '2026-11-20T10:00', 'NONE')).toEqual(first);
    expect(look(first, '2026-11-20T10:00', 'NONE', 'NONE')).toEqual(first);
  });

  it('change at the look that finds another one', () => {
    expect(written(look(first, '2026-11-20T10:00', 'PRO'))).toEqual([
      'NONE 2026-11-03T10:00 2026-11-20T10:00',
      'PRO 2026-11-20T10:00 ...',
    ]);
  });

  it('change with the month when SES has announced it, however late it is seen', () => {
    const announced = look(first, '2026-11-20T10:00', 'NONE', 'ESSENTIALS');
    const expected = ['NONE 2026-11-03T10:00 2026-12-01T00:00', 'ESSENTIALS 2026-12-01T00:00 ...'];
    expect(written(announced)).toEqual(expected);
    expect(look(announced, '2026-11-21T10:00', 'NONE', 'ESSENTIALS')).toEqual(announced);
    expect(look(announced, '2026-12-01T00:07', 'NONE', 'ESSENTIALS')).toEqual(announced);
    expect(look(announced, '2026-12-03T00:00', 'ESSENTIALS')).toEqual(announced);
  });

  it('forget an announcement that was withdrawn', () => {
    const announced = look(first, '2026-11-20T10:00', 'NONE', 'ESSENTIALS');
    expect(look(announced, '2026-11-21T10:00', 'NONE')).toEqual(first);
  });

  it('never overlap, have no gap, and end with what was seen last', () => {
    const plan = fc.constantFrom<PricingPlan>('NONE', 'ESSENTIALS', 'PRO', 'ENTERPRISE');
    const looks = fc.array(
      fc.record({ hours: fc.integer({ min: 0, max: 900 }), plan, next: fc.option(plan, { nil: undefined }) }),
      { minLength: 1, maxLength: 12 },
    );
    fc.assert(
      fc.property(looks, (seen) => {
        let time = at('2026-01-15T10:00').getTime();
        let history: PlanSpan[] = [];
        for (const one of seen) {
          time += one.hours * 3_600_000;
          history = plansAfter(history, { pricingPlan: one.plan, nextPlan: one.next }, new Date(time));
          history.forEach((span, index) => {
            const after = history[index + 1];
            expect(span.validTo?.getTime()).toBe(after?.validFrom.getTime());
            if (span.validTo) expect(span.validTo.getTime()).toBeGreaterThan(span.validFrom.getTime());
          });
        }
        const inForce = history.filter((span) => span.validFrom.getTime() <= time).at(-1);
        const last = seen.at(-1);
        expect([last?.plan, last?.next]).toContain(inForce?.pricingPlan);
      }),
    );
  });
});
