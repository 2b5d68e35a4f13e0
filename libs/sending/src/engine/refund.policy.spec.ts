import type { TenantId } from '@libs/kernel';
import fc from 'fast-check';
import { verdictOf, type AttemptEnd } from './outcome.policy';
import { refundsOf, UsageCount } from './refund.policy';

const tenant = (n: number) => `t${String(n)}` as TenantId;

describe('refunds', () => {
  it.each<[AttemptEnd['kind'], number, number]>([
    ['sent', 1, 0],
    ['in-doubt', 1, 0],
    ['rejected', 0, 1],
    ['invalid', 0, 1],
    ['rate', 0, 1],
    ['identity', 0, 1],
    ['unstarted', 0, 0],
  ])('count what is %s as %i used and %i refused', (kind, used, refused) => {
    const count = new UsageCount();
    const end: AttemptEnd =
      kind === 'sent' ? { kind, sesMessageId: 'ses-1' } : { kind, code: 'Code', message: 'Said so.' };
    count.add(tenant(1), 1, verdictOf(end).attempt, end);
    expect(count.byTenant).toEqual([{ tenantId: tenant(1), used, refused }]);
  });

  it('give back what was never claimed, and keep what SES refused for a while', () => {
    const granted = [
      { tenantId: tenant(1), recipients: 3 },
      { tenantId: tenant(1), recipients: 2 },
      { tenantId: tenant(2), recipients: 4 },
    ];
    const usage = [{ tenantId: tenant(1), used: 2, refused: 1 }];
    expect(refundsOf(granted, usage)).toEqual([
      { tenantId: tenant(1), unused: 2, refused: 1 },
      { tenantId: tenant(2), unused: 4, refused: 0 },
    ]);
  });

  it('never give back more than was granted, and together with what was used give exactly that (P3)', () => {
    const counts = fc.record({ granted: fc.nat(100), used: fc.nat(100), refused: fc.nat(100) });
    fc.assert(
      fc.property(fc.array(counts, { minLength: 1, maxLength: 5 }), (tenants) => {
        const refunds = refundsOf(
          tenants.map(({ granted }, i) => ({ tenantId: tenant(i), recipients: granted })),
          tenants.map(({ used, refused }, i) => ({ tenantId: tenant(i), used, refused })),
        );
        return refunds.every(({ unused, refused }, i) => {
          const { granted = 0, used = 0 } = tenants[i] ?? {};
          return unused >= 0 && refused >= 0 && unused + refused + Math.min(used, granted) === granted;
        });
      }),
    );
  });
});
