import type { TenantId } from '@libs/kernel';
import type { EngineParts } from './broken-engine';
import { SimulatedHost } from './world/simulated-process';
import { EPOCH_MS } from './world/virtual-time';
import type { TickPace } from './world/worker';
import { World } from './world/world';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
const TENANTS = 4;
/** Messages that wait per tenant, so that quota alone binds: minutes of the account's rate; feeding reads them again and again. */
const BACKLOG = 120;
const REFILL_MS = 20_000;
/** A worker is killed this often on average, Redis restarted and a worker frozen this often. */
const KILL_MS = 30 * MINUTE_MS;
const RESTART_MS = 30 * HOUR_MS;
const FREEZE_MS = 7 * HOUR_MS;

/**
 * A month is two and a half million seconds: what need not be looked at twice a second is looked at once a minute. Every
 * worker has these ticks at moments of its own, so eight of them look every few seconds.
 */
const PACE: TickPace = {
  ledger: 30_000,
  observe: 2 * MINUTE_MS,
  observePaused: 2 * MINUTE_MS,
  pumps: 10_000,
  feed: MINUTE_MS,
  sweep: 30_000,
  resolve: MINUTE_MS,
  expire: 10 * MINUTE_MS,
  reroute: 10 * MINUTE_MS,
};

export interface MonthOptions {
  readonly days: number;
  readonly workers: number;
  readonly seed: number;
  /** Recipients per rolling 24 h and per second. */
  readonly quota: number;
  readonly rate: number;
  readonly engine: EngineParts;
  /** Told after every simulated day. */
  readonly onDay: (day: number) => void;
}

export interface MonthResult {
  readonly days: number;
  readonly workers: number;
  /** Mean of what SES's exact rolling day holds, as a share of the quota, from the second day on. */
  readonly quotaUsed: number;
  readonly exceedances: number;
  readonly lost: number;
  readonly duplicates: number;
  readonly violations: number;
  readonly crashes: number;
  readonly messages: number;
}

/**
 * One account whose daily quota binds all month, mail always waiting, workers killed all the time. Every worker sends; one
 * of them at a time asks the ledger, because a refused question costs as much to simulate as a granted one.
 */
export class Month {
  private readonly world: World;
  private readonly hosts: readonly SimulatedHost[];
  private readonly chance;
  private integral = 0;

  constructor(private readonly options: MonthOptions) {
    this.world = new World({
      seed: options.seed,
      ...options.engine,
      pace: PACE,
      workersAtMost: options.workers,
      inDoubtAfterMs: { TRANSACTIONAL: 90_000, MARKETING: 300_000 },
      pumpsAtMost: 1,
      onTaken: (recipients) => {
        this.count(recipients);
      },
    });
    this.chance = this.world.chance.fork();
    this.hosts = Array.from(
      { length: Math.ceil(options.workers / 2) },
      (_, n) => new SimulatedHost(`host${String(n)}`),
    );
    for (const port of ['postgres', 'redis'] as const)
      Object.assign(this.world.wire.health[port], { leastMs: 1, mostMs: 0 });
  }

  async play(): Promise<MonthResult> {
    const { world, options } = this;
    this.populate();
    for (let n = 0; n < options.workers; n += 1) world.startWorker(this.chance.pick(this.hosts));
    this.trouble();
    for (let day = 1; day <= options.days; day += 1) {
      await world.time.playUntil(day * DAY_MS);
      options.onDay(day);
    }
    return this.result();
  }

  private populate(): void {
    const { world } = this;
    const account = world.addAccount(this.options.quota, this.options.rate);
    const tenants = Array.from({ length: TENANTS }, () => world.addTenant({ weight: 1, dayCap: null, rate: null }));
    const refill = (tenant: TenantId) => {
      const missing = BACKLOG - world.tables.ready(account, 'MARKETING', tenant).size;
      const counts = Array.from({ length: Math.max(0, missing) }, () => (this.chance.happens(0.8) ? 50 : 1));
      if (counts.length > BACKLOG / 4) world.accept(account, tenant, 'MARKETING', counts);
      world.time.at(REFILL_MS, () => {
        refill(tenant);
      });
    };
    for (const tenant of tenants) refill(tenant);
    this.every(
      HOUR_MS,
      () => HOUR_MS,
      () => {
        world.forgetBefore(EPOCH_MS + world.time.nowMs - 2 * HOUR_MS, EPOCH_MS + world.time.nowMs - DAY_MS - HOUR_MS);
      },
    );
  }

  private trouble(): void {
    const { world, chance } = this;
    const anyTime = (meanMs: number) => () => -Math.log(1 - chance.next()) * meanMs;
    world.onDeath = ({ process }) => {
      world.time.at(chance.between(500, 10_000), () => {
        world.startWorker(process.host);
      });
    };
    this.every(KILL_MS, anyTime(KILL_MS), () => {
      world.kill(chance.pick(world.workers));
    });
    this.every(RESTART_MS, anyTime(RESTART_MS), () => {
      world.redis.runId = world.nextRunId();
      world.trace.note(`Redis restarts as ${world.redis.runId}`);
    });
    this.every(FREEZE_MS, anyTime(FREEZE_MS), () => {
      const { process } = chance.pick(world.workers);
      process.freeze();
      world.time.at(chance.between(1_000, 60_000), () => {
        process.thaw();
      });
    });
  }

  private every(firstMs: number, nextMs: () => number, work: () => void): void {
    this.world.time.at(firstMs, () => {
      work();
      this.every(nextMs(), nextMs, work);
    });
  }

  /** A send counts in SES's rolling day for 24 hours; of those, the part between the second day and the end. */
  private count(recipients: number): void {
    const now = this.world.time.nowMs;
    const counted = Math.min(now + DAY_MS, this.options.days * DAY_MS) - Math.max(now, DAY_MS);
    if (counted > 0) this.integral += recipients * counted;
  }

  private result(): MonthResult {
    const { world, options } = this;
    for (const message of world.tables.messages.values()) world.checker.judge(message);
    const { counts, duplicates } = world.checker;
    const share = this.integral / (options.quota * (options.days - 1) * DAY_MS);
    return {
      days: options.days,
      workers: options.workers,
      quotaUsed: Math.floor(share * 10_000) / 10_000,
      exceedances: counts.get('over-quota') ?? 0,
      lost: counts.get('lost') ?? 0,
      duplicates,
      violations: [...counts.values()].reduce((sum, count) => sum + count, 0),
      crashes: world.crashes,
      messages: world.accepted,
    };
  }
}
