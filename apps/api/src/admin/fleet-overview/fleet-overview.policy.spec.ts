import type { SendingAccount } from '@libs/fleet';
import { overviewOf } from './fleet-overview.policy';

const account = (change: Partial<SendingAccount>) =>
  ({
    tier: 'growth',
    mode: 'LIVE',
    state: 'PRODUCTION',
    sendingEnabled: true,
    max24HourSend: 1_000n,
    sentLast24Hours: 250n,
    ...change,
  }) as SendingAccount;
const growth = (accounts: readonly SendingAccount[]) =>
  overviewOf([{ code: 'growth', name: 'Growth', rank: 2, rampFloor: 50_000n, rampFactor: '3' }], [], accounts).tiers[0];

describe('the overview of a tier', () => {
  it('adds up quota and use of accounts that may send', () => {
    expect(growth([account({}), account({ sentLast24Hours: 750n })])).toEqual({
      tier: 'growth',
      sendingAccounts: 2,
      sending: 2,
      quota: 2_000n,
      used: 1_000n,
      utilisationPermille: 500,
    });
  });

  it('holds against the quota what its own accounts used alone', () => {
    const others = [account({ max24HourSend: -1n, sentLast24Hours: 9_000_000n }), account({ state: 'PAUSED' })];
    expect(growth([account({}), ...others])).toMatchObject({
      quota: 1_000n,
      used: 9_000_500n,
      utilisationPermille: 250,
    });
  });

  it('counts accounts that may not send, test accounts and unlimited ones as no capacity', () => {
    const idle = [
      account({ state: 'PAUSED' }),
      account({ sendingEnabled: false }),
      account({ mode: 'TEST' }),
      account({ max24HourSend: -1n }),
      account({ tier: 'free' }),
    ];
    expect(growth(idle)).toMatchObject({ sendingAccounts: 3, sending: 1, quota: 0n, utilisationPermille: 0 });
  });
});
