import { accountSnapshot } from './account-snapshot.policy';

describe('what GetAccount says', () => {
  it('becomes whole recipients: allowances rounded down, use rounded up', () => {
    expect(
      accountSnapshot({
        SendQuota: { Max24HourSend: 50_000.9, MaxSendRate: 14.0005, SentLast24Hours: 12.1 },
        ProductionAccessEnabled: true,
        SendingEnabled: true,
        EnforcementStatus: 'PROBATION',
        PricingAttributes: { CurrentPlan: 'PRO', NextPlan: 'ESSENTIALS' },
      }),
    ).toEqual({
      max24HourSend: 50_000n,
      maxSendRate: '14',
      sentLast24Hours: 13n,
      productionAccess: true,
      sendingEnabled: true,
      enforcementStatus: 'PROBATION',
      pricingPlan: 'PRO',
      nextPricingPlan: 'ESSENTIALS',
    });
  });

  it('keeps unlimited as -1 and rates below one', () => {
    const snapshot = accountSnapshot({ SendQuota: { Max24HourSend: -1, MaxSendRate: 0.5, SentLast24Hours: 0 } });
    expect([snapshot.max24HourSend, snapshot.maxSendRate]).toEqual([-1n, '0.5']);
  });

  it.each([
    [-2, -1, -1, 0n, '0', 0n],
    [Number.NaN, Number.NaN, Number.NaN, 0n, '0', 0n],
    [Number.POSITIVE_INFINITY, 1e12, 3, BigInt(Number.MAX_SAFE_INTEGER), '999999999', 3n],
    [0.5, 0.0004, 0.5, 0n, '0', 1n],
  ])('reads a quota of %d at %d a second, %d of it used, as figures to go by', (quota, rate, used, ...expected) => {
    const SendQuota = { Max24HourSend: quota, MaxSendRate: rate, SentLast24Hours: used };
    const { max24HourSend, maxSendRate, sentLast24Hours } = accountSnapshot({ SendQuota });
    expect([max24HourSend, maxSendRate, sentLast24Hours]).toEqual(expected);
  });

  it('allows nothing where SES says nothing', () => {
    expect(accountSnapshot({})).toMatchObject({ max24HourSend: 0n, maxSendRate: '0', productionAccess: false });
  });
});
