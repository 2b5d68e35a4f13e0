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

/** Who asks with an epoch that is not the ledger's, or on behalf of another run of Redis. */
interface Stray {
  readonly epochs?: number;
  readonly run?: string;
}

type Step =
  | {
      do: 'acquire';
      op: number;
      want: number;
      slice: number;
      urgent?: boolean;
      stray?: Stray;
      workers?: number;
      lead?: number;
    }
  | { do: 'offer'; class: 'tx' | 'mk'; tenant: number; ids: number[]; cost: number }
  | { do: 'drop'; class: 'tx' | 'mk'; tenant: number }
  | { do: 'withdraw'; class: 'tx' | 'mk'; tenant: number; ids: number[] }
  | { do: 'settle'; op: number; unused: number; refused: number; tenant: number }
  | { do: 'reslot'; op: number; cost: number; stray?: Stray }
  | { do: 'observe'; q: number; rate: number; ses: number; beside?: boolean; stray?: Stray }
  | { do: 'freeze'; ms: number; replace: boolean }
  | { do: 'throttle' }
  | { do: 'lanes'; caps: (readonly [number, number])[] }
  | { do: 'lease'; tenant: number; generation: number; cap: number | null }
  | { do: 'skew'; ms: number }
  | { do: 'flood'; cost: number; tenants?: readonly number[]; count?: number }
  | { do: 'rebuild'; large: boolean; newer?: number }
  | { do: 'open'; epochs: number }
  | { do: 'chargeTenant'; epochs: number }
  | { do: 'look' }
  | { do: 'advance'; ms: number };

const one = <Kind extends Step['do']>(kind: Kind) => fc.constant(kind);
const strays = fc.oneof(
  { weight: 16, arbitrary: fc.constant<Stray>({}) },
  { weight: 1, arbitrary: fc.constantFrom<Stray>({ epochs: -1 }, { epochs: 1 }, { run: 'run-2' }) },
);
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
      stray: strays,
      workers: fc.constantFrom(1, 1, 3),
      lead: fc.constantFrom(100, 100, 1_000),
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
  {
    weight: 1,
    arbitrary: fc.record({ do: one('reslot'), op: fc.nat(60), cost: fc.integer({ min: 1, max: 50 }), stray: strays }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: one('observe'),
      q: fc.constantFrom(-1, 0, 30, 200, 600, 50_000),
      rate: fc.constantFrom(0, 500, 1000, 14_000, 200_000),
      ses: fc.nat(150),
      stray: strays,
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
  {
    weight: 1,
    arbitrary: fc.record({ do: one('rebuild'), large: fc.boolean(), newer: fc.constantFrom(1, 1, 1, 0, -1) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constantFrom('open' as const, 'chargeTenant' as const),
      epochs: fc.constantFrom(-1, 0, 1),
    }),
  },
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

/** Seconds in which mail is asked for that cannot wait: little is lent, small senders of marketing have half of that, all is paid back. */
const urgentSeconds: fc.Arbitrary<Step[]> = fc
  .record({
    rate: fc.constantFrom(14_000, 200_000, 2_000_000),
    rounds: fc.array(
      fc.record({
        class: classes,
        tenant: fc.nat(2),
        count: fc.nat(11),
        cost: fc.constantFrom(1, 1, 2),
        urgent: fc.constantFrom(true, true, false),
        ms: fc.constantFrom(1, 30, 100, 400, 1_100),
      }),
      { minLength: 30, maxLength: 50 },
    ),
  })
  .map(({ rate, rounds }) => [
    { do: 'observe', q: 50_000, rate, ses: 0 },
    { do: 'advance', ms: 1_100 },
    ...rounds.flatMap(({ class: klass, tenant, count, cost, urgent, ms }, i): Step[] => [
      { do: 'offer', class: klass, tenant, ids: Array.from({ length: count }, (_, n) => 1_000 + 12 * i + n), cost },
      { do: 'acquire', op: 1_000 + i, want: 100, slice: 1_000, urgent },
      { do: 'advance', ms },
    ]),
  ]);

/** Minutes of batches that are late, asked about by who may and who may not: in time, too late, while the ledger is frozen or slower. */
const lateBatches: fc.Arbitrary<Step[]> = fc
  .array(
    fc.record({
      back: fc.nat(2),
      cost: fc.integer({ min: 1, max: 50 }),
      stray: fc.constantFrom<Stray>({}, {}, { epochs: -1 }, { epochs: 1 }, { run: 'run-2' }),
      between: fc.constantFrom<Step>(
        { do: 'look' },
        { do: 'look' },
        { do: 'throttle' },
        { do: 'freeze', ms: 2_000, replace: false },
        { do: 'freeze', ms: 0, replace: true },
      ),
      ms: fc.constantFrom(0, 900, 5_000, 20_000, 59_000),
    }),
    { minLength: 20, maxLength: 40 },
  )
  .map((rounds) => [
    { do: 'observe', q: 50_000, rate: 14_000, ses: 0 },
    ...rounds.flatMap(({ back, cost, stray, between, ms }, i): Step[] => [
      { do: 'flood', cost: 1, count: 3, tenants: [0, 2] },
      { do: 'acquire', op: 1_000 + i, want: 100, slice: 1_000 },
      between,
      { do: 'advance', ms },
      { do: 'reslot', op: 1_000 + i - back, cost, stray },
      { do: 'settle', op: 1_000 + i - 2, unused: 1, refused: 1, tenant: 0 },
    ]),
  ]);

/** A day that is used up but for a few recipients: what is kept back for workers and for transactional mail counts. */
const lastOfTheDay: fc.Arbitrary<Step[]> = fc
  .array(
    fc.record({
      ses: fc.integer({ min: 49_700, max: 50_000 }),
      workers: fc.integer({ min: 1, max: 3 }),
      cost: fc.constantFrom(1, 1, 3),
    }),
    { minLength: 15, maxLength: 25 },
  )
  .map((rounds) =>
    rounds.flatMap(({ ses, workers, cost }, i): Step[] => [
      { do: 'observe', q: 50_000, rate: 200_000, ses },
      { do: 'flood', cost, count: 30, tenants: [0, 2] },
      { do: 'advance', ms: 1_100 },
      { do: 'acquire', op: 1_000 + i, want: 100, slice: 1_000, workers },
      { do: 'look' },
    ]),
  );

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

  it.each(['missing', 'not opened yet'] as const)(
    'agree with the model on a ledger that is %s',
    async (ledger) => {
      const without = steps.filter((step) => step.do !== 'rebuild');
      await fc.assert(
        fc.asyncProperty(fc.array(without, { minLength: 5, maxLength: 60 }), async (script) => {
          await test.flush();
          await new Comparison(redis, ledger).run(script);
        }),
        { numRuns: 30 },
      );
    },
    120_000,
  );

  it.each([
    ['seconds of mail that cannot wait', urgentSeconds],
    ['minutes of batches that are late', lateBatches],
    ['the last of a day', lastOfTheDay],
  ])(
    'agree with the model through %s',
    async (_, scripts) => {
      await fc.assert(
        fc.asyncProperty(scripts, async (script) => {
          await test.flush();
          await new Comparison(redis).run(script);
        }),
        { numRuns: 30 },
      );
    },
    120_000,
  );

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

  constructor(
    private readonly redis: Redis,
    private readonly ledger: 'open' | 'not opened yet' | 'missing' = 'open',
  ) {}

  async run(script: readonly Step[]): Promise<void> {
    if (this.ledger !== 'missing') await this.rebuild(false);
    for (const step of script) {
      await this.step(step);
      expect(Number(await this.redis.hget(`pf:{${ACCOUNT}}:led`, 'sum'))).toBe(this.model.used);
    }
    const isParked = (name: string) => this.model.lists().find(({ tenant }) => tenant === name)?.parked === true;
    const served = this.model
      .served()
      .map((one) => [one.tenant, one.recipients, one.weight, isParked(one.tenant) ? 1 : 0]);
    expect(rowsOf(await this.call('served'), 4)).toEqual(asTexts(served));
  }

  private call(name: keyof typeof LEDGER_SCRIPTS, ...args: (string | number)[]): Promise<unknown> {
    // Speed 0 stops the scripts' clock at the base, so both sides see the same microsecond.
    const shared = [this.nowMs, 0, 0, BUCKET_MS, BUCKETS, this.nowMs + this.skewMs, TOLERANCE_MS];
    this.model.callerMs = this.nowMs + this.skewMs;
    return this.redis.eval(LEDGER_SCRIPTS[name].text, 1, `pf:{${ACCOUNT}}:led`, ...shared, ...args);
  }

  private async rebuild(large: boolean, newer = 1): Promise<void> {
    const quota = large ? -1 : 200;
    const minute = Math.floor(this.nowMs / BUCKET_MS);
    // One of them in the future: granted while a clock was ahead.
    const used: [number, number][] = [
      [minute - BUCKETS - 1, 9],
      [minute, 7],
      [minute + 4, 2],
    ];
    const next = this.epoch + newer;
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
    if (this.ledger === 'open') expect((await this.call('open', next)) === 1).toBe(this.model.open(next));
  }

  /** What those are told who only look, and who sweep. */
  private async look(): Promise<void> {
    const { model, us } = this;
    const overdue = (await this.call('overdue', 200)) as string[];
    const theirs = overdue.map((value, i) => (i % 4 === 3 ? messagesOf(value).join(' ') : value));
    expect(rowsOf(theirs, 4)).toEqual(
      asTexts(model.overdue(us, 200).map(({ opId, bucket, cost, ids }) => [opId, bucket, cost, ids.join(' ')])),
    );
    const ready = (await this.call('ready')) as unknown[];
    const stats = JSON.parse((await this.call('stats')) as string) as Record<string, unknown>;
    if (this.ledger === 'missing') {
      expect([stats, ready]).toEqual([{}, []]);
      return;
    }
    const [lists, weights] = [model.lists(), new Map(model.served().map((one) => [one.tenant, one.weight]))];
    expect(rowsOf(ready.slice(1), 3)).toEqual(asTexts(lists.map((one) => [one.class, one.tenant, one.length])));
    expect(asTexts(stats['ready'])).toEqual(
      asTexts(lists.map((one) => [one.tenant, one.class, one.length, one.parked, weights.get(one.tenant)])),
    );
    expect(lanesOf(stats['lanes'])).toEqual(lanesOf(model.laneUse(us)));
    expect([stats['headroom'], stats['reserve']].map(Number)).toEqual(model.keptBack(us));
    const ours = [
      model.epoch,
      model.q,
      model.usedAt(us),
      model.ext,
      model.inflightOps().length,
      ...model.rateClock(us),
    ];
    expect(
      ['epoch', 'q', 'sum', 'ext', 'inflight', 'frozen', 'pace', 'tat'].map((name) => String(stats[name])),
    ).toEqual(ours.map(String));
    // Here as well it has no meaning without anything that is charged.
    if (model.usedAt(us) > 0) expect(stats['frees']).toBe(String(model.roomReturnsUs(us)));
  }

  private asked({ epochs = 0, run = RUN }: Stray = {}): { epoch: number; runId: string } {
    return { epoch: this.epoch + epochs, runId: run };
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
        await this.rebuild(step.large, step.newer);
        break;
      case 'open':
        expect((await this.call('open', epoch + step.epochs)) === 1).toBe(model.open(epoch + step.epochs));
        break;
      case 'chargeTenant': {
        const minute = Math.floor(this.nowMs / BUCKET_MS);
        expect((await this.call('chargeTenant', epoch + step.epochs, 't2', minute, 3)) === 1).toBe(
          model.chargeTenant(us, epoch + step.epochs, 't2', [[minute, 3]]),
        );
        break;
      }
      case 'look':
        await this.look();
        break;
      case 'acquire': {
        const { want, slice: sliceMs, urgent = false, stray, workers = 1, lead: leadMs = 100 } = step;
        const asked = {
          opId: `op${String(step.op)}`,
          ...this.asked(stray),
          want,
          leadMs,
          sliceMs,
          workers,
          lifeMs: 5000,
        };
        const theirs = await this.call('acquire', ...Object.values(asked), urgent ? 1 : 0);
        expect(readable(theirs)).toEqual(model.acquire(us, { ...asked, urgent }));
        const ranDry = (theirs as string[])[9];
        if (ranDry !== undefined) expect(ranDry).toBe(model.ranDry ? '1' : '0');
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
      case 'reslot': {
        const { epoch: asked, runId } = this.asked(step.stray);
        expect(await this.call('reslot', `op${String(step.op)}`, asked, runId, step.cost, 5000, 60_000)).toEqual(
          model.reslot(us, `op${String(step.op)}`, asked, runId, step.cost, 5000, 60_000),
        );
        break;
      }
      case 'observe': {
        const { epoch: asked } = this.asked(step.stray);
        const ses = Math.max(0, step.ses + (step.beside === true ? model.used : 0));
        expect(await this.call('observe', asked, step.q, step.rate, 1000, ses)).toEqual(
          model.observe(us, asked, step.q, step.rate, 1000, ses),
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
  return [...texts.slice(0, 8), ...messagesOf(texts[8] ?? '')];
}

function messagesOf(granted: string): string[] {
  return granted.split(';').flatMap((group) => {
    const [head = '', ...entries] = group.split(',');
    const [klass = '', tenant = ''] = head.split(':');
    return entries.map((entry) => `${tenant}:${entry.slice(0, 30)}:${entry.slice(30) || '1'}:${klass}`);
  });
}

/** A flat reply in rows of so many, in an order of their own. */
function rowsOf(flat: unknown, width: number): string[][] {
  const values = flat as unknown[];
  return asTexts(values.flatMap((_, i) => (i % width === 0 ? [values.slice(i, i + width)] : [])));
}

/** When room returns to a lane's day or hour has no meaning where nothing of it is used. */
function lanesOf(rows: unknown): string[][] {
  return asTexts(rows).map(([name = '', day = '', used = '', at = '', hour = '', hourly = '', hourAt = '']) => {
    return [name, day, used, used === '0' ? '' : at, hour, hourly, hourly === '0' ? '' : hourAt];
  });
}

function asTexts(rows: unknown): string[][] {
  return ((rows === false ? [] : rows) as unknown[][]).map((row) => row.map(String)).sort();
}
