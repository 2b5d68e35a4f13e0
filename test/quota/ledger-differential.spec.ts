import { EngineClock, ManualClock } from '@libs/kernel';
import { openEngineRedis, type EngineRedis } from '@libs/queueing';
import { LEDGER_SCRIPTS, LedgerModel } from '../../libs/quota/src/testing';
import fc from 'fast-check';
import { createTestRedis, type TestRedis } from '../support/redis';

const ACCOUNT = '00000000-0000-7000-8000-000000000001';
const START_MS = 1_790_000_000_000;
const BUCKET_MS = 60_000;
const BUCKETS = 5;
const RUN = 'run-1';

type Step =
  | { do: 'acquire'; op: number; want: number; slice: number }
  | { do: 'offer'; class: 'tx' | 'mk'; tenant: number; ids: number[]; cost: number }
  | { do: 'settle'; op: number; unused: number; refused: number; tenant: number }
  | { do: 'reslot'; op: number; cost: number }
  | { do: 'observe'; q: number; rate: number; ses: number }
  | { do: 'freeze'; ms: number; replace: boolean }
  | { do: 'flood'; cost: number }
  | { do: 'rebuild'; large: boolean }
  | { do: 'advance'; ms: number };

const steps: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('acquire' as const),
      op: fc.nat(60),
      want: fc.constantFrom(50, 100),
      slice: fc.constantFrom(100, 1000),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('offer' as const),
      class: fc.constantFrom('tx' as const, 'mk' as const),
      tenant: fc.nat(3),
      ids: fc.array(fc.nat(400), { minLength: 1, maxLength: 12 }),
      cost: fc.constantFrom(1, 1, 1, 2, 9, 50),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('settle' as const),
      op: fc.nat(60),
      unused: fc.nat(20),
      refused: fc.nat(5),
      tenant: fc.nat(3),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('reslot' as const), op: fc.nat(60), cost: fc.integer({ min: 1, max: 50 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('observe' as const),
      q: fc.constantFrom(-1, 0, 30, 200, 50_000),
      rate: fc.constantFrom(0, 500, 1000, 14_000, 200_000),
      ses: fc.nat(150),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('freeze' as const), ms: fc.nat(2000), replace: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('rebuild' as const), large: fc.boolean() }) },
  // More of both classes than a slice holds: what the floor and the transactional share are for.
  { weight: 1, arbitrary: fc.record({ do: fc.constant('flood' as const), cost: fc.constantFrom(1, 3, 50) }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('advance' as const),
      ms: fc.constantFrom(0, 1, 30, 100, 900, 1100, 61_000, 200_000),
    }),
  },
);

const LIMITS = [
  { weight: 1, cap: -1, num: 0, den: 1 },
  { weight: 3, cap: 40, num: 0, den: 1 },
  { weight: 2, cap: -1, num: 2, den: 1 },
  { weight: 7, cap: -1, num: 0, den: 1 },
] as const;

describe('the ledger scripts', () => {
  let test: TestRedis;
  let redis: EngineRedis;

  beforeAll(async () => {
    test = await createTestRedis();
    redis = openEngineRedis(test.url);
    await redis.connect();
  });

  afterAll(async () => {
    redis.disconnect();
    await test.close();
  });

  it('answer exactly what the model answers, whatever the order of calls', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(steps, { minLength: 5, maxLength: 120 }), async (script) => {
        await test.flush();
        await compare(script);
      }),
      { numRuns: 200 },
    );
  }, 120_000);

  it('agree with the model through minutes of both classes waiting, past every tenant’s transactional share', async () => {
    const script: Step[] = [{ do: 'rebuild', large: true }];
    for (let i = 0; i < 200; i += 1) {
      if (i % 10 === 0) script.push({ do: 'flood', cost: 3 });
      script.push({ do: 'acquire', op: 1_000 + i, want: 100, slice: 1_000 }, { do: 'advance', ms: 900 });
    }
    await test.flush();
    await compare(script);
  }, 60_000);

  async function compare(script: readonly Step[]): Promise<void> {
    // Speed 0 stops the scripts' clock at the base, so both sides see the same microsecond.
    const real = new ManualClock(START_MS);
    const clock = new EngineClock(real, { baseMs: START_MS, speed: 0, offsetMs: 0 });
    const model = new LedgerModel(BUCKET_MS, BUCKETS);
    let epoch = 0;
    const run = (name: keyof typeof LEDGER_SCRIPTS, ...args: (string | number)[]) => {
      const { baseMs, speed, offsetMs } = clock.scale;
      return redis.eval(
        LEDGER_SCRIPTS[name],
        1,
        `pf:{${ACCOUNT}}:led`,
        baseMs,
        speed,
        offsetMs,
        BUCKET_MS,
        BUCKETS,
        0,
        ...args,
      );
    };
    let fresh = 0;
    const rebuild = async (large = false) => {
      epoch += 1;
      const quota = large ? -1 : 200;
      const used: [number, number][] = [[Math.floor(clock.nowMs() / BUCKET_MS), 7]];
      const theirs = await run('rebuild', epoch, RUN, quota, 14_000, 1000, 9, 1_000_000, ...used.flat());
      expect(theirs === 1).toBe(model.rebuild(clock.nowMs() * 1000, epoch, RUN, quota, 14_000, 1000, 9, used));
      expect((await run('open', epoch)) === 1).toBe(model.open(epoch));
    };
    const offer = async (klass: 'tx' | 'mk', number: number, entries: readonly { id: string; cost: number }[]) => {
      const limits = LIMITS[number] ?? LIMITS[0];
      const tenant = `t${String(number)}`;
      const texts = entries.map((entry) => `${entry.id}:${String(entry.cost)}`);
      const theirs = await run(
        'offer',
        klass,
        tenant,
        limits.weight,
        limits.cap,
        limits.num,
        limits.den,
        100,
        ...texts,
      );
      const us = clock.nowMs() * 1000;
      expect(theirs).toBe(model.offer(us, { class: klass, tenant, ...limits, most: 100, entries }));
    };
    await rebuild();
    for (const step of script) {
      const us = clock.nowMs() * 1000;
      switch (step.do) {
        case 'advance':
          clock.advance(step.ms);
          break;
        case 'rebuild':
          await rebuild(step.large);
          break;
        case 'acquire': {
          const args = {
            opId: `op${String(step.op)}`,
            epoch,
            runId: RUN,
            want: step.want,
            leadMs: 100,
            sliceMs: step.slice,
            workers: 1,
            lifeMs: 5000,
          };
          const theirs = await run('acquire', args.opId, epoch, RUN, args.want, 100, args.sliceMs, 1, 5000, 5000);
          expect(theirs).toEqual(model.acquire(us, args));
          break;
        }
        case 'offer':
          await offer(
            step.class,
            step.tenant,
            step.ids.map((id) => ({ id: `${step.class}${String(step.tenant)}-${String(id)}`, cost: step.cost })),
          );
          break;
        case 'flood':
          for (const klass of ['tx', 'mk'] as const) {
            for (const tenant of [0, 3]) {
              const entries = Array.from({ length: 40 }, () => ({ id: `f${String((fresh += 1))}`, cost: step.cost }));
              await offer(klass, tenant, entries);
            }
          }
          break;
        case 'settle': {
          const refund = [`t${String(step.tenant)}`, step.unused, step.refused] as const;
          expect(await run('settle', `op${String(step.op)}`, 60_000, ...refund)).toBe(
            model.settle(us, `op${String(step.op)}`, 60_000, [refund]),
          );
          break;
        }
        case 'reslot':
          expect(await run('reslot', `op${String(step.op)}`, epoch, RUN, step.cost, 5000, 60_000)).toEqual(
            model.reslot(us, `op${String(step.op)}`, epoch, RUN, step.cost, 5000, 60_000),
          );
          break;
        case 'observe':
          expect(await run('observe', epoch, step.q, step.rate, 1000, step.ses)).toEqual(
            model.observe(us, epoch, step.q, step.rate, 1000, step.ses),
          );
          break;
        case 'freeze':
          await run('freeze', clock.nowMs() + step.ms, step.replace ? 1 : 0);
          model.freeze(clock.nowMs() + step.ms, step.replace);
          break;
      }
      expect(Number(await redis.hget(`pf:{${ACCOUNT}}:led`, 'sum'))).toBe(model.used);
    }
  }
});
