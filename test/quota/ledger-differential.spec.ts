import { Redis } from 'ioredis';
import { LEDGER_SCRIPTS, LedgerModel, type ModelReply } from '../../libs/quota/src/testing';
import fc from 'fast-check';
import { createTestRedis, type TestRedis } from '../support/redis';
import {
  dayOldPart,
  earnedAndLost,
  earnedTooLittle,
  endedTwice,
  hoursAtCaps,
  hoursBesideOthers,
  lastOfTheDay,
  lateBatches,
  loudWithLittle,
  nothingAllowed,
  steps,
  urgentSeconds,
  withdrawn,
  type Step,
  type Stray,
} from './ledger-steps';

const ACCOUNT = '00000000-0000-7000-8000-000000000001';
const START_MS = 1_790_000_000_000;
const BUCKET_MS = 60_000;
/** An hour and a little: short enough to see buckets freed, long enough for a lane's hour to be shorter. */
const BUCKETS = 75;
const TOLERANCE_MS = 5_000;
const RUN = 'run-1';

const LIMITS = [
  { weight: 1, cap: -1, num: 0, den: 1, lane: '' },
  { weight: 3, cap: 40, num: 0, den: 1, lane: 'lane0' },
  { weight: 2, cap: -1, num: 2, den: 1, lane: 'lane1' },
  { weight: 7, cap: 120, num: 9, den: 2, lane: 'lane0', leased: true },
  { weight: 0.5, cap: -1, num: 0, den: 1, leased: true },
  { weight: 1, cap: 0, num: 0, den: 1, leased: true },
] as const;

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

  it.each([
    ['what marketing has earned, which is lost once none of it waits', earnedAndLost],
    [
      'marketing whose message costs more than it has earned, and that is served after transactional mail',
      earnedTooLittle,
    ],
    ['what a tenant over its share leaves of a slice', loudWithLittle],
    ['a tenant that may send nothing, whatever its part is', nothingAllowed],
    ['a part that nobody has divided for a day', dayOldPart],
    ['a list of which some or all is withdrawn', withdrawn],
    ['a grant that is ended twice', endedTwice],
  ])('agree with the model on %s', async (_, script) => {
    await test.flush();
    await new Comparison(redis).run(script);
  });

  it('agree with the model through minutes of both classes waiting, past every tenant’s transactional share', async () => {
    const script: Step[] = [{ do: 'rebuild', large: true }];
    for (let i = 0; i < 200; i += 1) {
      if (i % 10 === 0) script.push({ do: 'flood', cost: 3 });
      script.push({ do: 'acquire', op: 1_000 + i, want: 100, slice: 1_000 }, { do: 'advance', ms: 900 });
    }
    await test.flush();
    await new Comparison(redis).run(script);
  });
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
        const { ahead = 5_000 } = step;
        const cost = step.cost === 'whole' ? model.grantedTo(`op${String(step.op)}`) : step.cost;
        expect(await this.call('reslot', `op${String(step.op)}`, asked, runId, cost, 5000, 60_000, ahead)).toEqual(
          model.reslot(us, `op${String(step.op)}`, asked, runId, cost, 5000, 60_000, ahead),
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
        const set = part ? ['SET', tenant, part.cap, part.num, part.den] : ['TAKE', tenant];
        expect(await this.call('leases', step.generation, ...set)).toEqual([
          model.lease(us, tenant, step.generation, part),
        ]);
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
