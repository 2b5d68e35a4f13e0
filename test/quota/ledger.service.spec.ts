import {
  EngineClock,
  ManualClock,
  newId,
  SystemClock,
  type LaneId,
  type MessageId,
  type SendingAccountId,
  type TenantId,
} from '@libs/kernel';
import { Ledger, parseRate, READY_WINDOW, TenantLeases } from '@libs/quota';
import { openEngineRedis, type EngineRedis } from '@libs/queueing';
import { Redis } from 'ioredis';
import { ScriptRunner } from '../../libs/quota/src/script-runner.repository';
import { createTestRedis, type TestRedis } from '../support/redis';
import { waitFor } from '../support/wait-for';

const account = '00000000-0000-7000-8000-0000000000a1' as SendingAccountId;
const tenant = '00000000-0000-7000-8000-0000000000b1' as TenantId;
const free = { weight: 1, dayCap: null, rate: null };
const limits = { quota: 1_000n, rate: parseRate('100'), sesSent: 0n };

describe('the ledger on real Redis', () => {
  let test: TestRedis;
  let redis: EngineRedis;
  let direct: Redis;
  let ledger: Ledger;
  let sequence = 0;

  const ledgerWith = (clock: EngineClock, connection = redis) => new Ledger(new ScriptRunner(connection, clock), clock);
  const messages = (count: number, recipients = 1) =>
    Array.from({ length: count }, () => ({
      id: `00000000-0000-7000-8000-${String((sequence += 1)).padStart(12, '0')}` as MessageId,
      recipients,
    }));
  const acquire = (from = ledger, opId = `op-${String((sequence += 1))}`, epoch = 1n) =>
    from.acquire(account, { opId, epoch, want: 100, leadMs: 100, sliceMs: 1_000, workers: 1 });

  beforeAll(async () => {
    test = await createTestRedis();
    redis = openEngineRedis(test.url);
    direct = new Redis(test.url);
    await redis.connect();
  });
  beforeEach(async () => {
    await test.flush();
    ledger = ledgerWith(new EngineClock());
    await ledger.rebuild(account, 1n, limits, [], new Map(), 0);
  });
  afterAll(async () => {
    redis.disconnect();
    direct.disconnect();
    await test.close();
  });

  it('grants slots from now on, and says what it charged', async () => {
    await ledger.offer(account, tenant, 'TRANSACTIONAL', free, messages(3));
    const grant = await acquire();
    expect(grant).toMatchObject({ kind: 'grant', recipients: 3, rate: { num: 199_900_000, den: 2_000_000 } });
    if (grant.kind !== 'grant') throw new Error('no grant');
    expect(grant.slotStartMs - grant.nowMs).toBeGreaterThanOrEqual(100);
    expect(grant.messages.map(({ tenantId, stream }) => [tenantId, stream])).toEqual(
      Array(3).fill([tenant, 'TRANSACTIONAL']),
    );
    expect(await ledger.stats(account)).toMatchObject({ used24h: 3n, quota: 1_000n, inflight: 1, epoch: 1n });
  });

  it('sends its scripts again when Redis has forgotten them', async () => {
    await direct.script('FLUSH');
    await ledger.offer(account, tenant, 'MARKETING', free, messages(1));
    expect((await acquire()).kind).toBe('grant');
  });

  it('grants nothing for another epoch, without a ledger, or on another Redis', async () => {
    await ledger.offer(account, tenant, 'MARKETING', free, messages(1));
    expect(await acquire(ledger, 'x', 2n)).toEqual({ kind: 'stale' });
    await direct.hset(`pf:{${account}}:led`, 'runid', 'another');
    expect(await acquire()).toEqual({ kind: 'stale' });
    expect(await ledger.isCurrent(account, 1n)).toBe(false);
    await test.flush();
    expect(await acquire()).toEqual({ kind: 'stale' });
    expect(await ledger.stats(account)).toBeUndefined();
  });

  it.each([
    [20, true],
    [40, false],
  ])(
    'is current while its time is no more than half a minute ahead of all clocks (%d s: %s)',
    async (seconds, expected) => {
      const { nowMs } = (await ledger.stats(account))!;
      await direct.hset(`pf:{${account}}:led`, 'last', String((nowMs + seconds * 1_000) * 1_000));
      expect(await ledger.isCurrent(account, 1n)).toBe(expected);
    },
  );

  it('grants nothing to a process whose clock is ten seconds off', async () => {
    await ledger.offer(account, tenant, 'MARKETING', free, messages(1));
    const host = new ManualClock(new SystemClock().nowMs() + 10_000);
    const ahead = ledgerWith(new EngineClock(host));
    expect((await acquire(ahead)).kind).toBe('clock');
    // Nothing is learned from an answer that one of the two clocks makes wrong.
    expect(ahead.nowMs()).toBe(host.nowMs());
  });

  it('lets a day pass in a moment on a fast clock', async () => {
    await test.flush();
    const clock = new EngineClock();
    ledger = ledgerWith(clock);
    await ledger.rebuild(account, 1n, { ...limits, quota: 2n }, [], new Map(), 0);
    await ledger.offer(account, tenant, 'MARKETING', free, messages(3));
    expect(await acquire()).toMatchObject({ kind: 'grant', recipients: 2 });
    clock.advance(86_000_000);
    expect(await acquire()).toMatchObject({ kind: 'empty', why: 'day' });
    clock.advance(600_000);
    expect(await acquire()).toMatchObject({ kind: 'grant', recipients: 1 });
  });

  it('holds a tenant to its own daily cap, not to its rate where nobody else wants the slot', async () => {
    const other = '00000000-0000-7000-8000-0000000000b2' as TenantId;
    await ledger.observe(account, 1n, { ...limits, rate: parseRate('10000') });
    const third = '00000000-0000-7000-8000-0000000000b3' as TenantId;
    await ledger.offer(account, tenant, 'MARKETING', { ...free, dayCap: 2n }, messages(5));
    await ledger.offer(account, other, 'MARKETING', { ...free, rate: parseRate('1') }, messages(20));
    await ledger.offer(account, third, 'MARKETING', free, messages(7));
    const grant = await acquire();
    if (grant.kind !== 'grant') throw new Error('no grant');
    const granted = (who: TenantId) => grant.messages.filter((message) => message.tenantId === who).length;
    // All that the others leave goes to the one beyond its rate; a daily cap is never passed.
    expect([granted(tenant), granted(other), granted(third)]).toEqual([2, 20, 7]);
    const { ready } = (await ledger.stats(account))!;
    expect(
      ready
        .filter((entry) => entry.atOwnLimit)
        .map((entry) => entry.tenantId)
        .sort(),
    ).toEqual([tenant]);
    // Who feeds the lists sees those who stand at a limit, too.
    expect(await ledger.ready(account)).toEqual({
      epoch: 1n,
      lists: ready.map(({ tenantId, stream, messages: length }) => ({ tenantId, stream, messages: length })),
    });
    expect((await ledger.stats(account))!.roomReturnsAtMs).toBeGreaterThan(grant.bucketStartMs);
  });

  it('has room again when so much is dropped that less than its quota is left, where that was cut below what is charged', async () => {
    const now = new SystemClock().nowMs();
    const hoursAgo = (hours: number) => ({ startMs: now - hours * 3_600_000, recipients: 100n });
    await ledger.rebuild(account, 2n, limits, [hoursAgo(5), hoursAgo(4), hoursAgo(3)], new Map(), 0);
    const returnsInHours = async (quota: bigint) => {
      await ledger.observe(account, 2n, { ...limits, quota });
      return ((await ledger.stats(account))!.roomReturnsAtMs - now) / 3_600_000;
    };
    const guard = 0.1;
    for (const [quota, hours] of [
      [300n, 19],
      [201n, 19],
      [200n, 20],
      [150n, 20],
      [100n, 21],
      [1n, 21],
    ] as const) {
      const found = await returnsInHours(quota);
      expect([quota, found > hours && found < hours + guard]).toEqual([quota, true]);
    }
  });

  it('takes what others sent from the account out of its room', async () => {
    await ledger.offer(account, tenant, 'MARKETING', free, messages(5));
    expect(await ledger.observe(account, 1n, { ...limits, sesSent: 998n })).toEqual({ used: 0n, foreign: 998n });
    expect(await acquire()).toMatchObject({ kind: 'grant', recipients: 2 });
    expect(await ledger.observe(account, 2n, limits)).toBeUndefined();
  });

  it('knows no limit at all when SES says -1, and sends nothing at a quota of 0', async () => {
    await ledger.offer(account, tenant, 'MARKETING', free, messages(60));
    await ledger.observe(account, 1n, { ...limits, quota: 0n, rate: parseRate('10000') });
    expect(await acquire()).toMatchObject({ kind: 'empty', why: 'day' });
    await ledger.observe(account, 1n, { ...limits, quota: -1n, rate: parseRate('10000') });
    expect(await acquire()).toMatchObject({ kind: 'grant', recipients: 60 });
  });

  it('keeps at most a window of messages per tenant, each once', async () => {
    const list = messages(READY_WINDOW + 10);
    expect(await ledger.offer(account, tenant, 'MARKETING', free, list)).toBe(READY_WINDOW);
    expect(await ledger.offer(account, tenant, 'MARKETING', free, list)).toBe(0);
    expect(await ledger.drop(account, tenant, 'MARKETING')).toBe(READY_WINDOW);
    expect(await ledger.offer(account, tenant, 'MARKETING', free, list.slice(0, 5))).toBe(5);
  });

  it('takes single messages out of a list of any length, and knows the others as before', async () => {
    const list = messages(2_500);
    expect(await ledger.offer(account, tenant, 'MARKETING', free, list, 2_500)).toBe(2_500);
    const gone = list.filter((_, i) => i !== 1 && i < 2_300);
    const strangers = messages(2);
    const idsOf = (some: typeof list) => some.map(({ id }) => id);
    expect(await ledger.withdraw(account, tenant, 'TRANSACTIONAL', idsOf(gone))).toBe(0);
    expect(await ledger.withdraw(account, tenant, 'MARKETING', [...idsOf(gone), ...idsOf(strangers)])).toBe(2_299);
    const kept = list.filter((message) => !gone.includes(message));
    expect(await ledger.offer(account, tenant, 'MARKETING', free, kept)).toBe(0);
    const grant = await acquire();
    const granted = grant.kind === 'grant' ? grant.messages.length : 0;
    expect(granted).toBeGreaterThan(0);
    expect(grant.kind === 'grant' && idsOf([...grant.messages])).toEqual(idsOf(kept.slice(0, granted)));
    // What is granted is not listed any more: whoever claims it looks at PostgreSQL.
    expect(await ledger.withdraw(account, tenant, 'MARKETING', idsOf(kept))).toBe(201 - granted);
    expect(await acquire()).toMatchObject({ kind: 'empty', why: 'idle' });
    // Somebody may make it wait again.
    expect(await ledger.offer(account, tenant, 'MARKETING', free, list.slice(0, 1))).toBe(1);
    expect((await ledger.ready(account))?.lists).toEqual([{ tenantId: tenant, stream: 'MARKETING', messages: 1 }]);
  });

  it('says when a tenant had no more than what was granted', async () => {
    await ledger.observe(account, 1n, { ...limits, rate: parseRate('10000') });
    const other = '00000000-0000-7000-8000-0000000000b2' as TenantId;
    await ledger.offer(account, tenant, 'MARKETING', free, messages(READY_WINDOW));
    expect(await acquire(ledger, 'a')).toMatchObject({ kind: 'grant', ranDry: false });
    await ledger.offer(account, other, 'MARKETING', free, messages(3));
    expect(await acquire(ledger, 'b')).toMatchObject({ kind: 'grant', ranDry: true });
  });

  it('does not queue again what is granted and not settled', async () => {
    const list = messages(2);
    await ledger.offer(account, tenant, 'MARKETING', free, list);
    await acquire(ledger, 'held');
    expect(await ledger.offer(account, tenant, 'MARKETING', free, list)).toBe(0);
    await ledger.settle(account, 'held', [{ tenantId: tenant, unused: 2, refused: 0 }]);
    expect(await ledger.offer(account, tenant, 'MARKETING', free, list)).toBe(2);
  });

  it('goes on from a rebuild with what was used, and refuses an older epoch', async () => {
    const now = new SystemClock().nowMs();
    const used = [
      { startMs: now, recipients: 900n },
      { startMs: now - 2 * 86_400_000, recipients: 500n },
    ];
    const ofTenant = new Map([[tenant, [{ startMs: now, recipients: 9n }]]]);
    expect(await ledger.rebuild(account, 5n, { ...limits, sesSent: 950n }, used, ofTenant, 0)).toBe(true);
    expect(await ledger.rebuild(account, 4n, limits, [], new Map(), 0)).toBe(false);
    expect(await ledger.stats(account)).toMatchObject({ used24h: 950n, foreign: 50n, epoch: 5n });
    await ledger.offer(account, tenant, 'MARKETING', { ...free, dayCap: 10n }, messages(5));
    const grant = await acquire(ledger, 'after', 5n);
    expect(grant).toMatchObject({ kind: 'grant', recipients: 1 });
    // What was granted before the rebuild may still be on its way to SES's rate bucket.
    if (grant.kind === 'grant') expect(grant.slotStartMs - now).toBeGreaterThanOrEqual(1_000);
  });

  it('waits after a rebuild for as long as the recipients take that SES may still be owed time for', async () => {
    const before = new SystemClock().nowMs();
    expect(await ledger.rebuild(account, 2n, limits, [], new Map(), 50)).toBe(true);
    expect((await ledger.stats(account))!.rateFreeAtMs).toBeGreaterThanOrEqual(before + 1_000 + 500);
  });

  it('leaves the lanes as they are when a newer epoch came before a rebuild', async () => {
    const laneId = newId<LaneId>();
    const warming = { laneId, dayCap: 500, hourCap: 63 };
    const used = [{ startMs: new SystemClock().nowMs(), recipients: 7n }];
    expect(await ledger.rebuild(account, 3n, limits, [], new Map(), 0, [{ ...warming, used }])).toBe(true);
    const late = [{ ...warming, dayCap: 9_999, used: [] }];
    expect(await ledger.rebuild(account, 2n, limits, [], new Map(), 0, late)).toBe(false);
    expect((await ledger.stats(account))?.lanes).toMatchObject([{ laneId, dayCap: 500, usedDay: 7 }]);
  });

  it('moves the rest of a late batch, never a batch that was settled', async () => {
    await ledger.offer(account, tenant, 'MARKETING', free, messages(5));
    const grant = await acquire(ledger, 'late');
    if (grant.kind !== 'grant') throw new Error('no grant');
    const slot = await ledger.reslot(account, 'late', 1n, 3);
    expect(slot!.slotStartMs).toBeGreaterThanOrEqual(grant.slotStartMs + 50);
    expect(slot!.deadlineMs).toBeGreaterThan(grant.deadlineMs);
    expect(await ledger.settle(account, 'late', [])).toBe(true);
    expect(await ledger.settle(account, 'late', [])).toBe(false);
    expect(await ledger.reslot(account, 'late', 1n, 3)).toBeUndefined();
  });

  it('moves a late message that takes ten seconds with its own time, once nothing else may start in it', async () => {
    await ledger.observe(account, 1n, { ...limits, rate: parseRate('4') });
    await ledger.offer(account, tenant, 'MARKETING', free, messages(2, 40));
    await waitFor(async () => (await acquire(ledger, 'long')).kind === 'grant', { what: 'the rate clock' });
    // The other one of a batch may have been sent: its part of the time is not free.
    expect(await ledger.reslot(account, 'long', 1n, 39)).toBeUndefined();
    const slot = await ledger.reslot(account, 'long', 1n, 40);
    const stats = await ledger.stats(account);
    expect(stats!.rateFreeAtMs - slot!.slotStartMs).toBeGreaterThanOrEqual(10_000);
  });

  it('owes the time of a message to many at the rate of now, whether SES cuts or raises it', async () => {
    const owedMs = async (rate: string) => {
      expect(await ledger.observe(account, 1n, { ...limits, rate: parseRate(rate) })).toBeDefined();
      const stats = await ledger.stats(account);
      return stats!.rateFreeAtMs - stats!.nowMs;
    };
    await owedMs('4');
    await ledger.offer(account, tenant, 'MARKETING', free, messages(1, 48));
    await waitFor(async () => (await acquire(ledger, 'long')).kind === 'grant', { what: 'the rate clock' });
    const slow = await owedMs('1');
    expect(slow).toBeGreaterThan(45_000);
    // What is said again changes nothing.
    expect(await owedMs('1')).toBeLessThanOrEqual(slow);
    // It may begin in five seconds only, and there may be two of slots behind it.
    const fast = await owedMs('10');
    expect(fast).toBeGreaterThan(7_000);
    expect(fast).toBeLessThan(15_000);
  });

  it('leaves slots where they are when the rate is another', async () => {
    await ledger.offer(account, tenant, 'MARKETING', free, messages(100));
    await waitFor(async () => (await acquire(ledger, 'slots')).kind === 'grant', { what: 'the rate clock' });
    const before = await ledger.stats(account);
    await ledger.observe(account, 1n, { ...limits, rate: parseRate('1') });
    expect((await ledger.stats(account))!.rateFreeAtMs).toBe(before!.rateFreeAtMs);
  });

  it('moves a late batch as far ahead in real time when the clock is a fast one', async () => {
    await test.flush();
    ledger = ledgerWith(
      new EngineClock(new SystemClock(), { baseMs: new SystemClock().nowMs(), speed: 60, offsetMs: 0 }),
    );
    await ledger.rebuild(account, 1n, limits, [], new Map(), 0);
    await ledger.offer(account, tenant, 'MARKETING', free, messages(3));
    const ahead = { epoch: 1n, want: 100, leadMs: 50_000, sliceMs: 1_000, workers: 1 };
    expect(await ledger.acquire(account, { opId: 'far', ...ahead })).toMatchObject({ kind: 'grant' });
    expect(await ledger.reslot(account, 'far', 1n, 3)).toBeDefined();
  });

  it.each([
    ['0', 'a rate of nothing', 'empty'],
    ['0.5', 'one every two seconds', 'grant'],
    ['1', 'one a second', 'grant'],
  ])('sends a message of 50 recipients alone at a rate of %s (%s)', async (rate, _, kind) => {
    await ledger.observe(account, 1n, { ...limits, rate: parseRate(rate) });
    await ledger.offer(account, tenant, 'MARKETING', free, messages(1, 50));
    const reply = await waitFor(
      async () => {
        const answer = await acquire();
        // The rate clock pauses for a second after a rebuild.
        return answer.kind === 'empty' && answer.retryAtMs - answer.nowMs < 1_000 ? undefined : answer;
      },
      { what: 'the rate clock' },
    );
    expect(reply).toMatchObject(kind === 'grant' ? { kind, recipients: 50 } : { kind, why: 'rate' });
  });

  it('grants a thousand recipients at once when it is asked to', async () => {
    await ledger.observe(account, 1n, { quota: -1n, rate: parseRate('5000'), sesSent: 0n });
    await ledger.offer(account, tenant, 'MARKETING', free, messages(1_000));
    const request = { opId: 'large', epoch: 1n, want: 1_000, leadMs: 1_000, sliceMs: 1_000, workers: 1 };
    const grant = await ledger.acquire(account, request);
    expect(grant).toMatchObject({ kind: 'grant', recipients: 1_000 });
    expect(await ledger.acquire(account, request)).toMatchObject({ recipients: 1_000 });
  });

  it('slows down after a 429, for batches that are late as well, and says by how much', async () => {
    await ledger.offer(account, tenant, 'MARKETING', free, messages(5));
    await acquire(ledger, 'before');
    expect(await ledger.throttle(account)).toBe(500);
    expect(await ledger.stats(account)).toMatchObject({ pacePermille: 500 });
    const slot = await ledger.reslot(account, 'before', 1n, 3);
    expect(slot!.rate.num / slot!.rate.den).toBeCloseTo(49.975);
  });

  it('holds a lane to its warm-up caps, and lets the other lanes go', async () => {
    const laneId = '00000000-0000-7000-8000-0000000000c1' as LaneId;
    const other = '00000000-0000-7000-8000-0000000000b2' as TenantId;
    await ledger.observe(account, 1n, { ...limits, rate: parseRate('10000') });
    await ledger.setLanes(account, [{ laneId, dayCap: 500, hourCap: 4 }]);
    await ledger.offer(account, tenant, 'MARKETING', { ...free, laneId }, messages(10));
    await ledger.offer(account, other, 'MARKETING', { ...free, laneId: null }, messages(10));
    const grant = await acquire(ledger, 'warm');
    if (grant.kind !== 'grant') throw new Error('no grant');
    expect(grant.messages.filter((message) => message.laneId === laneId)).toHaveLength(4);
    expect(grant.messages).toHaveLength(14);
    const minute = Math.floor(grant.bucketStartMs / 60_000);
    expect((await ledger.stats(account))?.lanes).toEqual([
      {
        laneId,
        ...{ dayCap: 500, usedDay: 4, dayReturnsAtMs: (minute + 1_443) * 60_000 },
        ...{ hourCap: 4, usedHour: 4, hourReturnsAtMs: (minute + 61) * 60_000 },
      },
    ]);
    await ledger.settle(account, 'warm', [{ tenantId: tenant, unused: 3, refused: 0 }]);
    expect((await ledger.stats(account))?.lanes).toMatchObject([{ usedDay: 1, usedHour: 1 }]);
    expect(await ledger.chargeLane(account, laneId, [{ startMs: grant.nowMs, recipients: 9n }])).toBe(true);
    await ledger.setLanes(account, []);
    expect((await ledger.stats(account))?.lanes).toEqual([]);
    expect(await ledger.chargeLane(account, laneId, [])).toBe(false);
  });

  it('grants a tenant at its cap more as soon as it has a higher one, in both streams', async () => {
    const capped = (dayCap: bigint) => ({ ...free, dayCap });
    await ledger.offer(account, tenant, 'MARKETING', capped(2n), messages(4));
    await ledger.offer(account, tenant, 'TRANSACTIONAL', capped(2n), messages(4));
    expect(await acquire()).toMatchObject({ kind: 'grant', recipients: 2 });
    await acquire();
    expect(await acquire()).toMatchObject({ kind: 'empty', why: 'idle' });
    await ledger.offer(account, tenant, 'TRANSACTIONAL', capped(2n), []);
    expect(await acquire()).toMatchObject({ kind: 'empty', why: 'idle' });
    await ledger.offer(account, tenant, 'TRANSACTIONAL', capped(8n), []);
    expect(await acquire()).toMatchObject({ kind: 'grant', recipients: 6 });
  });

  it('never grants a tenant more than its cap on all its accounts together, however often they are divided anew', async () => {
    const second = '00000000-0000-7000-8000-0000000000a2' as SendingAccountId;
    const fast = { quota: -1n, rate: parseRate('2000'), sesSent: 0n };
    await ledger.observe(account, 1n, fast);
    await ledger.rebuild(second, 1n, fast, [], new Map(), 0);
    const cap = { weight: 1, dayCap: 60n, rate: null, leased: true };
    const accounts = [account, second];
    for (const each of accounts) await ledger.offer(each, tenant, 'MARKETING', cap, messages(100));
    expect(await acquire()).toMatchObject({ kind: 'empty', why: 'tenants' });
    const clock = new EngineClock();
    let granted = 0;
    for (let round = 0; round < 12; round += 1) {
      const dividers = [1, 2, 3].map(() => new TenantLeases(ledger, clock));
      const divisions = dividers.map((leases, i) =>
        leases.divide([
          {
            tenant,
            limits: cap,
            accounts: accounts.map((sendingAccountId, n) => ({ sendingAccountId, waiting: (round + i + n) % 3 })),
          },
        ]),
      );
      const grants = accounts.map((each) =>
        ledger.acquire(each, {
          opId: `lease-${String((sequence += 1))}`,
          epoch: 1n,
          want: 50,
          leadMs: 100,
          sliceMs: 1_000,
          workers: 1,
        }),
      );
      for (const reply of await Promise.all(grants)) granted += reply.kind === 'grant' ? reply.recipients : 0;
      await Promise.all(divisions);
      // A tenant at its limit is looked at again after five seconds.
      for (const each of accounts) {
        const key = `pf:{${each}}:park:mk`;
        for (const parked of await direct.zrange(key, 0, -1)) await direct.zadd(key, 0, parked);
      }
    }
    expect(granted).toBe(60);
  });

  it('has room for whole messages in the parts of a divided cap, as many as the cap itself has room for', async () => {
    const fast = { quota: -1n, rate: parseRate('2000'), sesSent: 0n };
    const others = ['a2', 'a3'].map((end) => `00000000-0000-7000-8000-0000000000${end}` as SendingAccountId);
    const accounts = [account, ...others];
    await ledger.observe(account, 1n, fast);
    for (const each of others) await ledger.rebuild(each, 1n, fast, [], new Map(), 0);
    const cap = { weight: 1, dayCap: 120n, rate: null, leased: true };
    for (const each of accounts) await ledger.offer(each, tenant, 'MARKETING', cap, messages(2, 50));
    const leases = new TenantLeases(ledger, new EngineClock());
    /** What each account is granted after a division of that cap. */
    const granted = async (dayCap: bigint) => {
      const limits = { ...cap, dayCap };
      for (const each of accounts) await ledger.offer(each, tenant, 'MARKETING', limits, []);
      const waiting = accounts.map((sendingAccountId) => ({ sendingAccountId, waiting: 1_000 }));
      expect(await leases.divide([{ tenant, limits, accounts: waiting }])).toEqual([true]);
      const recipients: number[] = [];
      for (const each of accounts) {
        // A tenant at its limit is looked at again after five seconds.
        const key = `pf:{${each}}:park:mk`;
        for (const parked of await direct.zrange(key, 0, -1)) await direct.zadd(key, 0, parked);
        const opId = `whole-${String((sequence += 1))}`;
        const request = { opId, epoch: 1n, want: 200, leadMs: 100, sliceMs: 1_000, workers: 1 };
        const reply = await ledger.acquire(each, request);
        recipients.push(reply.kind === 'grant' ? reply.recipients : 0);
      }
      return recipients;
    };
    // 40 for each would be room for none.
    expect(await granted(120n)).toEqual([50, 50, 0]);
    expect(await granted(120n)).toEqual([0, 0, 0]);
    expect(await granted(170n)).toEqual([0, 0, 50]);
  });

  it('divides the caps of thousands of tenants by some questions for each account, and one that has no ledger stops its own only', async () => {
    const [second, missing] = ['a2', 'a3'].map((end) => `00000000-0000-7000-8000-0000000000${end}` as SendingAccountId);
    if (second === undefined || missing === undefined) throw new Error('no accounts');
    await ledger.rebuild(second, 1n, limits, [], new Map(), 0);
    const divisions = Array.from({ length: 2_000 }, (_, i) => ({
      tenant: newId<TenantId>(),
      limits: { dayCap: 60n, rate: null },
      accounts: [account, i % 500 === 0 ? missing : second].map((sendingAccountId) => ({
        sendingAccountId,
        waiting: 1,
      })),
    }));
    const questions = async () => {
      const stats = await direct.info('commandstats');
      return [...stats.matchAll(/cmdstat_eval(?:sha)?:calls=(\d+)/g)].reduce(
        (sum, [, calls]) => sum + Number(calls),
        0,
      );
    };
    const before = await questions();
    const done = await new TenantLeases(ledger, new EngineClock()).divide(divisions);
    expect(await questions()).toBeLessThan(before + 100);
    expect(done).toEqual(divisions.map((_, i) => i % 500 !== 0));
    const [, { tenant: own } = { tenant }] = divisions;
    await ledger.offer(account, own, 'MARKETING', { weight: 1, dayCap: 60n, rate: null, leased: true }, messages(100));
    expect(await acquire()).toMatchObject({ kind: 'grant', recipients: 30 });
  });

  describe('where a tenant has come back to an account that it had left', () => {
    const cap = { weight: 1, dayCap: 60n, rate: null, leased: true };
    const elsewhere = '00000000-0000-7000-8000-0000000000a2' as SendingAccountId;
    const fast = { quota: -1n, rate: parseRate('2000'), sesSent: 0n };
    let leases: TenantLeases;
    const divide = async (...left: SendingAccountId[]) => {
      const accounts = [account, elsewhere].map((id) => ({
        sendingAccountId: id,
        ...(left.includes(id) ? { waiting: 0, usedBefore: () => Promise.resolve(0) } : { waiting: 1_000 }),
      }));
      expect(await leases.divide([{ tenant, limits: cap, accounts }])).toEqual([true]);
    };
    const acquireThere = () =>
      ledger.acquire(elsewhere, {
        opId: `there-${String((sequence += 1))}`,
        epoch: 1n,
        want: 100,
        leadMs: 100,
        sliceMs: 1_000,
        workers: 1,
      });

    beforeEach(async () => {
      await ledger.observe(account, 1n, fast);
      await ledger.rebuild(elsewhere, 1n, fast, [], new Map(), 0);
      leases = new TenantLeases(ledger, new EngineClock());
      await divide();
    });

    it('it has no part there of what was divided while it was away', async () => {
      await divide(account);
      await ledger.offer(elsewhere, tenant, 'MARKETING', cap, messages(100));
      await waitFor(async () => (await acquireThere()).kind === 'grant', { what: 'what it may send' });
      expect((await ledger.stats(elsewhere))?.used24h).toBe(60n);
      await ledger.offer(account, tenant, 'MARKETING', cap, messages(100));
      expect(await acquire()).toMatchObject({ kind: 'empty', why: 'tenants' });
    });

    it('it has no part there of a day ago either', async () => {
      const tomorrow = ledgerWith(
        new EngineClock(new SystemClock(), { baseMs: 0, speed: 1, offsetMs: 25 * 3_600_000 }),
      );
      await tomorrow.offer(account, tenant, 'MARKETING', cap, messages(100));
      expect(await acquire(tomorrow)).toMatchObject({ kind: 'empty', why: 'tenants' });
    });
  });

  it('divides a tenant’s cap anew although who did so last had a clock that was an hour ahead', async () => {
    const cap = { weight: 1, dayCap: 60n, rate: null, leased: true };
    await ledger.observe(account, 1n, { quota: -1n, rate: parseRate('2000'), sesSent: 0n });
    await ledger.offer(account, tenant, 'MARKETING', cap, messages(100));
    const ahead = new TenantLeases(ledger, new EngineClock(new ManualClock(new SystemClock().nowMs() + 3_600_000)));
    const accounts = [{ sendingAccountId: account, waiting: 1 }];
    expect(await ahead.divide([{ tenant, limits: { ...cap, dayCap: 20n }, accounts }])).toEqual([true]);
    const right = new TenantLeases(ledger, new EngineClock());
    const divide = () => right.divide([{ tenant, limits: cap, accounts }]);
    expect([await divide(), await divide()]).toEqual([[false], [true]]);
    expect(await acquire()).toMatchObject({ kind: 'grant', recipients: 60 });
  });

  it('tells what the tenants that wait were granted, by weight', async () => {
    const heavy = '00000000-0000-7000-8000-0000000000b2' as TenantId;
    await ledger.observe(account, 1n, { quota: -1n, rate: parseRate('30'), sesSent: 0n });
    await ledger.offer(account, tenant, 'MARKETING', free, messages(50));
    await ledger.offer(account, heavy, 'MARKETING', { ...free, weight: 3 }, messages(50));
    await waitFor(async () => (await acquire()).kind === 'grant', { what: 'a grant' });
    const served = await ledger.served(account);
    expect(served.map(({ tenantId, weight }) => [tenantId, weight]).sort()).toEqual([
      [tenant, 1],
      [heavy, 3],
    ]);
    expect(served.reduce((sum, { recipients }) => sum + recipients, 0)).toBeGreaterThan(0);
  });

  it('leaves nothing of an account that was removed, and grants nothing there', async () => {
    await ledger.setLanes(account, [{ laneId: newId<LaneId>(), dayCap: 1, hourCap: 1 }]);
    await ledger.offer(account, tenant, 'MARKETING', free, messages(5));
    for (const what of ['pump', 'feed', 'rebuild'] as const) await ledger.hold(account, what, 'w', 5_000);
    await acquire();
    await ledger.forget(account);
    expect(await direct.keys(`pf:{${account}}:*`)).toEqual([]);
    expect(await acquire()).toEqual({ kind: 'stale' });
    expect(await ledger.reslot(account, 'gone', 1n, 1)).toBeUndefined();
    expect(await ledger.settle(account, 'gone', [])).toBe(false);
    expect(await ledger.throttle(account)).toBe(1_000);
  });

  it('lets time stand still while the clock of Redis is an hour ahead, and goes on when it is back', async () => {
    const real = new SystemClock();
    await ledger.offer(account, tenant, 'MARKETING', free, messages(5));
    // The scripts' clock runs an hour ahead of what the caller says.
    const runner = new ScriptRunner(redis, new EngineClock());
    const jumped = Object.assign(Object.create(runner) as ScriptRunner, {
      clock: { scale: { baseMs: 0, speed: 1, offsetMs: 3_600_000 }, nowMs: () => real.nowMs() },
    });
    const ahead = new Ledger(jumped, new EngineClock());
    expect((await acquire(ahead, 'early')).kind).toBe('clock');
    await expect(ahead.rebuild(account, 9n, limits, [], new Map(), 0)).rejects.toThrow('clock');
    await ahead.observe(account, 1n, limits);
    expect((await acquire()).kind).toBe('grant');
  });

  it('is held by one pump at a time, and let go when its holder stops asking', async () => {
    const other = ledgerWith(new EngineClock());
    const lifeMs = 60_000;
    expect(await ledger.hold(account, 'pump', 'w1', lifeMs)).toBe(true);
    expect(await other.hold(account, 'pump', 'w2', lifeMs)).toBe(false);
    expect(await ledger.hold(account, 'pump', 'w1', lifeMs)).toBe(true);
    const key = `pf:{${account}}:lock:pump`;
    const left = await direct.pttl(key);
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThanOrEqual(lifeMs);
    // As if that had passed.
    await direct.pexpire(key, 1);
    await waitFor(() => other.hold(account, 'pump', 'w2', lifeMs), { what: 'the lock to be over' });
  });

  it('takes over a lock that was taken while the clock of Redis was an hour ahead', async () => {
    await direct.set(`pf:{${account}}:lock:feed`, 'gone', 'PX', 3_600_000);
    expect(await ledger.hold(account, 'feed', 'w1', 6_000)).toBe(true);
    expect(await ledgerWith(new EngineClock()).hold(account, 'feed', 'w2', 6_000)).toBe(false);
  });

  it('keeps a lock without waiting for the answer, and gives way once it hears that another has it', async () => {
    const host = new ManualClock(new SystemClock().nowMs());
    const holder = ledgerWith(new EngineClock(host));
    const lifeMs = 60_000;
    const hold = () => holder.hold(account, 'pump', 'w1', lifeMs);
    expect(await hold()).toBe(true);
    await direct.set(`pf:{${account}}:lock:pump`, 'w2');
    expect(await hold()).toBe(true);
    // Past half of its life it asks again.
    host.advance(lifeMs / 2 + 1);
    await waitFor(async () => !(await hold()), { what: 'the lock to be given up' });
    await direct.set(`pf:{${account}}:lock:pump`, 'w1');
    expect(await hold()).toBe(true);
  });

  it('renews a lock from half of its life on, before it is over', async () => {
    const host = new ManualClock(new SystemClock().nowMs());
    const holder = ledgerWith(new EngineClock(host));
    expect(await holder.hold(account, 'pump', 'w1', 60_000)).toBe(true);
    const key = `pf:{${account}}:lock:pump`;
    await direct.pexpire(key, 30_000);
    host.advance(29_000);
    expect(await holder.hold(account, 'pump', 'w1', 60_000)).toBe(true);
    expect(await direct.pttl(key)).toBeLessThanOrEqual(30_000);
    host.advance(2_000);
    expect(await holder.hold(account, 'pump', 'w1', 60_000)).toBe(true);
    await waitFor(async () => (await direct.pttl(key)) > 30_000, { what: 'the lock to be renewed' });
  });

  it('never grants more than the quota to any number of workers at once', async () => {
    await ledger.observe(account, 1n, { quota: 100n, rate: parseRate('100000'), sesSent: 0n });
    await ledger.offer(account, tenant, 'MARKETING', free, messages(500));
    const connections = await Promise.all(
      Array.from({ length: 4 }, async () => {
        const connection = openEngineRedis(test.url);
        await connection.connect();
        return connection;
      }),
    );
    const workers = connections.map((connection) => ledgerWith(new EngineClock(), connection));
    const grants = await Promise.all(workers.flatMap((worker) => Array.from({ length: 20 }, () => acquire(worker))));
    for (const connection of connections) connection.disconnect();
    const granted = grants.reduce((sum, grant) => sum + (grant.kind === 'grant' ? grant.recipients : 0), 0);
    expect(granted).toBe(100);
  });
});
