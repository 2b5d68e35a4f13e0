import type { MessageId, SendingAccountId, Stream, TenantId } from '@libs/kernel';
import type { TenantLimits } from '@libs/quota';
import type { EngineParts } from './broken-engine';
import { Chance } from './chance';
import { breakSomething, cutLimits, loseAnswersAndEvents, loseLedgers } from './faults';
import { SimulatedHost } from './world/simulated-process';
import { EPOCH_MS } from './world/virtual-time';
import type { MessageRow } from './world/tables';
import type { TickPace } from './world/worker';
import { World } from './world/world';

const DAY_MS = 86_400_000;
/** The evening that uses the quota up, until the workers are stopped for the night. */
const EVENING_MS = 240_000;
/** The workers come back this long before the quota of the evening frees again. */
const BEFORE_DAY_MS = 45_000;
const MORNING_MS = 330_000;
/** Until the quota is used up, about: a worker that is killed later has nothing in its hands. */
const WHILE_IT_FLOWS_MS = 80_000;
/** Without faults, for everything to end that can end. */
const REST_MS = 260_000;

/** What waits that long without anything of its account being sent is starved. */
const WAITED_MS = 30_000;
/** Slots, requests and the sweeper's patience: after that somebody must have ended an attempt. */
const ABANDONED_MS = 200_000;
/** Recipients that the ledger keeps free at most. */
const HEADROOM = 80;

/** A tick costs steps; these runs are short, so half as often as a worker would is often enough. */
const PACE: TickPace = {
  ledger: 1_000,
  observe: 60_000,
  observePaused: 10_000,
  pumps: 1_000,
  feed: 1_000,
  sweep: 2_000,
  resolve: 3_000,
  expire: 10_000,
  reroute: 5_000,
};

interface Line {
  readonly account: SendingAccountId;
  readonly tenant: TenantId;
  readonly stream: Stream;
  readonly policy: 'AT_LEAST_ONCE' | 'AT_MOST_ONCE';
  /** How long its messages may wait. */
  readonly expiresAfterMs: number;
}

export interface RunOptions extends EngineParts {
  readonly print?: (line: string) => void;
}

/**
 * One seed: some accounts with quotas that an evening uses up, some tenants, and faults. The night between evening and
 * morning is skipped, with every worker stopped: what happens exactly a day after the evening is what counts.
 */
export class Scenario {
  readonly world: World;
  private readonly chance: Chance;
  private readonly lines: Line[] = [];
  private readonly hosts: SimulatedHost[];
  private readonly workers: number;
  private equal: { readonly tenants: readonly TenantId[]; readonly largest: number } | undefined;
  private largest = 1;
  private night = false;

  constructor(
    readonly seed: number,
    options: RunOptions,
  ) {
    this.world = new World({ seed, pace: PACE, ...options });
    this.chance = this.world.chance.fork();
    this.workers = this.chance.whole(1, 4);
    this.hosts = Array.from({ length: Math.min(this.workers, 3) }, (_, n) => new SimulatedHost(`host${String(n + 1)}`));
    this.settle();
  }

  async play(): Promise<World> {
    const { world } = this;
    this.startAll();
    this.trickle(EVENING_MS);
    await world.time.playUntil(5_000);
    const early = this.served();
    await world.time.playUntil(20_000);
    this.judgeFairness(early);
    this.faults(20_000, this.chance.pick([WHILE_IT_FLOWS_MS, EVENING_MS - 40_000]));
    if (this.chance.happens(0.3)) {
      world.time.at(this.chance.between(0, 30_000), () => {
        loseAnswersAndEvents(world, this.chance);
      });
    }
    await world.time.playUntil(EVENING_MS);
    this.goHome();
    await world.time.playUntil(DAY_MS - BEFORE_DAY_MS);
    this.fill(0.8);
    this.startAll();
    this.trickle(MORNING_MS);
    // Long enough for the ledger to have known of it while mail still waits.
    if (this.chance.happens(0.5)) cutLimits(world, this.chance, MORNING_MS);
    this.faults(10_000, this.chance.pick([BEFORE_DAY_MS + WHILE_IT_FLOWS_MS, MORNING_MS]));
    await world.time.playUntil(DAY_MS - BEFORE_DAY_MS + MORNING_MS);
    this.calm();
    await world.time.playUntil(DAY_MS - BEFORE_DAY_MS + MORNING_MS + REST_MS);
    this.judgeEnd();
    return world;
  }

  private settle(): void {
    const { chance, world } = this;
    // Fast events settle what a worker left before the next one can do anything wrong with it.
    if (chance.happens(0.6)) Object.assign(world.events, { leastMs: 2_000, mostMs: 15_000 });
    this.largest = chance.pick([1, 1, 3, 50]);
    for (let n = chance.whole(1, 2); n > 0; n -= 1) {
      const rate = chance.pick([1, 4, 8, 14]);
      const account = world.addAccount(chance.whole(30, 80) * rate + this.largest, rate);
      const equal = chance.happens(0.5);
      for (let m = chance.whole(1, 4); m > 0; m -= 1) {
        const limits: TenantLimits = {
          weight: equal ? 1 : chance.whole(1, 4),
          dayCap: !equal && chance.happens(0.4) ? BigInt(chance.whole(20, 200)) : null,
          rate: !equal && chance.happens(0.1) ? { num: chance.whole(1, 4), den: 1 } : null,
        };
        this.lines.push({
          account,
          tenant: world.addTenant(limits),
          stream: equal || chance.happens(0.7) ? 'MARKETING' : 'TRANSACTIONAL',
          policy: chance.happens(0.15) ? 'AT_MOST_ONCE' : 'AT_LEAST_ONCE',
          expiresAfterMs: !equal && chance.happens(0.2) ? chance.whole(2, 40) * 60_000 : 2 * DAY_MS,
        });
      }
      const here = this.lines.filter((line) => line.account === account).map((line) => line.tenant);
      if (equal && here.length > 1) this.equal = { tenants: here, largest: this.largest };
    }
    if (chance.happens(0.4)) this.settleAtCap();
    this.fill(1.2);
  }

  /** A tenant whose own cap is all that keeps its mail back, when its ledger is lost: the rebuilt one must know of its use. */
  private settleAtCap(): void {
    const { chance, world } = this;
    const cap = chance.whole(20, 60);
    this.lines.push({
      account: world.addAccount(3 * cap + this.largest, chance.pick([4, 8])),
      tenant: world.addTenant({ weight: 1, dayCap: BigInt(cap), rate: null }),
      stream: 'MARKETING',
      policy: 'AT_LEAST_ONCE',
      expiresAfterMs: 2 * DAY_MS,
    });
    world.time.at(chance.between(20_000, EVENING_MS - 60_000), () => {
      loseLedgers(world, chance);
    });
  }

  /** Messages for so many times the quota of each account, shared among its lines. */
  private fill(share: number): void {
    for (const line of this.lines) {
      const { quota } = this.world.provider.getAccount(line.account);
      const beside = this.lines.filter((one) => one.account === line.account).length;
      this.accept(line, Math.ceil((quota * share) / beside));
    }
  }

  private accept(line: Line, recipients: number): MessageId[] {
    const counts: number[] = [];
    for (let left = recipients; left > 0;) {
      const count = Math.min(left, this.chance.happens(0.7) ? 1 : this.chance.whole(1, this.largest));
      counts.push(count);
      left -= count;
    }
    return this.world.accept(line.account, line.tenant, line.stream, counts, line);
  }

  /** A few more messages now and then, some of them cancelled. */
  private trickle(forMs: number): void {
    const until = this.world.time.nowMs + forMs;
    const next = () => {
      if (this.world.time.nowMs > until) return;
      const ids = this.accept(this.chance.pick(this.lines), this.chance.whole(1, 5));
      if (this.chance.happens(0.1))
        this.world.time.at(this.chance.between(100, 20_000), () => {
          this.cancel(ids);
        });
      this.world.time.at(this.chance.between(1_000, 15_000), next);
    };
    next();
  }

  private cancel(ids: readonly MessageId[]): void {
    for (const id of ids) {
      const row = this.world.tables.messages.get(id);
      if (row?.state === 'READY') this.world.tables.setMessage(row, { state: 'CANCELED' });
    }
  }

  private startAll(): void {
    const { world } = this;
    this.night = false;
    world.onDeath = (worker) => {
      const back = this.chance.happens(0.75) ? worker.process.host : this.chance.pick(this.hosts);
      world.time.at(
        this.chance.happens(0.9) ? this.chance.between(300, 8_000) : this.chance.between(20_000, 150_000),
        () => {
          if (!this.night && world.workers.length < this.workers) world.startWorker(back);
        },
      );
    };
    for (let n = 0; n < this.workers; n += 1) {
      const host = this.hosts[n % this.hosts.length];
      if (host) world.startWorker(host);
    }
  }

  private faults(fromMs: number, toMs: number): void {
    for (let n = this.chance.whole(2, 6); n > 0; n -= 1) {
      this.world.time.at(this.chance.between(fromMs, toMs), () => {
        breakSomething(this.world, this.chance, this.hosts);
      });
    }
  }

  /** Every worker is stopped: some politely, some not. */
  private goHome(): void {
    const { world } = this;
    this.night = true;
    for (const worker of [...world.workers]) {
      if (this.chance.happens(0.5)) world.kill(worker, 'is killed for the night');
      else {
        void worker.drain().then(() => {
          if (world.workers.includes(worker)) world.buried(worker);
        });
        world.time.at(30_000, () => {
          world.kill(worker, 'did not stop in time');
        });
      }
    }
  }

  private calm(): void {
    const { world } = this;
    world.trace.note('no more faults');
    world.crashAtStep = 0;
    if (world.workers.length === 0) for (const host of this.hosts) world.startWorker(host);
  }

  private served(): ReadonlyMap<TenantId, number> {
    return new Map(this.world.checker.perTenant);
  }

  /** Equal tenants with enough waiting are served alike: start-time fair queueing's bound, in recipients. */
  private judgeFairness(before: ReadonlyMap<TenantId, number>): void {
    if (!this.equal) return;
    const { tenants, largest } = this.equal;
    const counts = tenants.map((id) => (this.world.checker.perTenant.get(id) ?? 0) - (before.get(id) ?? 0));
    const apart = Math.max(...counts) - Math.min(...counts);
    const bound = 4 * (8 + largest);
    if (apart > bound)
      this.world.checker.violate('unfair', `equal tenants were served ${counts.join(', ')} recipients`);
  }

  private judgeEnd(): void {
    const { world } = this;
    const now = EPOCH_MS + world.time.nowMs;
    world.checker.judgeSilence();
    for (const message of world.tables.messages.values()) {
      world.checker.judge(message);
      const name = world.trace.name('message', message.id);
      if (message.state === 'INTENT' && this.isOld(message)) {
        world.checker.violate('stuck', `${name} is still INTENT`);
      }
      if (message.state === 'READY' && (message.notBeforeMs ?? 0) < now - WAITED_MS && this.couldGo(message)) {
        world.checker.violate('starved', `${name} waits although its account has room`);
      }
    }
  }

  /** Its attempt began so long ago that somebody must have ended it. */
  private isOld({ id }: MessageRow): boolean {
    const began = [...this.world.tables.attempts.values()].filter((attempt) => attempt.messageId === id);
    const last = Math.max(...began.map((attempt) => attempt.createdMs));
    return last < EPOCH_MS + this.world.time.nowMs - ABANDONED_MS;
  }

  /** The account has sent nothing for a while, and has room for the largest message and the headroom. */
  private couldGo({ tenantId, accountId }: MessageRow): boolean {
    const tenant = this.world.tables.tenants.get(tenantId);
    if (!tenant || tenant.paused || tenant.limits.dayCap !== null || tenant.limits.rate !== null) return false;
    if ((this.world.checker.lastTaken.get(accountId) ?? 0) > this.world.time.nowMs - WAITED_MS) return false;
    const { quota, sent } = this.world.provider.getAccount(accountId);
    return this.idleRoom(accountId) && quota - sent > this.largest + HEADROOM;
  }

  private idleRoom(account: SendingAccountId): boolean {
    const ledger = this.world.redis.ledgers.get(account);
    return ledger !== undefined && ledger.q - ledger.used - ledger.ext > this.largest + HEADROOM;
  }
}
