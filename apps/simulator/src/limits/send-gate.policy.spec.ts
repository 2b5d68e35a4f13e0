import fc from 'fast-check';
import { CountingMeter } from './counting-meter.policy';
import { DAY_MS, SendGate } from './send-gate.policy';

const traffic = fc.array(
  fc.record({ gap: fc.nat({ max: 20_000_000 }), recipients: fc.integer({ min: 1, max: 50 }), simulator: fc.boolean() }),
  { maxLength: 120 },
);
const limits = fc.record({
  max24HourSend: fc.integer({ min: 0, max: 300 }),
  maxSendRate: fc.integer({ min: 1, max: 20 }),
});

describe('the sending gate', () => {
  it('never admits more recipients in any 24 hours than the quota', () => {
    fc.assert(
      fc.property(traffic, limits, (steps, limit) => {
        const gate = new SendGate();
        const admitted: { at: number; count: number }[] = [];
        let at = 0;
        for (const { gap, recipients, simulator } of steps) {
          at += gap;
          const quotaRecipients = simulator ? 0 : recipients;
          if (gate.admit({ at, recipients, quotaRecipients }, limit) === 'ADMITTED')
            admitted.push({ at, count: quotaRecipients });
          const now = at;
          const used = admitted.filter((one) => one.at > now - DAY_MS).reduce((sum, one) => sum + one.count, 0);
          expect(used).toBeLessThanOrEqual(limit.max24HourSend);
          expect(gate.sentLast24Hours(now)).toBe(used);
        }
      }),
    );
  });

  it('admits no more requests in a span than its burst and what was refilled, however they come', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 300 }), { maxLength: 300 }), fc.integer({ min: 1, max: 20 }), (gaps, rate) => {
        const gate = new SendGate();
        let at = 0;
        let admitted = 0;
        for (const gap of gaps) {
          at += gap;
          if (
            gate.admit({ at, recipients: 1, quotaRecipients: 1 }, { max24HourSend: -1, maxSendRate: rate }) ===
            'ADMITTED'
          )
            admitted += 1;
        }
        expect(admitted).toBeLessThanOrEqual(rate + (at * rate) / 1000 + 1e-3);
      }),
    );
  });

  it('admits no more than that when it hears late, whatever waited since when', () => {
    const heard = fc.array(fc.record({ gap: fc.nat({ max: 300 }), waited: fc.nat({ max: 2_000 }) }), {
      maxLength: 300,
    });
    fc.assert(
      fc.property(heard, fc.integer({ min: 1, max: 20 }), (steps, rate) => {
        const gate = new SendGate();
        const limit = { max24HourSend: -1, maxSendRate: rate };
        let at = 0;
        let admitted = 0;
        for (const { gap, waited } of steps) {
          at += gap;
          const demand = { at, since: Math.max(0, at - waited), recipients: 1, quotaRecipients: 1 };
          if (gate.admit(demand, limit) === 'ADMITTED') admitted += 1;
        }
        expect(admitted).toBeLessThanOrEqual(rate + (at * rate) / 1000 + 1e-3);
      }),
    );
  });

  it('refuses nobody for its own pauses, and whoever was over the rate whenever it came', () => {
    const rate = 10;
    const limit = { max24HourSend: -1, maxSendRate: rate };
    const heardAfter = (pauseMs: number, waiting: number) => {
      const gate = new SendGate();
      const meter = new CountingMeter();
      const hear = (at: number, since?: number) => {
        const demand = { at, since, recipients: 1, quotaRecipients: 1 };
        const verdict = gate.admit(demand, limit);
        meter.observe({ ...demand, verdict: verdict === 'ADMITTED' ? 'accepted' : verdict, injected: false }, limit);
        return verdict;
      };
      hear(0);
      const verdicts = Array.from({ length: waiting }, () => hear(pauseMs, 0));
      return [verdicts.filter((verdict) => verdict === 'RATE').length, meter.read().overRate];
    };
    // The bucket of 10, one of it used, and 30 that ran in during three seconds.
    expect(heardAfter(3_000, 39)).toEqual([0, 0]);
    expect(heardAfter(3_000, 41)).toEqual([2, 2]);
  });

  it('keeps nothing of a pause for those that come after it', () => {
    const gate = new SendGate();
    const limit = { max24HourSend: -1, maxSendRate: 10 };
    const ask = (at: number, since?: number) =>
      gate.admit({ at, since, recipients: 1, quotaRecipients: 1 }, limit) === 'ADMITTED';
    expect([ask(0), ask(5_000, 0)]).toEqual([true, true]);
    expect(Array.from({ length: 20 }, () => ask(5_001)).filter(Boolean)).toHaveLength(10);
  });

  it('admits a sender that paces itself at exactly the rate, for ever', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100 }), (rate) => {
        const gate = new SendGate();
        const limit = { max24HourSend: -1, maxSendRate: rate };
        for (let i = 0; i < 500; i += 1) {
          expect(gate.admit({ at: Math.ceil((i * 1000) / rate), recipients: 1, quotaRecipients: 1 }, limit)).toBe(
            'ADMITTED',
          );
        }
      }),
    );
  });

  it('lets a request of 50 pass on one token, then makes the account earn it back', () => {
    const gate = new SendGate();
    const limit = { max24HourSend: -1, maxSendRate: 10 };
    const ask = (at: number, recipients: number): string =>
      gate.admit({ at, recipients, quotaRecipients: recipients }, limit);
    expect([ask(0, 50), ask(0, 1), ask(4099, 1), ask(4100, 1), ask(4100, 1)]).toEqual([
      'ADMITTED',
      'RATE',
      'RATE',
      'ADMITTED',
      'RATE',
    ]);
  });
});

describe('the counting meter', () => {
  it('finds over quota and over rate exactly where an honest gate refuses', () => {
    fc.assert(
      fc.property(traffic, limits, (steps, limit) => {
        const gate = new SendGate();
        const meter = new CountingMeter();
        let at = 0;
        const refused = { quota: 0, rate: 0 };
        for (const { gap, recipients, simulator } of steps) {
          at += gap % 3000;
          const demand = { at, recipients, quotaRecipients: simulator ? 0 : recipients };
          const verdict = gate.admit(demand, limit);
          if (verdict === 'DAILY_QUOTA') refused.quota += 1;
          if (verdict === 'RATE') refused.rate += 1;
          meter.observe({ ...demand, verdict: verdict === 'ADMITTED' ? 'accepted' : verdict, injected: false }, limit);
        }
        const reading = meter.read();
        expect(reading.overQuota).toBe(refused.quota);
        expect(reading.overRate).toBeGreaterThanOrEqual(refused.rate);
        expect(reading.overRate).toBeLessThanOrEqual(refused.rate + refused.quota);
        expect(reading.worstDayAccepted.recipients).toBeLessThanOrEqual(limit.max24HourSend);
      }),
    );
  });

  it('sees what a gate that enforces nothing would have let through', () => {
    const meter = new CountingMeter();
    const limit = { max24HourSend: 3, maxSendRate: 1 };
    for (const at of [0, 0, 2000, 4000]) {
      meter.observe({ at, recipients: 1, quotaRecipients: 1, verdict: 'accepted', injected: false }, limit);
    }
    expect(meter.read()).toMatchObject({
      overQuota: 1,
      overRate: 1,
      worstDayAccepted: { recipients: 4 },
      worstSecondAccepted: { recipients: 2 },
    });
  });

  it('counts for the worst second what certainly came within it', () => {
    const meter = new CountingMeter();
    const limit = { max24HourSend: -1, maxSendRate: 3 };
    const send = (at: number, recipients = 1, since?: number) => {
      meter.observe(
        { at, since, recipients, quotaRecipients: recipients, verdict: 'accepted', injected: false },
        limit,
      );
    };
    for (const at of [0, 333, 666, 1_000, 1_333]) send(at);
    expect(meter.read().worstSecondAccepted).toMatchObject({ recipients: 3, limit: 3 });
    // Three that may have waited since 1,350 ms are heard together: all but the last could have come before.
    for (let n = 0; n < 3; n += 1) send(2_350, 1, 1_350);
    expect(meter.read().worstSecondAccepted.recipients).toBe(3);
    // The others of a message's recipients take the time after it.
    send(4_000, 9);
    expect(meter.read().worstSecondAccepted.recipients).toBe(3);
    send(4_500);
    expect(meter.read().worstSecondAccepted.recipients).toBe(10);
  });

  it('counts injected refusals apart and lets them spend nothing', () => {
    const meter = new CountingMeter();
    meter.observe(
      { at: 0, recipients: 1, quotaRecipients: 1, verdict: 'InternalFailure', injected: true },
      { max24HourSend: 0, maxSendRate: 1 },
    );
    expect(meter.read()).toMatchObject({ offeredRequests: 0, overQuota: 0, injected: { InternalFailure: 1 } });
  });
});
