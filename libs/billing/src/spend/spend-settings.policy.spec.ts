import { decideSpend, spendIssues, type SpendSettings } from './spend-settings.policy';

const usd = (dollars: bigint) => dollars * 1_000_000n;
const settings = (alerts: readonly bigint[], cap: bigint | null): SpendSettings => ({
  alertsMicro: alerts.map(usd),
  hardCapMicro: cap === null ? null : usd(cap),
});

describe('spend settings', () => {
  it.each<[string, SpendSettings, string[]]>([
    ['nothing', settings([], null), []],
    ['five alerts and a cap', settings([1n, 2n, 3n, 4n, 5n], 6n), []],
    ['six alerts', settings([1n, 2n, 3n, 4n, 5n, 6n], null), ['alertsUsd']],
    ['an alert at 0', settings([0n], null), ['alertsUsd.0']],
    ['an alert twice', settings([7n, 7n], null), ['alertsUsd.1']],
    ['a negative alert', settings([1n, -1n], null), ['alertsUsd.1']],
    ['a cap at 0', settings([], 0n), ['hardCapUsd']],
    ['a cap beyond reason', settings([], 10n ** 9n + 1n), ['hardCapUsd']],
    ['everything wrong', settings([0n], -1n), ['alertsUsd.0', 'hardCapUsd']],
  ])('with %s are refused at %s', (_, wanted, paths) => {
    expect(spendIssues(wanted).map((issue) => issue.path?.join('.'))).toEqual(paths);
  });
});

describe('what follows from a charge', () => {
  it.each<[bigint, string[], boolean]>([
    [0n, [], false],
    [99_999_999n, [], false],
    [100_000_000n, ['ALERT 100'], false],
    [499_999_999n, ['ALERT 100', 'ALERT 200'], false],
    [500_000_000n, ['ALERT 100', 'ALERT 200', 'HARD_CAP 500'], true],
    [900_000_000n, ['ALERT 100', 'ALERT 200', 'HARD_CAP 500'], true],
  ])('of %s micro-dollars: %s', (charge, told, isCapped) => {
    const decision = decideSpend(settings([100n, 200n], 500n), '2026-11', charge);
    expect(decision.events.map(({ data }) => `${data.kind} ${data.thresholdUsd}`)).toEqual(told);
    expect(decision.isCapped).toBe(isCapped);
  });

  it('is never a stop without a cap', () => {
    expect(decideSpend(settings([], null), '2026-11', 10n ** 18n)).toEqual({ events: [], isCapped: false });
  });

  it('is told anew each month', () => {
    const keys = ['2026-11', '2026-12'].map(
      (period) => decideSpend(settings([1n], null), period, usd(2n)).events[0]?.dedupeKey,
    );
    expect(new Set(keys).size).toBe(2);
  });
});
