import fc from 'fast-check';
import { planTraffic } from './demo-traffic';

describe('the traffic of the demo day', () => {
  it('is exactly as many messages as asked for, whatever the number', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3_000 }), fc.integer({ min: 0, max: 1_000 }), (messages, seed) => {
        const total = planTraffic(messages, seed, 'd1').reduce((sum, day) => sum + day.emails.length, 0);
        expect(total).toBe(messages);
      }),
      { numRuns: 30 },
    );
  });

  it('is the same for the same seed and another for another', () => {
    expect(planTraffic(500, 7, 'd1')).toEqual(planTraffic(500, 7, 'd1'));
    expect(planTraffic(500, 7, 'd1')).not.toEqual(planTraffic(500, 8, 'd1'));
  });

  it('goes to nobody whom an earlier day has suppressed', () => {
    const addressees = (day: string) =>
      planTraffic(500, 7, day).flatMap(({ emails }) => emails.flatMap(({ to }) => to.map(({ email }) => email)));
    const before = new Set(addressees('d1'));
    expect(addressees('d2').filter((address) => before.has(address))).toEqual([]);
  });

  it('has both streams, a tenant that floods, and recipients that bounce, complain, are suppressed or are several', () => {
    const traffic = planTraffic(10_000, 1, 'd1');
    const emails = traffic.flatMap((day) => day.emails);
    const suppressed = new Set(traffic.flatMap((day) => day.suppressed));
    expect(new Set(emails.map((email) => email.stream))).toEqual(new Set(['TRANSACTIONAL', 'MARKETING']));
    expect(traffic.some((day) => day.tenant.floods && day.emails.length > 3_000)).toBe(true);
    expect(emails.some((email) => email.to[0]?.email.endsWith('@gone.example'))).toBe(true);
    expect(emails.some((email) => email.to[0]?.email.endsWith('@angry.example'))).toBe(true);
    expect(emails.some((email) => suppressed.has(email.to[0]?.email ?? ''))).toBe(true);
    expect(emails.some((email) => email.to.length > 1)).toBe(true);
  });
});
