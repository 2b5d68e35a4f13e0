import type { FairQueueModel, Class } from './fair-queue-model';
import { limitsOf, type LaneState, type TenantState } from './limits-model';

const TURN = 8;
const FLOOR = 19;
const FLOOR_MAX = 950;
const SIDELINE = 10;
const LOAN_PART = 50;
const LEAST_LENDER = 9;
const SHARE_BURST_US = 60_000_000;

/** The reply of a script, as the script words it. */
export type ModelReply = readonly string[];

export interface ModelAcquire {
  readonly opId: string;
  readonly epoch: number;
  readonly runId: string;
  readonly want: number;
  readonly leadMs: number;
  readonly sliceMs: number;
  readonly workers: number;
  readonly lifeMs: number;
  readonly urgent?: boolean;
}

/** What one acquire works on; queues and tenants are changed in place. */
export interface GrantorState {
  readonly tat: number;
  readonly credit: number;
  /** When what was lent to transactional mail is paid back, and whether 429s forbid to lend. */
  readonly lent: number;
  readonly throttled: boolean;
  /** The paced rate as 429s have left it. */
  readonly num: number;
  readonly den: number;
  /** A fifth of the paced rate: the transactional share of one tenant. */
  readonly share: { readonly num: number; readonly den: number };
  /** Recipients the day has left for marketing: less than `room` while the reserve holds. */
  readonly bulkRoom: number;
  readonly queues: Readonly<Record<Class, FairQueueModel>>;
  readonly tenants: ReadonlyMap<string, TenantState>;
  readonly lanes: ReadonlyMap<string, LaneState>;
}

export interface Picked {
  readonly ids: readonly string[];
  readonly cost: number;
  readonly perTenant: ReadonlyMap<string, number>;
  readonly perLane: ReadonlyMap<string, number>;
  /** Lane of each id. */
  readonly laneOf: readonly string[];
  readonly transactional: number;
  readonly t0: number;
  /** When the rate clock and the loan are free. */
  readonly tat: number;
  readonly lent: number;
  readonly alone: boolean;
  readonly credit: number;
  /** Somebody's list ran out. */
  readonly ranDry: boolean;
}

interface Rules {
  readonly credit?: boolean;
  readonly share?: boolean;
  readonly mayWait: boolean;
  /** Only tenants with no more than one turn waiting. */
  readonly short?: boolean;
}

/** One acquire: the passes over the two classes. */
export class GrantorModel {
  private readonly t0: number;
  private readonly n: number;
  private readonly ids: string[] = [];
  private cost = 0;
  private waitUntil: number | undefined;
  private alone = false;
  private full = false;
  private sawRoom = false;
  private ranDry = false;
  private readonly spent: Record<Class, number> = { tx: 0, mk: 0 };
  private readonly perTenant = new Map<string, number>();
  private readonly perLane = new Map<string, number>();
  private readonly laneOf: string[] = [];
  private aside: (readonly [Class, string, number])[] = [];
  private readonly demoted: (readonly [string, number])[] = [];

  constructor(
    private readonly s: GrantorState,
    private readonly p: ModelAcquire,
    private readonly now: number,
    private readonly room: number,
    private readonly waiting: Record<Class, number>,
  ) {
    this.t0 = p.urgent === true ? now : Math.max(this.s.tat, now + p.leadMs * 1000);
    const fits = p.urgent === true ? this.lendable() : this.fits(this.t0, this.s.num, this.s.den);
    this.n = Math.max(0, Math.min(p.want, fits));
  }

  run(): Picked | { readonly reply: ModelReply } {
    let credit = this.waiting.mk === 0 ? 0 : this.s.credit;
    const urgent = this.p.urgent === true;
    let loud = 0;
    const { num, den, throttled } = this.s;
    if (urgent && (this.n <= 0 || throttled || num < den * LEAST_LENDER)) {
      return { reply: ['EMPTY', String(this.now), 'rate', String(Math.max(this.now, this.s.lent))] };
    }
    if (!urgent && this.waiting.tx > 0 && credit >= FLOOR) {
      this.serve('mk', Math.floor(credit / FLOOR), { credit: true, mayWait: true });
      this.restore();
    }
    this.serve('tx', Number.POSITIVE_INFINITY, { share: true, mayWait: !urgent });
    for (const [tenant, start] of this.demoted) this.s.queues.tx.set(tenant, start);
    if (this.demoted.length > 0 && !urgent) {
      this.serve('mk', Math.ceil(Math.max(0, this.n - this.cost) / 2), { mayWait: false });
      this.restore();
      loud = this.spent.tx;
      this.serve('tx', Number.POSITIVE_INFINITY, { mayWait: true });
      loud = this.spent.tx - loud;
    }
    if (urgent) this.serve('mk', Math.floor((this.n - this.cost) / 2), { short: true, mayWait: false });
    else this.serve('mk', Number.POSITIVE_INFINITY, { mayWait: true });
    this.restore();
    if (this.cost === 0) return { reply: this.empty() };
    const earned = this.spent.tx + (FLOOR - 1) * loud - FLOOR * this.spent.mk;
    if (this.waiting.mk > 0) credit = Math.max(0, Math.min(FLOOR_MAX, credit + earned));
    const { ids, cost, perTenant, perLane, laneOf, t0, alone, ranDry } = this;
    const tat = Math.ceil(Math.max(this.s.tat, t0) + (cost * 1_000_000 * den) / num);
    const lent = urgent ? Math.ceil(this.lent + (cost * this.horizonUs) / this.loan) : this.s.lent;
    return {
      ids,
      cost,
      perTenant,
      perLane,
      laneOf,
      t0,
      tat,
      lent,
      alone,
      credit,
      ranDry,
      transactional: this.spent.tx,
    };
  }

  /** A fiftieth of a second's recipients, within lead and slice. */
  private lendable(): number {
    return Math.floor(((this.horizonUs - (this.lent - this.now)) * this.loan) / this.horizonUs);
  }

  private get loan(): number {
    return Math.ceil(this.s.num / (this.s.den * LOAN_PART));
  }

  private get lent(): number {
    return Math.max(this.now, this.s.lent);
  }

  private get horizonUs(): number {
    return (this.p.leadMs + this.p.sliceMs) * 1000;
  }

  private empty(): ModelReply {
    if (this.waitUntil !== undefined)
      return ['EMPTY', String(this.now), 'rate', String(Math.ceil(Math.max(this.now, this.waitUntil)))];
    if (!this.sawRoom && this.s.queues.tx.size + this.s.queues.mk.size > 0)
      return ['EMPTY', String(this.now), 'day', String(this.now + 1_000_000)];
    return ['EMPTY', String(this.now), 'tenants', String(this.now + 100_000)];
  }

  private serve(klass: Class, budget: number, rules: Rules): void {
    const queue = this.s.queues[klass];
    const before = this.spent[klass];
    const asides = this.aside.length;
    const earned = () => budget - (this.spent[klass] - before);
    const left = () => Math.min(earned(), this.n - this.cost);
    while (this.waitUntil === undefined && !this.alone && !this.full) {
      if ((this.cost > 0 || rules.credit === true) && left() <= 0) return;
      if (this.roomOf(klass) - this.cost <= 0) return;
      const popped = queue.pop();
      if (!popped) return;
      const tenant = this.s.tenants.get(popped.tenant);
      if (!tenant) throw new Error('a queued tenant without limits');
      const { taken, weighed, verdict } = this.turn(klass, popped.tenant, tenant, rules, left, earned);
      this.ranDry ||= taken > 0 && queue.list(popped.tenant).length === 0;
      let start = popped.start;
      if (taken > 0)
        start = queue.advance(popped.tenant, popped.start, Math.floor((weighed * 1_000_000) / tenant.weight));
      if (verdict === 'turn') queue.setIfWaiting(popped.tenant, start);
      else if (verdict === 'park') queue.park(popped.tenant, start, Math.floor((this.now + 5_000_000) / 1000));
      else if (verdict === 'demoted') this.demoted.push([popped.tenant, start]);
      else if (verdict === 'aside' || verdict === 'saves') {
        this.aside.push([klass, popped.tenant, start]);
        if (verdict === 'saves') return;
        if (rules.short === true && this.aside.length - asides >= TURN) return;
      }
    }
  }

  private turn(
    klass: Class,
    name: string,
    tenant: TenantState,
    rules: Rules,
    left: () => number,
    earned: () => number,
  ) {
    let [taken, weighed] = [0, 0];
    const result = (verdict: string) => ({ taken, weighed, verdict });
    if (rules.short === true && this.s.queues[klass].list(name).length > TURN) return result('aside');
    if (klass === 'tx' && rules.share === true && Math.max(tenant.txt, this.now) - this.now > SHARE_BURST_US)
      return result('demoted');
    tenant.ring.expire(this.now);
    const lane = this.s.lanes.get(tenant.lanes[klass]);
    lane?.dayRing.expire(this.now);
    lane?.hourRing.expire(this.now);
    for (;;) {
      const head = this.s.queues[klass].list(name)[0];
      if (!head) return result('empty');
      if (taken > 0 && taken + head.cost > TURN) return result('turn');
      if (head.cost > this.roomOf(klass) - this.cost) return result('aside');
      this.sawRoom = true;
      if (this.capped(name, tenant, tenant.lanes[klass], lane, head.cost)) return result(taken > 0 ? 'turn' : 'park');
      if (head.cost > left()) {
        if (taken > 0) return result('turn');
        if (head.cost > earned()) return result(rules.credit === true ? 'saves' : 'aside');
        if (!rules.mayWait) return result('aside');
        if (this.cost > 0) {
          this.full = true;
          return result('aside');
        }
        if (this.s.tat > this.now + this.p.leadMs * 1000) {
          this.waitUntil = this.nextChance(this.s.tat, head.cost);
          return result('aside');
        }
        this.alone = true;
      }
      weighed += this.take(klass, name, tenant, head);
      taken += head.cost;
      if (this.alone) return result('turn');
    }
  }

  /** Moves the message into the grant, and answers what it counts for in the queue. */
  private take(klass: Class, name: string, tenant: TenantState, head: { id: string; cost: number }): number {
    this.s.queues[klass].list(name).shift();
    this.ids.push(`${name}:${head.id}:${String(head.cost)}:${klass}`);
    this.cost += head.cost;
    this.spent[klass] += head.cost;
    this.perTenant.set(name, (this.perTenant.get(name) ?? 0) + head.cost);
    const lane = tenant.lanes[klass];
    this.laneOf.push(lane);
    if (this.s.lanes.has(lane)) this.perLane.set(lane, (this.perLane.get(lane) ?? 0) + head.cost);
    if (klass === 'tx')
      tenant.txt = Math.ceil(
        Math.max(tenant.txt, this.now) + (head.cost * 1_000_000 * this.s.share.den) / this.s.share.num,
      );
    const { num, den } = limitsOf(tenant, this.now);
    if (num <= 0) return head.cost;
    const soonest = this.now + this.p.leadMs * 1000;
    if (tenant.tat > soonest && head.cost > this.fits(tenant.tat, num, den)) return head.cost * SIDELINE;
    tenant.tat = Math.ceil(Math.max(tenant.tat, soonest) + (head.cost * 1_000_000 * den) / num);
    return head.cost;
  }

  private roomOf(klass: Class): number {
    return klass === 'mk' ? this.s.bulkRoom : this.room;
  }

  private capped(
    name: string,
    tenant: TenantState,
    laneName: string,
    lane: LaneState | undefined,
    cost: number,
  ): boolean {
    const { cap } = limitsOf(tenant, this.now);
    if (cap >= 0 && tenant.ring.sum + (this.perTenant.get(name) ?? 0) + cost > cap) return true;
    if (!lane) return false;
    const more = (this.perLane.get(laneName) ?? 0) + cost;
    return (
      (lane.day >= 0 && lane.dayRing.sum + more > lane.day) || (lane.hour >= 0 && lane.hourRing.sum + more > lane.hour)
    );
  }

  private fits(from: number, num: number, den: number): number {
    return Math.floor(((this.now + this.p.leadMs * 1000 + this.p.sliceMs * 1000 - from) * num) / (den * 1_000_000));
  }

  private nextChance(free: number, cost: number): number {
    const lead = this.p.leadMs * 1000;
    const { num, den } = this.s;
    if (cost <= this.fits(this.now + lead, num, den))
      return free + (cost * 1_000_000 * den) / num - lead - this.p.sliceMs * 1000;
    return free - lead;
  }

  private restore(): void {
    for (const [klass, tenant, start] of this.aside) this.s.queues[klass].set(tenant, start);
    this.aside = [];
  }
}
