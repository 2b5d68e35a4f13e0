import fc from 'fast-check';
import { leavesDailyCapMs } from './ring.policy';
import { SECOND, SimulatedAccount as Account, START, type SeenGrant } from './testing';

const many = (count: number, cost = 1) => Array.from({ length: count }, () => cost);
const recipients = (grant: SeenGrant | undefined, tenant?: string) =>
  (grant?.messages ?? [])
    .filter((message) => tenant === undefined || message.tenant === tenant)
    .reduce((sum, { cost }) => sum + cost, 0);
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
/** Ten seconds and a slice at a hundred a second, paced half a per cent below it, less the second after a rebuild. */
const ALL_SLOTS = 979;

describe('the limits of the ledger (on its model, which real Redis is compared with)', () => {
  it('P1: a lane never passes its caps of a day and of an hour, whatever its tenants do', () => {
    const step = fc.record({ cost: fc.constantFrom(1, 3, 50), minutes: fc.constantFrom(0, 1, 20, 45, 300) });
    fc.assert(
      fc.property(
        fc.integer({ min: 20, max: 300 }),
        fc.integer({ min: 20, max: 100 }),
        fc.array(step, { minLength: 20, maxLength: 80 }),
        (day, hour, steps) => {
          const account = new Account(-1, { num: 500, den: 1 });
          account.model.setLanes(START, [['warming', day, hour]]);
          const granted: { at: number; cost: number }[] = [];
          for (const { cost, minutes } of steps) {
            account.offer('a', many(10, cost), 'mk', 1, { lane: 'warming' });
            account.offer('b', many(10, cost), 'tx', 1, { lane: 'warming' });
            granted.push({ at: account.now, cost: recipients(account.acquire()) });
            account.advance(Math.max(SECOND * 6, minutes * MINUTE));
          }
          const within = (at: number, span: number) =>
            granted.filter((one) => one.at > at - span && one.at <= at).reduce((sum, one) => sum + one.cost, 0);
          for (const { at } of granted) {
            expect(within(at, 24 * HOUR)).toBeLessThanOrEqual(day);
            expect(within(at, HOUR)).toBeLessThanOrEqual(hour);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it('a full cap of a tenant has room again when that is told, and not before', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 30 * 60_000 }), fc.constantFrom(-1, 0), (afterMs, early) => {
        const account = new Account(-1, { num: 100, den: 1 });
        account.advance(5 * SECOND + afterMs * 1_000);
        account.offer('t', [1, 1], 'tx', 1, { cap: 1 });
        expect(recipients(account.acquire())).toBe(1);
        account.now = (leavesDailyCapMs(account.now / 1_000, 1) + early) * 1_000;
        expect(recipients(account.acquire())).toBe(early === 0 ? 1 : 0);
      }),
    );
  });

  it('P10: an exhausted lane leaves every slot to the others', () => {
    const account = new Account(-1, { num: 100, den: 1 });
    account.model.setLanes(START, [['warming', 10, -1]]);
    let [warming, other] = [0, 0];
    for (let quarter = 0; quarter < 80; quarter += 1) {
      account.offer('new', many(20), 'mk', 100, { lane: 'warming' });
      account.offer('old', many(40), 'mk');
      const grant = account.acquire();
      warming += recipients(grant, 'new');
      other += recipients(grant, 'old');
      account.advance(SECOND / 4);
    }
    expect(warming).toBe(10);
    expect(warming + other).toBeGreaterThanOrEqual(ALL_SLOTS + 990);
  });

  it('P10: no slot stays empty while anybody may send, whatever the limits of the rest', () => {
    const tenant = fc.record({
      weight: fc.constantFrom(1, 3, 10),
      cap: fc.constantFrom(-1, 0, 40),
      num: fc.constantFrom(0, 1, 20),
      class: fc.constantFrom('tx' as const, 'mk' as const),
    });
    fc.assert(
      fc.property(fc.array(tenant, { maxLength: 6 }), (list) => {
        const account = new Account(-1, { num: 100, den: 1 });
        let granted = 0;
        for (let quarter = 0; quarter < 40; quarter += 1) {
          list.forEach(({ weight, cap, num, class: klass }, i) => {
            account.offer(`t${String(i)}`, many(30), klass, weight, { cap, num });
          });
          account.offer('free', many(60), 'mk');
          granted += recipients(account.acquire());
          account.advance(SECOND / 4);
        }
        expect(granted).toBeGreaterThanOrEqual(ALL_SLOTS);
      }),
      { numRuns: 40 },
    );
  });

  it('P9: a tenant beyond the rate of its plan counts with a tenth of its weight, and alone takes all', () => {
    const served = { within: 0, beyond: 0 };
    const account = new Account(-1, { num: 100, den: 1 });
    for (let quarter = 0; quarter < 400; quarter += 1) {
      account.offer('within', many(60), 'mk');
      account.offer('beyond', many(60), 'mk', 1, { num: 5 });
      const grant = account.acquire();
      served.within += recipients(grant, 'within');
      served.beyond += recipients(grant, 'beyond');
      account.advance(SECOND / 4);
    }
    const share = served.beyond / (served.beyond + served.within);
    expect(share).toBeGreaterThan(0.08);
    expect(share).toBeLessThan(0.16);

    const alone = new Account(-1, { num: 100, den: 1 });
    let granted = 0;
    for (let quarter = 0; quarter < 40; quarter += 1) {
      alone.offer('beyond', many(60), 'mk', 1, { num: 5 });
      granted += recipients(alone.acquire());
      alone.advance(SECOND / 4);
    }
    expect(granted).toBeGreaterThanOrEqual(ALL_SLOTS);
  });

  it('P11: marketing leaves the day’s reserve to transactional mail, and gets it as the day goes by', () => {
    const account = new Account(10_000, { num: 500, den: 1 });
    // Midnight of the engine's clock.
    account.advance(86_400 * SECOND - (START % (86_400 * SECOND)));
    const drain = (klass: 'tx' | 'mk', seconds: number) => {
      let granted = 0;
      for (let second = 0; second < seconds; second += 1) {
        account.offer(`drain-${klass}`, many(600), klass);
        granted += recipients(account.acquire());
        account.advance(SECOND);
      }
      return granted;
    };
    account.offer('first', [1]);
    expect(recipients(account.acquire())).toBe(1);
    // Half a per cent of 10,000 is kept; one of it is used, and minutes have released less than that.
    expect(drain('mk', 110)).toBe(10_000 - 1 - 49);
    expect(drain('tx', 5)).toBe(49);
    expect(account.model.used).toBe(10_000);
  });

  it('P11: an account without transactional mail keeps no reserve', () => {
    const account = new Account(1_000, { num: 500, den: 1 });
    account.offer('bulk', many(1_000), 'mk');
    for (let second = 0; second < 12; second += 1) {
      account.acquire();
      account.advance(SECOND);
    }
    expect(account.model.used).toBe(1_000);
  });

  it('P2: a 429 halves the rate, repeated ones to a twentieth, and it never comes back to more than the whole', () => {
    const account = new Account(-1, { num: 200, den: 1 });
    const perSecond: number[] = [];
    const second = () => {
      let granted = 0;
      for (let quarter = 0; quarter < 4; quarter += 1) {
        account.offer('t', many(100), 'mk');
        granted += recipients(account.acquire());
        account.advance(SECOND / 4);
      }
      perSecond.push(granted);
      return granted;
    };
    second();
    expect(second()).toBeGreaterThanOrEqual(195);
    expect(account.model.throttle(account.now)).toBe(500);
    // Answers to requests that were paced before the cut.
    expect(account.model.throttle(account.now)).toBe(500);
    second();
    expect(second()).toBeLessThanOrEqual(101);
    for (let i = 0; i < 10; i += 1) {
      account.advance(SECOND);
      account.model.throttle(account.now);
    }
    expect(account.model.throttle(account.now)).toBe(50);
    for (let i = 0; i < 30; i += 1) second();
    expect(Math.max(...perSecond.slice(1))).toBeLessThanOrEqual(200);
    expect(perSecond.at(-1)).toBeGreaterThanOrEqual(198);
  });

  it('P1: beside another sender SES counts no more than the quota, and all of it in the end', () => {
    const [quota, others] = [3_000, 600];
    const account = new Account(quota, { num: 14, den: 1 });
    const observe = () => {
      const ses = account.seen
        .filter(({ at }) => at > account.now - 24 * HOUR)
        .reduce((sum, { cost }) => sum + cost, 0);
      account.model.observe(account.now, 1, quota, 14, 1, ses);
    };
    const others600 = () => {
      account.send(account.now, others);
      account.advance(SECOND);
      observe();
    };
    // As late as may be in the first hour, so that much is on its way; at once when that hour leaves SES's count.
    const fill = (at: (grant: SeenGrant) => number) => {
      for (let second = 1; second <= 15 * 60; second += 1) {
        account.offer('t', many(30));
        const grant = account.acquire();
        for (const { cost } of grant?.messages ?? []) account.send(at(grant!), cost);
        account.advance(SECOND);
        if (second % 60 === 20) observe();
      }
    };
    others600();
    account.advance(HOUR);
    fill(({ deadline }) => deadline);
    account.advance(START + 24 * HOUR + 2 * SECOND - account.now);
    others600();
    account.advance(START + 25 * HOUR - account.now);
    fill(({ t0 }) => t0);
    expect(account.worstDay()).toBe(quota);
  });

  it('takes nothing for another sender’s that SES merely has not counted yet, and holds on to what it has seen', () => {
    const account = new Account(1_000, { num: 500, den: 1 });
    const { model } = account;
    const observe = (ses: number) => model.observe(account.now, 1, 1_000, 500, 1, ses)[2];
    account.advance(2 * SECOND);
    account.offer('t', many(100));
    expect(recipients(account.acquire())).toBe(100);
    expect([observe(70), model.ext]).toEqual(['0', 0]);
    expect([observe(130), model.ext]).toEqual(['30', 130]);
    account.advance(5 * MINUTE);
    expect([observe(130), model.ext]).toEqual(['30', 30]);
    account.offer('t', many(100));
    expect(recipients(account.acquire())).toBe(100);
    // Nothing of the second hundred has arrived; then all of it has.
    expect([observe(130), model.ext]).toEqual(['0', 30]);
    expect([observe(230), model.ext]).toEqual(['30', 130]);
    account.advance(5 * MINUTE);
    expect([observe(205), model.ext]).toEqual(['5', 5]);
    expect([observe(200), model.ext]).toEqual(['0', 0]);
  });

  it('P7: a clock that jumped an hour drops no bucket and loses no time when it comes back', () => {
    const account = new Account(100, { num: 500, den: 1 });
    account.advance(2 * SECOND);
    account.offer('t', many(300));
    expect(recipients(account.acquire())).toBe(100);
    const { model } = account;
    model.callerMs = (START + 3 * SECOND) / 1000;
    const jumped = START + 25 * HOUR;
    expect(account.ask('x', jumped)[0]).toBe('CLOCK');
    expect(model.observe(jumped, 1, 100, 500, 1, 100)).toEqual(['OK', '100', '0']);
    expect(model.used).toBe(100);
    expect(account.ask('y', START + 3 * SECOND)[0]).toBe('EMPTY');
    model.callerMs = (START + 25 * HOUR) / 1000;
    expect(recipients(account.acquire('z', jumped))).toBe(100);
  });

  it('P5 and P6: a rebuild charges what was granted while a clock was ahead as granted now, and takes SES’s word for more', () => {
    const account = new Account(100, { num: 500, den: 1 });
    const minute = Math.floor(START / MINUTE);
    expect(account.model.rebuild(START, 2, 'run', 100, 500, 1, 70, [[minute + 30, 60]])).toBe(true);
    expect(account.model.used).toBe(60);
    expect(account.model.ext).toBe(10);
  });

  it('P6: a rebuild from what was granted is never below what the live ledger had, and equal once all has settled', () => {
    const grants = fc.array(fc.tuple(fc.integer({ min: 1, max: 40 }), fc.nat(3)), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(grants, (list) => {
        const account = new Account(-1, { num: 500, den: 1 });
        const log = new Map<number, number>();
        const charge = (bucket: number, n: number) => log.set(bucket, (log.get(bucket) ?? 0) + n);
        for (const [i, [count, unused]] of list.entries()) {
          account.offer('t', many(count));
          const bucket = Math.floor(account.now / MINUTE);
          const granted = recipients(account.acquire(`op-${String(i)}`));
          charge(bucket, granted);
          const back = Math.min(unused, granted);
          if (account.model.settle(account.now, `op-${String(i)}`, 60_000, [['t', back, 0]]) === 1)
            charge(bucket, -back);
          account.advance(31 * SECOND);
        }
        const before = account.model.used;
        account.model.rebuild(account.now, 2, 'run', -1, 500, 1, 0, [...log]);
        expect(account.model.used).toBe(before);
      }),
      { numRuns: 40 },
    );
  });

  it('P6: a tenant whose cap is divided gets nothing without a part, and no more than its part', () => {
    const account = new Account(-1, { num: 500, den: 1 });
    const give = (cap: number, generation: number) =>
      account.model.lease(account.now, 't', generation, { cap, num: 0, den: 1 });
    account.offer('t', many(100), 'mk', 1, { cap: 500, leased: true });
    expect(account.ask()[2]).toBe('tenants');
    expect(account.model.lease(account.now, 't', 7)).toEqual(['OK', '0', '0', '1']);
    expect(give(20, 7)[0]).toBe('OK');
    // An older division, whose answer was on its way.
    expect(give(400, 6)).toEqual(['OLD', '7']);
    account.advance(6 * SECOND);
    expect(recipients(account.acquire())).toBe(20);
  });

  it('P6: a part that nobody has divided for a day is none, until it is divided again', () => {
    const account = new Account(-1, { num: 500, den: 1 });
    const divide = (generation: number) => {
      account.model.lease(account.now, 't', generation);
      account.model.lease(account.now, 't', generation, { cap: 20, num: 0, den: 1 });
    };
    const offered = () => {
      account.offer('t', many(2), 'mk', 1, { cap: 500, leased: true });
    };
    divide(1);
    account.advance(24 * HOUR);
    offered();
    expect(recipients(account.acquire())).toBe(2);
    account.advance(SECOND);
    offered();
    expect(account.ask()[2]).toBe('tenants');
    divide(2);
    expect(recipients(account.acquire())).toBe(2);
  });

  it('P6: an account that is rebuilt says nothing of a tenant before all that it used is counted', () => {
    const account = new Account(-1, { num: 500, den: 1 });
    account.model.rebuild(account.now, 2, 'run', -1, 500, 1, 0, []);
    expect(account.model.lease(account.now, 't', 1)).toEqual(['OLD', '0']);
    account.model.chargeTenant(account.now, 2, 't', [[Math.floor(account.now / MINUTE), 9]]);
    account.model.open(2);
    expect(account.model.lease(account.now, 't', 1)).toEqual(['OK', '9', '0', '0']);
  });

  it('P1 can be seen red: a ledger that frees a bucket 24 h after its start lets SES count more than the quota', () => {
    const account = new Account(100, { num: 500, den: 1 }, 'frees-early');
    for (let minute = 0; minute < 26 * 60; minute += 1) {
      account.offer('t', many(120));
      // On the first day as late as may be, on the second at once.
      const grant = account.acquire();
      const at = minute < 60 ? (grant?.deadline ?? 0) : (grant?.t0 ?? 0);
      for (const { cost } of grant?.messages ?? []) account.send(at, cost);
      account.advance(MINUTE);
    }
    expect(account.worstDay()).toBeGreaterThan(100);
  });

  it('P3 can be seen red: a ledger that gives back twice lets SES count more than the quota', () => {
    const account = new Account(100, { num: 500, den: 1 }, 'refunds-twice');
    for (let step = 0; step < 60; step += 1) {
      account.offer('t', many(60));
      const opId = `op-${String(step)}`;
      const grant = account.acquire(opId);
      const [kept, back] = [grant?.messages.slice(0, -20) ?? [], grant?.messages.slice(-20) ?? []];
      for (const { cost } of kept) account.send(grant?.t0 ?? 0, cost);
      account.model.settle(account.now, opId, 60_000, [['t', back.length, 0]]);
      account.advance(10 * SECOND);
    }
    account.advance(MINUTE);
    expect(account.worstDay()).toBeGreaterThan(100);
  });
});
