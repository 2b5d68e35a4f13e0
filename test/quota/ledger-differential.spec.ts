import { Redis } from 'ioredis';
import { LEDGER_SCRIPTS, LedgerModel, type ModelReply } from '../../libs/quota/src/testing';
import fc from 'fast-check';
import { createTestRedis, type TestRedis } from '../support/redis';

const ACCOUNT = '00000000-0000-7000-8000-000000000001';
const START_MS = 1_790_000_000_000;
const BUCKET_MS = 60_000;
/** An hour and a little: short enough to see buckets freed, long enough for a lane's hour to be shorter. */
const BUCKETS = 75;
const TOLERANCE_MS = 5_000;
const RUN = 'run-1';

type Step =
  | { do: 'acquire'; op: number; want: number; slice: number; urgent?: boolean }
  | { do: 'offer'; class: 'tx' | 'mk'; tenant: number; ids: number[]; cost: number }
  | { do: 'drop'; class: 'tx' | 'mk'; tenant: number }
  | { do: 'withdraw'; class: 'tx' | 'mk'; tenant: number; ids: number[] }
  | { do: 'settle'; op: number; unused: number; refused: number; tenant: number }
  | { do: 'reslot'; op: number; cost: number }
  | { do: 'observe'; q: number; rate: number; ses: number; beside?: boolean }
  | { do: 'freeze'; ms: number; replace: boolean }
  | { do: 'throttle' }
  | { do: 'lanes'; caps: (readonly [number, number])[] }
  | { do: 'lease'; tenant: number; generation: number; cap: number | null }
  | { do: 'skew'; ms: number }
  | { do: 'flood'; cost: number; tenants?: readonly number[]; count?: number }
  | { do: 'rebuild'; large: boolean }
  | { do: 'look' }
  | { do: 'advance'; ms: number };

const one = <Kind extends Step['do']>(kind: Kind) => fc.constant(kind);
const classes = fc.constantFrom('tx' as const, 'mk' as const);
const steps: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: one('acquire'),
      op: fc.nat(60),
      want: fc.constantFrom(50, 100, 1_000),
      slice: fc.constantFrom(100, 1000),
      urgent: fc.constantFrom(false, false, true),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      do: one('offer'),
      class: classes,
      tenant: fc.nat(4),
      ids: fc.array(fc.nat(400), { minLength: 1, maxLength: 12 }),
      cost: fc.constantFrom(1, 1, 1, 2, 9, 50),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: one('drop'), class: classes, tenant: fc.nat(4) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: one('withdraw'),
      class: classes,
      tenant: fc.nat(4),
      ids: fc.array(fc.nat(400), { minLength: 1, maxLength: 200 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: one('settle'),
      op: fc.nat(60),
      unused: fc.oneof(fc.constant(0), fc.nat(20)),
      refused: fc.oneof(fc.constant(0), fc.nat(5)),
      tenant: fc.nat(4),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: one('reslot'), op: fc.nat(60), cost: fc.integer({ min: 1, max: 50 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: one('observe'),
      q: fc.constantFrom(-1, 0, 30, 200, 600, 50_000),
      rate: fc.constantFrom(0, 500, 1000, 14_000, 200_000),
      ses: fc.nat(150),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: one('freeze'), ms: fc.nat(2000), replace: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: one('throttle') }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: one('lanes'),
      caps: fc.array(fc.tuple(fc.constantFrom(-1, 20, 300), fc.constantFrom(-1, 9, 40)), { maxLength: 2 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: one('lease'),
      tenant: fc.constantFrom(3, 4),
      generation: fc.nat(12),
      cap: fc.option(fc.constantFrom(-1, 0, 25, 80)),
    }),
  },
  // What the caller believes the time to be, beside the truth; sticks until the next one.
  { weight: 1, arbitrary: fc.record({ do: one('skew'), ms: fc.constantFrom(0, 0, 0, 3_000, 8_000, -9_000) }) },
  { weight: 1, arbitrary: fc.record({ do: one('rebuild'), large: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ do: one('look') }) },
  // More of both classes than a slice holds: what the floor and the transactional share are for.
  { weight: 2, arbitrary: fc.record({ do: one('flood'), cost: fc.constantFrom(1, 3, 50) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: one('advance'),
      ms: fc.constantFrom(-4_000, -30_000, 0, 1, 30, 100, 900, 1100, 2500, 61_000, 200_000, 1_900_000, 3_700_000),
    }),
  },
);

const LIMITS = [
  { weight: 1, cap: -1, num: 0, den: 1, lane: '' },
  { weight: 3, cap: 40, num: 0, den: 1, lane: 'lane0' },
  { weight: 2, cap: -1, num: 2, den: 1, lane: 'lane1' },
  { weight: 7, cap: 120, num: 9, den: 2, lane: 'lane0', leased: true },
  { weight: 0.5, cap: -1, num: 0, den: 1, leased: true },
] as const;

/**
 * Hours in which tenants and lanes stand at their caps: what they get depends on each bucket that is dropped, by the day, by
 * the hour and by the wider ones of tenants.
 */
const hoursAtCaps: fc.Arbitrary<Step[]> = fc
  .record({
    // The lanes' caps bind, or those of tenants.
    lanes: fc.constantFrom([70, 25], [300, 300]),
    rounds: fc.array(
      fc.record({
        minutes: fc.constantFrom(1, 4, 9, 10, 11, 23),
        cost: fc.constantFrom(1, 1, 2),
        count: fc.integer({ min: 1, max: 6 }),
        unused: fc.nat(3),
      }),
      { minLength: 50, maxLength: 70 },
    ),
  })
  .map(({ lanes: [day = 0, hour = 0], rounds }) => [
    { do: 'lanes', caps: [[day, hour] as const, [day, hour] as const] },
    { do: 'rebuild', large: true },
    { do: 'lease', tenant: 3, generation: 1, cap: null },
    { do: 'lease', tenant: 3, generation: 1, cap: 50 },
    ...rounds.flatMap(({ minutes, cost, count, unused }, i): Step[] => [
      { do: 'flood', cost, count, tenants: [1, 2, 3] },
      { do: 'acquire', op: 1_000 + i, want: 100, slice: 1_000 },
      { do: 'settle', op: 1_000 + i, unused, refused: 0, tenant: 1 + (i % 3) },
      { do: 'look' },
      { do: 'advance', ms: minutes * 60_000 },
    ]),
  ]);

/** Hours beside another sender: what is taken for its use depends on what stands in the ring's newest and oldest buckets. */
const hoursBesideOthers: fc.Arbitrary<Step[]> = fc
  .array(
    fc.record({
      ms: fc.constantFrom(900, 20_000, 61_000, 61_000, 130_000, 600_000),
      count: fc.nat(6),
      ses: fc.integer({ min: -60, max: 40 }),
    }),
    { minLength: 50, maxLength: 70 },
  )
  .map((rounds) => [
    { do: 'rebuild', large: true },
    ...rounds.flatMap(({ ms, count, ses }, i): Step[] => [
      { do: 'flood', cost: 1, count, tenants: [0] },
      { do: 'acquire', op: 1_000 + i, want: 100, slice: 1_000 },
      { do: 'observe', q: 200, rate: 14_000, ses, beside: true },
      { do: 'look' },
      { do: 'advance', ms },
    ]),
  ]);

/** Any number as an id of the shape the scripts expect. */
const idOf = (kind: string, number: number) => `${kind.padStart(21, '0')}${String(100_000_000 + number)}`;

describe('the ledger scripts', () => {
  let test: TestRedis;
  let redis: Redis;

  beforeAll(async () => {
    test = await createTestRedis();
    redis = new Redis(test.url);
  });

  afterAll(async () => {
    redis.disconnect();
    await test.close();
  });

  it('answer exactly what the model answers, whatever the order of calls', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(steps, { minLength: 5, maxLength: 120 }), async (script) => {
        await test.flush();
        await new Comparison(redis).run(script);
      }),
      { numRuns: 200 },
    );
  }, 240_000);

  it('agree with the model through hours in which tenants and lanes stand at their caps', async () => {
    await fc.assert(
      fc.asyncProperty(hoursAtCaps, async (script) => {
        await test.flush();
        await new Comparison(redis).run(script);
      }),
      { numRuns: 10, endOnFailure: true },
    );
  }, 120_000);

  it('say when a lane has room again by what it used, also where the clock has gone back by a minute', async () => {
    await test.flush();
    const lanes: Step = { do: 'lanes', caps: [[300, 40]] };
    await new Comparison(redis).run([
      lanes,
      { do: 'rebuild', large: true },
      { do: 'advance', ms: -60_000 },
      { do: 'look' },
    ]);
  });

  it('agree with the model through hours beside another sender', async () => {
    await fc.assert(
      fc.asyncProperty(hoursBesideOthers, async (script) => {
        await test.flush();
        await new Comparison(redis).run(script);
      }),
      { numRuns: 10, endOnFailure: true },
    );
  }, 120_000);

  it('agree with the model through minutes of both classes waiting, past every tenant’s transactional share', async () => {
    const script: Step[] = [{ do: 'rebuild', large: true }];
    for (let i = 0; i < 200; i += 1) {
      if (i % 10 === 0) script.push({ do: 'flood', cost: 3 });
      script.push({ do: 'acquire', op: 1_000 + i, want: 100, slice: 1_000 }, { do: 'advance', ms: 900 });
    }
    await test.flush();
    await new Comparison(redis).run(script);
  }, 60_000);
});

/** The scripts on real Redis and the model, called alike; every reply is compared. */
class Comparison {
  private readonly model = new LedgerModel(BUCKET_MS, BUCKETS, undefined, TOLERANCE_MS);
  private nowMs = START_MS;
  private skewMs = 0;
  private epoch = 0;
  private fresh = 0;

  constructor(private readonly redis: Redis) {}

  async run(script: readonly Step[]): Promise<void> {
    await this.rebuild(false);
    for (const step of script) {
      await this.step(step);
      expect(Number(await this.redis.hget(`pf:{${ACCOUNT}}:led`, 'sum'))).toBe(this.model.used);
    }
    const served = (await this.call('served')) as string[];
    expect(served.flatMap((value, i) => (i % 4 === 0 ? [[value, Number(served[i + 1])]] : [])).sort()).toEqual(
      this.model
        .served()
        .map(({ tenant, recipients }) => [tenant, recipients])
        .sort(),
    );
  }

  private call(name: keyof typeof LEDGER_SCRIPTS, ...args: (string | number)[]): Promise<unknown> {
    // Speed 0 stops the scripts' clock at the base, so both sides see the same microsecond.
    const shared = [this.nowMs, 0, 0, BUCKET_MS, BUCKETS, this.nowMs + this.skewMs, TOLERANCE_MS];
    this.model.callerMs = this.nowMs + this.skewMs;
    return this.redis.eval(LEDGER_SCRIPTS[name].text, 1, `pf:{${ACCOUNT}}:led`, ...shared, ...args);
  }

  private async rebuild(large: boolean): Promise<void> {
    const quota = large ? -1 : 200;
    const minute = Math.floor(this.nowMs / BUCKET_MS);
    // One of them in the future: granted while a clock was ahead.
    const used: [number, number][] = [
      [minute - BUCKETS - 1, 9],
      [minute, 7],
      [minute + 4, 2],
    ];
    const next = this.epoch + 1;
    const theirs = await this.call('rebuild', next, RUN, quota, 14_000, 1000, 11, 1_000_000, ...used.flat());
    const ours = this.model.rebuild(this.us, next, RUN, quota, 14_000, 1000, 11, used);
    expect(theirs === 1).toBe(ours);
    if (!ours) return;
    this.epoch = next;
    expect(await this.call('chargeTenant', next, 't1', ...used.flat())).toBe(
      this.model.chargeTenant(this.us, next, 't1', used) ? 1 : 0,
    );
    for (const lane of ['lane0', 'lane1']) {
      const charged = await this.call('chargeLane', lane, ...used.flat(), minute - 65, 3);
      expect(charged === 1).toBe(this.model.chargeLane(this.us, lane, [...used, [minute - 65, 3]]));
    }
    expect((await this.call('open', next)) === 1).toBe(this.model.open(next));
  }

  /** What those are told who only look, and who sweep. */
  private async look(): Promise<void> {
    const { model, us } = this;
    const stats = JSON.parse((await this.call('stats')) as string) as Record<
      string,
      string | number | false | unknown[]
    >;
    const numbers = (rows: unknown) =>
      ((rows === false ? [] : rows) as unknown[][]).map((row) => row.map(String)).sort();
    expect([stats['epoch'], stats['sum'], stats['ext'], stats['inflight']].map(String)).toEqual(
      [model.epoch, model.usedAt(us), model.ext, model.inflightOps().length].map(String),
    );
    expect(numbers(stats['lanes'])).toEqual(numbers(model.laneUse(us)));
    expect([stats['headroom'], stats['reserve']].map(Number)).toEqual(model.keptBack(us));
    const lists = model.lists().map(({ tenant, class: klass, length, parked }) => [tenant, klass, length, parked]);
    expect(numbers(stats['ready']).map((row) => row.slice(0, 4))).toEqual(numbers(lists));
    const overdue = (await this.call('overdue', 200)) as string[];
    const theirs = overdue.flatMap((_, i) => (i % 4 === 0 ? [overdue.slice(i, i + 3)] : []));
    expect(numbers(theirs)).toEqual(
      numbers(model.overdue(us, 200).map(({ opId, bucket, cost }) => [opId, bucket, cost])),
    );
  }

  private get us(): number {
    return this.nowMs * 1000;
  }

  private async offer(klass: 'tx' | 'mk', number: number, entries: readonly { id: string; cost: number }[]) {
    const limits: (typeof LIMITS)[number] & { lane?: string; leased?: boolean } = LIMITS[number] ?? LIMITS[0];
    const tenant = `t${String(number)}`;
    const texts = entries.map(({ id, cost }) => (cost === 1 ? id : `${id}${String(cost)}`));
    const { weight, cap, num, den, lane, leased = false } = limits;
    const args = [klass, tenant, lane ?? '-', leased ? 1 : 0, weight, cap, num, den, 100];
    const theirs = await this.call('offer', ...args, ...texts);
    expect(theirs).toBe(this.model.offer(this.us, { class: klass, tenant, ...limits, most: 100, entries }));
  }

  private async step(step: Step): Promise<void> {
    const { model, us, epoch } = this;
    switch (step.do) {
      case 'advance':
        this.nowMs += step.ms;
        break;
      case 'skew':
        this.skewMs = step.ms;
        break;
      case 'rebuild':
        await this.rebuild(step.large);
        break;
      case 'look':
        await this.look();
        break;
      case 'acquire': {
        const { want, slice: sliceMs, urgent = false } = step;
        const args = {
          opId: `op${String(step.op)}`,
          epoch,
          runId: RUN,
          want,
          leadMs: 100,
          sliceMs,
          workers: 1,
          urgent,
        };
        const theirs = await this.call('acquire', args.opId, epoch, RUN, want, 100, sliceMs, 1, 5000, urgent ? 1 : 0);
        expect(readable(theirs)).toEqual(model.acquire(us, { ...args, lifeMs: 5000 }));
        break;
      }
      case 'offer': {
        const entries = step.ids.map((id) => ({ id: idOf('', id), cost: step.cost }));
        await this.offer(step.class, step.tenant, entries);
        break;
      }
      case 'flood':
        for (const klass of ['tx', 'mk'] as const) {
          for (const tenant of step.tenants ?? [0, 2, 3]) {
            const ids = Array.from({ length: step.count ?? 40 }, () => idOf('f', 10_000 + (this.fresh += 1)));
            await this.offer(
              klass,
              tenant,
              ids.map((id) => ({ id, cost: step.cost })),
            );
          }
        }
        break;
      case 'drop':
        expect(await this.call('drop', step.class, `t${String(step.tenant)}`)).toBe(
          model.drop(step.class, `t${String(step.tenant)}`),
        );
        break;
      case 'withdraw': {
        const [tenant, ids] = [`t${String(step.tenant)}`, step.ids.map((id) => idOf('', id))];
        expect(await this.call('withdraw', step.class, tenant, ...ids)).toBe(model.withdraw(step.class, tenant, ids));
        break;
      }
      case 'settle': {
        const refund = [`t${String(step.tenant)}`, step.unused, step.refused] as const;
        const refunds = step.unused + step.refused > 0 ? [refund] : [];
        expect(await this.call('settle', `op${String(step.op)}`, 60_000, ...refunds.flat())).toBe(
          model.settle(us, `op${String(step.op)}`, 60_000, refunds),
        );
        break;
      }
      case 'reslot':
        expect(await this.call('reslot', `op${String(step.op)}`, epoch, RUN, step.cost, 5000, 60_000)).toEqual(
          model.reslot(us, `op${String(step.op)}`, epoch, RUN, step.cost, 5000, 60_000),
        );
        break;
      case 'observe': {
        const ses = Math.max(0, step.ses + (step.beside === true ? model.used : 0));
        expect(await this.call('observe', epoch, step.q, step.rate, 1000, ses)).toEqual(
          model.observe(us, epoch, step.q, step.rate, 1000, ses),
        );
        break;
      }
      case 'freeze':
        await this.call('freeze', this.nowMs + step.ms, step.replace ? 1 : 0);
        model.freeze(this.nowMs + step.ms, step.replace);
        break;
      case 'throttle':
        expect(Number(await this.call('throttle'))).toBe(model.throttle(us));
        break;
      case 'lanes': {
        const caps = step.caps.map(([day, hour], i) => [`lane${String(i)}`, day, hour] as const);
        await this.call('lanes', ...caps.flat());
        model.setLanes(us, caps);
        break;
      }
      case 'lease': {
        const part = step.cap === null ? undefined : { cap: step.cap, num: 3, den: 1 };
        const tenant = `t${String(step.tenant)}`;
        const set = part ? [part.cap, part.num, part.den] : [];
        expect(await this.call('lease', tenant, step.generation, ...set)).toEqual(
          model.lease(us, tenant, step.generation, part),
        );
        break;
      }
    }
  }
}

/** A grant with its messages one by one, as the model lists them. */
function readable(reply: unknown): ModelReply {
  const texts = reply as string[];
  if (texts[0] !== 'GRANT') return texts;
  const messages = (texts[8] ?? '').split(';').flatMap((group) => {
    const [head = '', ...entries] = group.split(',');
    const [klass = '', tenant = ''] = head.split(':');
    return entries.map((entry) => `${tenant}:${entry.slice(0, 30)}:${entry.slice(30) || '1'}:${klass}`);
  });
  return [...texts.slice(0, 8), ...messages];
}
