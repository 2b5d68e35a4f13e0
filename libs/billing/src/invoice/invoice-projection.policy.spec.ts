import type { PlanId } from '@libs/kernel';
import { liveSpans, projected, withLive } from './invoice-projection.policy';

const at = (text: string) => new Date(`2026-11-${text}Z`);
const segment = (from: string, to: Date, recipients: bigint, ipMs = 0n) => ({
  planName: 'Growth',
  price: {
    id: 1n,
    planId: 'p' as PlanId,
    validFrom: at('01T00:00:00'),
    validTo: null,
    baseFeeMicro: 0n,
    includedRecipients: 0n,
    overage: [],
    dedicatedIpFeeMicro: 0n,
    minimumMicro: 0n,
    monotone: true,
    source: 's',
  },
  from: at(from),
  to,
  recipients,
  ipMs,
});
const end = new Date('2026-12-01T00:00:00Z');

describe('usage that is not counted yet', () => {
  const segments = [segment('01T00:00:00', at('10T12:00:00'), 5n), segment('10T12:00:00', end, 7n)];

  it('is asked for by segment, a day whole in the one in force last on it', () => {
    expect(liveSpans(segments, at('09T00:00:00'), at('11T06:00:00'))).toEqual([
      { from: at('09T00:00:00'), to: at('10T00:00:00') },
      { from: at('10T00:00:00'), to: at('11T06:00:00') },
    ]);
    expect(liveSpans(segments, at('11T00:00:00'), at('11T06:00:00'))).toHaveLength(1);
    expect(liveSpans(segments, at('11T00:00:00'), at('11T00:00:00'))).toEqual([]);
  });

  it('is added to the segment of its day', () => {
    const live = [
      { span: { from: at('09T00:00:00'), to: at('10T00:00:00') }, recipients: 10n },
      { span: { from: at('10T00:00:00'), to: at('11T06:00:00') }, recipients: 100n },
    ];
    expect(withLive(segments, live).map((one) => one.recipients)).toEqual([15n, 107n]);
  });
});

describe('the projection of a month', () => {
  it('goes on as the month went, at the price in force last', () => {
    const segments = [segment('01T00:00:00', at('06T00:00:00'), 400n), segment('06T00:00:00', end, 600n, 10n)];
    const found = projected(segments, at('11T00:00:00'), at('11T00:00:00'));
    expect(found.map((one) => [one.recipients, one.ipMs])).toEqual([
      [400n, 0n],
      [2_600n, 30n],
    ]);
  });

  it('counts from when the tenant came, and IPs by the days that are counted', () => {
    const found = projected([segment('21T00:00:00', end, 10n, 10n)], at('22T00:00:00'), at('26T00:00:00'));
    expect(found.map((one) => [one.recipients, one.ipMs])).toEqual([[20n, 100n]]);
  });

  it('is what was used when nothing has passed, or everything', () => {
    expect(projected([segment('21T00:00:00', end, 0n)], at('21T00:00:00'), at('21T00:00:00'))[0]?.recipients).toBe(0n);
    expect(projected([segment('01T00:00:00', end, 9n, 9n)], end, end)[0]).toMatchObject({ recipients: 9n, ipMs: 9n });
    expect(projected([], end, end)).toEqual([]);
  });
});
