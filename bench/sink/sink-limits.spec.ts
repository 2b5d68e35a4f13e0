import { percentile } from '../statistics';
import { ArrivalLog, readArrivals } from './arrival-record';
import { LatencyTable } from './latency';
import { SinkLimits } from './sink-limits';

const SECOND = 1_000_000;
const account = { accountId: '700000000000', rate: 10, quota: -1 };

function takenAt(limits: SinkLimits, times: readonly number[], recipients = 1): number {
  return times.filter((at) => limits.take(recipients, at) === 'ok').length;
}

describe('the limits of the fake SES', () => {
  it('lets a full bucket through at once and then no more than the rate', () => {
    const limits = new SinkLimits(account, 1, 0);
    expect(takenAt(limits, Array<number>(50).fill(0))).toBe(10);
    expect(takenAt(limits, Array<number>(50).fill(SECOND / 2))).toBe(5);
    expect(takenAt(limits, Array<number>(50).fill(60 * SECOND))).toBe(10);
  });

  it('takes sends at exactly the rate for ever', () => {
    const limits = new SinkLimits(account, 1, 0);
    const paced = Array.from({ length: 1_000 }, (_, i) => (i * SECOND) / 10);
    expect(takenAt(limits, paced)).toBe(1_000);
  });

  it('counts recipients, not requests', () => {
    const limits = new SinkLimits(account, 1, 0);
    expect(limits.take(6, 0)).toBe('ok');
    expect(limits.take(6, 0)).toBe('rate');
  });

  it('refuses nobody for a pause of its own, and whoever was over the rate whenever it came', () => {
    const pausedUs = 50_000;
    const fast = { ...account, rate: 200 };
    // A sender that has used its burst and goes on at the rate: one every 5 ms, those of the pause heard at its end.
    const heard = (more: number, sinceUs: number) => {
      const limits = new SinkLimits(fast, 1, 0);
      for (let i = 0; i < 200; i += 1) limits.take(1, 0);
      const waiting = Array.from({ length: 10 + more }, () => limits.take(1, pausedUs, sinceUs));
      const after = Array.from({ length: 400 }, (_, i) => limits.take(1, pausedUs + (i + 1) * 5_000));
      return [...waiting, ...after].filter((verdict) => verdict === 'rate').length;
    };
    expect(heard(0, 0)).toBe(0);
    expect(heard(1, 0)).toBe(1);

    // A full bucket does not run over while nobody could take from it, and is no larger afterwards.
    const limits = new SinkLimits(fast, 1, 0);
    expect(Array.from({ length: 215 }, () => limits.take(1, pausedUs, 0)).filter((one) => one === 'ok')).toHaveLength(
      210,
    );
    expect(takenAt(limits, Array<number>(300).fill(60 * SECOND))).toBe(200);
  });

  it('gives the day back when it is over, on a clock that may run faster', () => {
    const limits = new SinkLimits({ ...account, rate: 1_000, quota: 20 }, 1_000, 0);
    expect(limits.take(20, 0)).toBe('ok');
    expect(limits.take(1, SECOND)).toBe('day');
    expect(limits.used(SECOND)).toBe(20);
    // 90 real seconds at a thousandfold are 25 hours.
    expect(limits.take(1, 90 * SECOND)).toBe('ok');
    expect(limits.used(90 * SECOND)).toBe(1);
  });
});

describe('the latency of the fake SES', () => {
  it('has the percentiles it was asked for, in an order the seed decides', () => {
    const draws = (seed: number) => {
      const table = new LatencyTable(40, 200, seed);
      return Array.from({ length: 4_096 }, () => table.draw());
    };
    const drawn = draws(1);
    expect(percentile(drawn, 0.5)).toBeCloseTo(40, -1);
    expect(Math.abs(percentile(drawn, 0.99) - 200)).toBeLessThan(5);
    expect(draws(1)).toEqual(drawn);
    expect(draws(2)).not.toEqual(drawn);
  });
});

describe('the log of the fake SES', () => {
  it('gives back what was written, from any request on, across its chunks', () => {
    const log = new ArrivalLog();
    const message = '01a20273-3632-724e-9907-d1dafa313698';
    const body = Buffer.from(`xx${message}yy`);
    for (let i = 0; i < 40_000; i += 1) log.append(i, Math.max(0, i - 9), i % 8, 3, 1, 200, body, i % 2 === 0 ? 2 : -1);
    const tail = readArrivals(log.from(39_998));
    expect(tail).toEqual([
      { atUs: 39_998, sinceUs: 39_989, account: 6, set: 3, recipients: 1, status: 200, message },
      { atUs: 39_999, sinceUs: 39_990, account: 7, set: 3, recipients: 1, status: 200, message: ' '.repeat(36) },
    ]);
    expect(readArrivals(log.from(0))).toHaveLength(40_000);
    expect(readArrivals(log.from(40_000))).toEqual([]);
  });
});
