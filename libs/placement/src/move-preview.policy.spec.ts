import type { SendingAccountId } from '@libs/kernel';
import type { Candidate } from './account-choice.policy';
import { previewMove } from './move-preview.policy';

const account = (id: string, change: Partial<Candidate> = {}): Candidate => ({
  id: id as SendingAccountId,
  label: id,
  tier: 'growth',
  mode: 'LIVE',
  state: 'PRODUCTION',
  quota: 100_000n,
  committed: 40_000n,
  tenants: 4,
  ...change,
});
const facts = {
  tier: 'growth',
  demand: 10_000n,
  from: [account('from')],
  to: account('to'),
  domainsToVerify: ['a.example'],
  moving: false,
};

describe('the preview of a move', () => {
  it('shows both accounts before and after', () => {
    expect(previewMove(facts)).toEqual({
      utilisation: [
        { sendingAccountId: 'from', beforePermille: 400, afterPermille: 300 },
        { sendingAccountId: 'to', beforePermille: 400, afterPermille: 500 },
      ],
      tierFits: true,
      domainsToVerify: ['a.example'],
      problems: [],
      warnings: [],
    });
  });

  it.each([
    ['another tier', { to: account('to', { tier: 'free' }) }, 'INVALID_INPUT', 'sendingAccountId'],
    ['a paused account', { to: account('to', { state: 'PAUSED' as const }) }, 'NO_CAPACITY', 'sendingAccountId'],
    ['a sandbox', { to: account('to', { state: 'SANDBOX' as const }) }, 'NO_CAPACITY', 'sendingAccountId'],
    ['where it is', { to: account('from') }, 'CONFLICT', 'sendingAccountId'],
    ['a move under way', { moving: true }, 'CONFLICT', 'tenantId'],
  ])('refuses %s', (_, change, code, path) => {
    expect(previewMove({ ...facts, ...change }).problems).toMatchObject([{ code, path: [path] }]);
  });

  it('warns, and does not refuse, when the target would be promised beyond its quota', () => {
    const { problems, warnings } = previewMove({ ...facts, to: account('to', { committed: 95_000n }) });
    expect(problems).toEqual([]);
    expect(warnings).toEqual(['to would be promised 5000 recipients a day beyond its quota.']);
  });

  it('counts a tenant without a daily limit as promising nothing', () => {
    expect(previewMove({ ...facts, demand: null }).utilisation.map(({ afterPermille }) => afterPermille)).toEqual([
      400, 400,
    ]);
  });
});
