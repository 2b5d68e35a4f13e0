import type { SendingAccountId } from '@libs/kernel';
import fc from 'fast-check';
import { chooseSendingAccount, headroom, isUsable, utilisationPermille, type Candidate } from './account-choice.policy';

function account(change: Partial<Omit<Candidate, 'id'>> & { id?: string } = {}): Candidate {
  const { id = 'a', ...rest } = change;
  return {
    id: id as SendingAccountId,
    label: `account ${id}`,
    tier: 'growth',
    mode: 'LIVE',
    state: 'PRODUCTION',
    quota: 100_000n,
    committed: 0n,
    tenants: 0,
    ...rest,
  };
}
const growth = { tier: 'growth', mode: 'LIVE', demand: 1_000n } as const;

const anyAccounts = fc.uniqueArray(
  fc.record({
    id: fc.uuid(),
    tier: fc.constantFrom('growth', 'free', 'premium'),
    mode: fc.constantFrom('LIVE' as const, 'TEST' as const),
    state: fc.constantFrom('SANDBOX', 'PRODUCTION', 'UNDER_REVIEW', 'PAUSED', 'SUSPENDED'),
    quota: fc.oneof(fc.constant(-1n), fc.bigInt(0n, 1_000_000n)),
    committed: fc.bigInt(0n, 1_000_000n),
    tenants: fc.nat(50),
  }),
  { selector: ({ id }) => id, maxLength: 12 },
);
const candidatesOf = (rows: readonly object[]) => rows.map((row) => account(row as Partial<Candidate> as never));

describe('the account a tenant is placed on', () => {
  it('has the most headroom, not the biggest quota, and the reason says how much', () => {
    const choice = chooseSendingAccount(growth, [
      account({ id: 'big', quota: 500_000n, committed: 450_000n }),
      account({ id: 'roomy', quota: 200_000n, committed: 20_000n }),
    ]);
    expect(choice.chosen?.id).toBe('roomy');
    expect(choice.reason).toBe(
      'tier growth: account roomy has the most headroom: 180,000 of 200,000 recipients a day free',
    );
  });

  it('without a quota beats every quota', () => {
    const choice = chooseSendingAccount(growth, [account({ quota: 10n ** 9n }), account({ id: 'b', quota: -1n })]);
    expect(choice.chosen?.id).toBe('b');
    expect(choice.reason).toContain('no daily quota');
  });

  it('may be promised beyond its quota, and the reason says so', () => {
    expect(chooseSendingAccount(growth, [account({ committed: 99_500n })]).reason).toContain(
      'promised beyond its quota',
    );
  });

  it('does not exist when none is in production, and the reason names the states', () => {
    const choice = chooseSendingAccount(growth, [account({ state: 'SANDBOX' }), account({ id: 'b', tier: 'free' })]);
    expect(choice).toEqual({
      chosen: undefined,
      reason: 'tier growth: no AWS account can take a tenant now (account a is SANDBOX)',
    });
    expect(chooseSendingAccount(growth, []).reason).toContain('none has joined');
  });

  it('is the same whatever the order of the candidates', () => {
    fc.assert(
      fc.property(
        anyAccounts.chain((rows) => fc.tuple(fc.constant(rows), fc.shuffledSubarray(rows, { minLength: rows.length }))),
        ([rows, shuffled]) => {
          expect(chooseSendingAccount(growth, candidatesOf(shuffled))).toEqual(
            chooseSendingAccount(growth, candidatesOf(rows)),
          );
        },
      ),
    );
  });

  it('is always usable, of the tier, and nobody usable of the tier has more headroom', () => {
    fc.assert(
      fc.property(anyAccounts, (rows) => {
        const candidates = candidatesOf(rows);
        const { chosen } = chooseSendingAccount(growth, candidates);
        const eligible = candidates.filter((one) => one.tier === 'growth' && isUsable(one, 'LIVE'));
        expect(chosen === undefined).toBe(eligible.length === 0);
        if (!chosen) return;
        expect(eligible).toContain(chosen);
        const best = headroom(chosen);
        for (const other of eligible) {
          const free = headroom(other);
          expect(best === undefined || (free !== undefined && free <= best)).toBe(true);
        }
      }),
    );
  });

  it('for test mode is a TEST account of any tier, sandboxed or not, and never for live mail', () => {
    const testing = account({ mode: 'TEST', tier: 'free', state: 'SANDBOX' });
    expect(chooseSendingAccount({ ...growth, mode: 'TEST' }, [account({ id: 'b' }), testing]).chosen).toBe(testing);
    expect(chooseSendingAccount(growth, [testing]).chosen).toBeUndefined();
  });
});

describe('utilisation', () => {
  it('is in whole per mille, rounded up, and knows no quota and a quota of nothing', () => {
    expect(utilisationPermille(50_000n, 20_000n)).toBe(400);
    expect(utilisationPermille(3n, 1n)).toBe(334);
    expect(utilisationPermille(-1n, 10n)).toBe(0);
    expect(utilisationPermille(0n, 1n)).toBe(1_000);
    expect(utilisationPermille(100n, 250n)).toBe(2_500);
    // Of a plan whose limit was written as "practically none".
    expect(utilisationPermille(50_000n, 10n ** 15n)).toBe(2_147_483_647);
  });
});
