import fc from 'fast-check';
import { pacedRate } from './pacing.policy';
import { REQUEST_US, SECOND, SimulatedAccount as Account, START } from './testing';

const rates = fc.constantFrom(500, 1_000, 1_500, 14_000, 90_000, 500_000).map((num) => ({ num, den: 1_000 }));
const costs = fc.constantFrom(1, 1, 1, 1, 2, 7, 50);

describe('the ledger (on its model, which real Redis is compared with)', () => {
  it('P1: never lets SES count more than the quota in any rolling 24 hours, whatever workers do', () => {
    const step = fc.oneof(
      {
        weight: 8,
        arbitrary: fc.record({
          do: fc.constant('grant' as const),
          sent: fc.double({ min: 0, max: 1, noNaN: true }),
          late: fc.double({ min: 0, max: 1, noNaN: true }),
          settle: fc.boolean(),
        }),
      },
      {
        weight: 4,
        arbitrary: fc.record({ do: fc.constant('advance' as const), ms: fc.constantFrom(1, 500, 2_000, 61_000) }),
      },
      {
        weight: 2,
        arbitrary: fc.record({
          do: fc.constant('advance' as const),
          ms: fc.constantFrom(3_600_000, 11 * 3_600_000, 13 * 3_600_000),
        }),
      },
    );
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 400 }),
        costs,
        fc.array(step, { minLength: 20, maxLength: 120 }),
        (quota, cost, steps) => {
          const account = new Account(quota, { num: 500_000, den: 1_000 });
          const settles: { at: number; run: () => void }[] = [];
          for (const [i, s] of steps.entries()) {
            if (s.do === 'advance') account.advance(s.ms * 1_000);
            else {
              account.offer(
                't',
                Array.from({ length: 20 }, () => cost),
              );
              const opId = `op-${String(i)}`;
              const grant = account.acquire(opId);
              if (!grant) continue;
              // A worker sends some, at any time up to the deadline plus a request's life; the others never.
              const sent = grant.messages.slice(0, Math.ceil(grant.messages.length * s.sent));
              const last = grant.deadline + REQUEST_US;
              for (const message of sent) account.send(grant.t0 + Math.floor((last - grant.t0) * s.late), message.cost);
              const unused = grant.messages.slice(sent.length).reduce((sum, message) => sum + message.cost, 0);
              if (s.settle)
                settles.push({
                  at: last,
                  run: () => account.model.settle(account.now, opId, 60_000, [['t', unused, 0]]),
                });
            }
            for (const settle of settles.filter((one) => one.at <= account.now)) {
              settle.run();
              settles.splice(settles.indexOf(settle), 1);
            }
          }
          account.advance(60 * SECOND);
          expect(account.worstDay()).toBeLessThanOrEqual(quota);
        },
      ),
      { numRuns: 120 },
    );
  });

  it('P1 and P4: a quota of 200 at one a second is used to the last recipient, and never beyond', () => {
    const account = new Account(200, { num: 1, den: 1 });
    for (let second = 0; second < 2_000; second += 1) {
      account.offer('t', [1, 1]);
      const grant = account.acquire();
      grant?.messages.forEach((message, i) => {
        account.send(grant.t0 + i, message.cost);
      });
      account.advance(SECOND / 4);
    }
    expect(account.worstDay()).toBe(200);
  });

  it('P2: sends in their slots, up to 10 ms late, never find the rate bucket of SES dry', () => {
    fc.assert(
      fc.property(rates, fc.array(fc.tuple(costs, fc.nat(10)), { minLength: 10, maxLength: 150 }), (rate, messages) => {
        const account = new Account(-1, rate);
        const paced = pacedRate(rate);
        const jitters = messages.map(([, ms]) => ms);
        account.offer(
          't',
          messages.map(([cost]) => cost),
        );
        for (let idle = 0; idle < 400;) {
          const grant = account.acquire();
          if (!grant) {
            idle += 1;
            account.advance(SECOND / 4);
            continue;
          }
          let at = grant.t0;
          for (const { cost } of grant.messages) {
            account.send(at + (jitters.pop() ?? 0) * 1_000, cost);
            at += (cost * SECOND * paced.den) / paced.num;
          }
          account.advance(SECOND / 20);
        }
        account.advance(200 * SECOND);
        expect(account.dry()).toBe(0);
      }),
      { numRuns: 60 },
    );
  });

  it('P2: urgent mail beside a backlog of marketing adds a fiftieth of a second at most, and finds no bucket dry', () => {
    const calls = fc.array(fc.tuple(fc.nat(400), fc.integer({ min: 1, max: 8 })), { minLength: 5, maxLength: 60 });
    fc.assert(
      fc.property(fc.constantFrom(10, 14, 90, 200, 1_000), calls, (rate, arrivals) => {
        const account = new Account(-1, { num: rate, den: 1 });
        const paced = pacedRate(account.rate);
        const sendAll = (grant: ReturnType<typeof account.acquire>) => {
          let at = grant?.t0 ?? 0;
          for (const { cost } of grant?.messages ?? []) {
            account.send(Math.max(at, account.now), cost);
            at += (cost * SECOND * paced.den) / paced.num;
          }
        };
        for (const [ms, messages] of arrivals) {
          for (const bulk of ['a', 'b', 'c'] as const)
            account.offer(
              bulk,
              Array.from({ length: 400 }, () => 1),
              'mk',
            );
          sendAll(account.acquire());
          account.advance(ms * 1_000);
          account.offer(
            'urgent',
            Array.from({ length: messages }, () => 1),
          );
          sendAll(account.urge());
        }
        account.advance(5 * SECOND);
        expect(account.dry()).toBe(0);
        expect(account.worstSecond()).toBeLessThanOrEqual(rate + 2 * Math.ceil(rate / 50) + 1);
      }),
      { numRuns: 60 },
    );
  });

  it('grants urgent mail at once beside a backlog of marketing, and marketing makes room for it', () => {
    const account = new Account(-1, { num: 200, den: 1 });
    account.offer(
      'bulk',
      Array.from({ length: 1_000 }, () => 1),
      'mk',
    );
    const before = account.acquire();
    account.offer('one', [1]);
    expect(account.urge()?.t0).toBe(account.now);
    account.advance(SECOND);
    // Granted in one go: a hundred of marketing, then what was lent, then the next.
    const paced = pacedRate(account.rate);
    const slot = (SECOND * paced.den) / paced.num;
    const next = account.acquire()?.t0 ?? 0;
    expect(next).toBeGreaterThanOrEqual((before?.t0 ?? 0) + (1 + (before?.messages.length ?? 0)) * slot);
  });

  it('P12: a small sender beside a full account has its slot within a slice and a half, also when everything is lent', () => {
    fc.assert(
      fc.property(fc.constantFrom(60, 75, 90), fc.nat(40), fc.integer({ min: 1, max: 3 }), (rate, step, urgent) => {
        const account = new Account(-1, { num: rate, den: 1 });
        const paced = pacedRate(account.rate);
        let [offeredAt, slotAt] = [0, 0];
        const look = (grant: ReturnType<typeof account.acquire>) => {
          let at = Math.max(grant?.t0 ?? 0, account.now);
          for (const { tenant, cost } of grant?.messages ?? []) {
            if (tenant === 'small') slotAt = at;
            at += (cost * SECOND * paced.den) / paced.num;
          }
        };
        for (let i = 0; slotAt === 0 && i < 120; i += 1) {
          for (const big of ['a', 'b']) account.offer(big, Array(60).fill(1) as number[], 'mk');
          if (i % 3 === 0) account.offer('hasty', Array(urgent).fill(1) as number[]);
          look(account.urge());
          if (i === 20 + step) {
            offeredAt = account.now;
            account.offer('small', [1], 'mk');
          }
          // The pump asks for all of a slice a tenth before the last one ends.
          if (i % 18 === 0) look(account.acquire());
          account.advance(SECOND / 20);
        }
        expect(slotAt).toBeGreaterThan(0);
        expect((slotAt - offeredAt) / SECOND).toBeLessThanOrEqual(1.5);
      }),
      { numRuns: 100 },
    );
  });

  it.each([
    ['of less than ten a second', 9, 1],
    ['for a message of more recipients than are lent', 200, 5],
  ])('lends nothing on an account %s', (_, rate, cost) => {
    const account = new Account(-1, { num: rate - 1, den: 1 });
    account.offer('one', [cost]);
    expect(account.urge()).toBeUndefined();
  });

  it('P3: what is charged in the end is what was sent, when the rest was given back', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(costs, fc.boolean(), fc.boolean()), { minLength: 1, maxLength: 60 }),
        (messages) => {
          const account = new Account(10_000, { num: 500_000, den: 1_000 });
          let sent = 0;
          account.offer(
            't',
            messages.map(([cost]) => cost),
          );
          for (let i = 0; i < 200; i += 1) {
            const opId = `op-${String(i)}`;
            const grant = account.acquire(opId);
            let [unused, refused] = [0, 0];
            for (const [n, { cost }] of (grant?.messages ?? []).entries()) {
              const [, used = true, wasRefused = false] = messages[n] ?? [];
              if (used) sent += cost;
              else if (wasRefused) refused += cost;
              else unused += cost;
            }
            account.advance(SECOND);
            account.model.settle(account.now, opId, 60_000, [['t', unused, refused]]);
          }
          account.advance(70 * SECOND);
          account.offer('t', [1]);
          account.acquire('last');
          expect(account.model.used).toBe(sent + 1);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('P5: settling twice, offering twice and rebuilding twice change nothing', () => {
    const account = new Account(1_000, { num: 100, den: 1 });
    const entries = [{ id: 'a', cost: 3 }];
    const offer = { class: 'tx', tenant: 't', weight: 1, cap: -1, num: 0, den: 1, most: 10, entries } as const;
    expect([account.model.offer(START, offer), account.model.offer(START, offer)]).toEqual([1, 0]);
    account.acquire('op');
    expect([1, 2].map(() => account.model.settle(START, 'op', 0, [['t', 3, 0]]))).toEqual([1, 0]);
    expect(account.model.used).toBe(0);
    expect([1, 2].map(() => account.model.rebuild(START, 2, 'run', 1, 1, 1, 0, []))).toEqual([true, false]);
  });

  it('P7: a clock that jumps back or forth never grants more than the quota at once', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -3_600, max: 3_600 }), { minLength: 5, maxLength: 60 }), (jumps) => {
        const account = new Account(50, { num: 500, den: 1 });
        let [granted, latest] = [0, START];
        for (const [i, jump] of jumps.entries()) {
          account.offer(
            't',
            Array.from({ length: 10 }, () => 1),
          );
          // No more than 20 hours ahead in all, so that nothing has left the window.
          const at = Math.min(START + 20 * 3_600 * SECOND, latest + jump * SECOND);
          latest = Math.max(latest, at);
          granted += account.acquire(`op-${String(i)}`, at)?.messages.length ?? 0;
        }
        expect(granted).toBeLessThanOrEqual(50);
      }),
    );
  });

  it('P8: a reply that was lost and asked for again is charged once and names the same messages', () => {
    const account = new Account(1_000, { num: 100, den: 1 });
    account.offer('t', [1, 2, 3]);
    const first = account.acquire('op');
    const used = account.model.used;
    account.offer('t', [4]);
    expect(account.acquire('op')).toEqual(first);
    expect(account.model.used).toBe(used);
  });

  it('P9 and P12: backlogged tenants are served by weight, within a turn and a message, and nobody starves', () => {
    const tenants = fc.array(
      fc.record({ weight: fc.integer({ min: 1, max: 20 }), cost: fc.constantFrom(1, 1, 3, 8, 20) }),
      {
        minLength: 2,
        maxLength: 6,
      },
    );
    fc.assert(
      fc.property(tenants, (list) => {
        const account = new Account(-1, { num: 100, den: 1 });
        const served = list.map(() => 0);
        for (let round = 0; round < 300; round += 1) {
          list.forEach(({ weight, cost }, i) => {
            account.offer(
              `t${String(i)}`,
              Array.from({ length: 40 }, () => cost),
              'mk',
              weight,
            );
          });
          for (const { tenant, cost } of account.acquire()?.messages ?? []) served[Number(tenant.slice(1))]! += cost;
          account.advance(SECOND / 4);
        }
        const bound = (i: number) => (8 + 20) / list[i]!.weight;
        for (const i of list.keys()) {
          expect(served[i]).toBeGreaterThan(0);
          for (const j of list.keys()) {
            const gap = Math.abs(served[i]! / list[i]!.weight - served[j]! / list[j]!.weight);
            expect(gap).toBeLessThanOrEqual(bound(i) + bound(j));
          }
        }
      }),
      { numRuns: 40 },
    );
  });

  it('P11: transactional goes first, and marketing keeps a twentieth while both wait', () => {
    const account = new Account(-1, { num: 100, den: 1 });
    const served = { tx: 0, mk: 0 };
    for (let round = 0; round < 400; round += 1) {
      // Ten tenants, so that none exceeds its transactional share.
      for (let i = 0; i < 10; i += 1) account.offer(`t${String(i)}`, [1, 1, 1, 1, 1, 1]);
      account.offer(
        'bulk',
        Array.from({ length: 50 }, () => 1),
        'mk',
      );
      for (const message of account.acquire()?.messages ?? []) served[message.class === 'tx' ? 'tx' : 'mk'] += 1;
      account.advance(SECOND / 4);
    }
    const share = served.mk / (served.mk + served.tx);
    expect(share).toBeGreaterThanOrEqual(0.045);
    expect(share).toBeLessThanOrEqual(0.06);
  });

  it.each([
    [14, [50]],
    [14, [50, 1]],
    [90, [50, 1]],
  ])(
    'P11: at %d a second marketing keeps no more than that with messages to %j recipients, and each of them goes',
    (rate, costs) => {
      const account = new Account(-1, { num: rate, den: 1 });
      const served = { tx: 0, mk: 0 };
      const large = new Set<string>();
      for (let round = 0; round < (400 * 4 * 14) / rate + 1_600; round += 1) {
        for (let i = 0; i < 10; i += 1) account.offer(`t${String(i)}`, Array(rate < 50 ? 6 : 30).fill(1) as number[]);
        for (const cost of costs) account.offer(`bulk${String(cost)}`, [cost, cost, cost], 'mk');
        for (const { tenant, class: klass, cost } of account.acquire()?.messages ?? []) {
          served[klass === 'tx' ? 'tx' : 'mk'] += cost;
          if (klass === 'mk') large.add(tenant);
        }
        account.advance(SECOND / 4);
      }
      expect(large.size).toBe(costs.length);
      expect(served.mk / (served.mk + served.tx)).toBeLessThanOrEqual(0.06);
    },
  );

  it.each([
    [100, 1],
    [100, 50],
    [60, 50],
    [14, 9],
    [14, 50],
  ])(
    'takes precedence, not its turn, from a tenant that fills the transactional class alone: %d a second, marketing to %d each',
    (rate, cost) => {
      const account = new Account(-1, { num: rate, den: 1 });
      const served = { tx: 0, mk: 0 };
      // Twice the minute that a tenant may exceed its share.
      for (let round = 0; round < 960; round += 1) {
        account.offer(
          'loud',
          Array.from({ length: 50 }, () => 1),
        );
        account.offer(
          'bulk',
          Array.from({ length: 50 }, () => cost),
          'mk',
        );
        const messages = account.acquire()?.messages ?? [];
        if (round > 480) for (const message of messages) served[message.class === 'tx' ? 'tx' : 'mk'] += message.cost;
        account.advance(SECOND / 4);
      }
      expect(served.mk / (served.mk + served.tx)).toBeGreaterThan(0.35);
      expect(served.tx / (served.mk + served.tx)).toBeGreaterThan(0.35);
    },
  );

  it('grants a message of 50 recipients at one a second, alone, and lets nothing overtake it for ever', () => {
    const account = new Account(-1, { num: 1, den: 1 });
    account.offer(
      'small',
      Array.from({ length: 100 }, () => 1),
    );
    account.offer('large', [50]);
    for (let quarter = 0; quarter < 40; quarter += 1) {
      const grant = account.acquire();
      if (grant?.messages.some(({ tenant }) => tenant === 'large')) {
        expect(grant.messages).toHaveLength(1);
        return;
      }
      account.advance(SECOND / 4);
    }
    throw new Error('the large message was never granted');
  });

  it('passes over what the day has no room for, and grants the smaller message behind it', () => {
    const account = new Account(30, { num: 100, den: 1 });
    account.offer('a-large', [50]);
    account.offer('small', [1]);
    expect(account.acquire()?.messages.map(({ tenant }) => tenant)).toEqual(['small']);
  });

  it.each([
    [0, 'day'],
    [3, 'day'],
  ])('grants nothing above a quota that was cut to %d below what is used', (quota, why) => {
    const account = new Account(100, { num: 100, den: 1 });
    account.offer('t', [1, 1, 1, 1, 1]);
    account.acquire();
    expect(account.model.observe(account.now, 1, quota, 100, 1, 5)).toEqual(['OK', '5', '0']);
    account.offer('t', [1]);
    account.advance(10 * SECOND);
    const p = { opId: 'x', epoch: 1, runId: 'run', want: 100, leadMs: 100, sliceMs: 1_000, workers: 0, lifeMs: 5_000 };
    expect(account.model.acquire(account.now, p)[2]).toBe(why);
  });
});
