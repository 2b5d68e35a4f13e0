import { FairQueueModel, type Class, type ModelOffer } from './fair-queue-model';
import { endOf, giveBack, type Grant } from './grant-model';
import { GrantorModel, type ModelAcquire, type ModelReply, type Picked } from './grantor-model';
import { chargedLane, givePart, newLane, newTenant, partOf, useOf } from './limits-model';
import type { LaneState, Part, TenantState } from './limits-model';
import type { LedgerFault } from './ledger-fault';
import { PaceModel } from './pace-model';
import { ReserveModel } from './reserve-model';
import { RingModel } from './ring-model';
import { FARTHEST_SLOT_MS, MOST_OWED, SLICE_AND_LEAD_MS } from '../slot-times.policy';

/**
 * What the scripts do, said once more without Redis: properties run on it, and real Redis is compared with it, reply by
 * reply. Times are microseconds of engine time unless named otherwise.
 */
export class LedgerModel {
  epoch = 0;
  private pending = 0;
  private runId = '';
  q = 0;
  num = 0;
  den = 1;
  ext = 0;
  private tat = 0;
  private lent = 0;
  private last = 0;
  private frozenMs = 0;
  private credit = 0;
  private exists = false;
  private ring: RingModel;
  private pace = new PaceModel();
  private reserve = ReserveModel.none;
  private tenants = new Map<string, TenantState>();
  private readonly lanes = new Map<string, LaneState>();
  private queues: Record<Class, FairQueueModel> = { tx: new FairQueueModel(), mk: new FairQueueModel() };
  private known = new Set<string>();
  private grants = new Map<string, Grant>();
  private late: { dueMs: number; tenant: string; lane: string; bucket: number; n: number }[] = [];
  /** What the caller of the next call believes the time to be, milliseconds; 0 = it is not compared. */
  callerMs = 0;
  /** Whether somebody's list ran out with the last grant. */
  ranDry = false;
  private readonly counted: number;

  constructor(
    private readonly bucketMs: number,
    private readonly buckets: number,
    private readonly fault?: LedgerFault,
    private readonly toleranceMs = 5_000,
  ) {
    this.counted = fault === 'frees-early' ? Math.floor(86_400_000 / bucketMs) : buckets;
    this.ring = new RingModel(bucketMs, this.counted, 0);
  }

  get used(): number {
    return this.ring.sum;
  }

  /** True when it was rebuilt on the Redis of that run id. */
  isOf(runId: string): boolean {
    return this.exists && this.runId === runId;
  }

  inflightOps(): string[] {
    return [...this.grants.keys()];
  }

  rebuild(
    nowUs: number,
    epoch: number,
    runId: string,
    q: number,
    num: number,
    den: number,
    ses: number,
    used: readonly [number, number][],
    pauseUs = 1_000_000,
  ): boolean {
    if (Math.max(this.epoch, this.pending) >= epoch || this.differs(nowUs)) return false;
    const ring = new RingModel(this.bucketMs, this.counted, nowUs);
    const current = this.bucketAt(nowUs);
    for (const [bucket, n] of used) ring.charge(Math.min(current, bucket), n);
    const sum = ring.sum;
    if (this.fault === 'ignores-cuts') q = Math.max(q, this.q);
    Object.assign(this, {
      exists: true,
      epoch: 0,
      pending: epoch,
      runId,
      q,
      num,
      den,
      ext: Math.max(0, ses - sum),
      tat: nowUs + pauseUs,
      lent: 0,
      last: nowUs,
      frozenMs: 0,
      credit: 0,
      ring,
      pace: new PaceModel(),
      reserve: ReserveModel.none,
      tenants: new Map(),
      known: new Set(),
      grants: new Map(),
      late: [],
      queues: { tx: new FairQueueModel(), mk: new FairQueueModel() },
    });
    return true;
  }

  open(epoch: number): boolean {
    if (this.pending === 0 || this.pending !== epoch) return false;
    this.pending = 0;
    this.epoch = epoch;
    return true;
  }

  /** What a tenant used before the rebuild; before the ledger is opened. */
  chargeTenant(nowUs: number, epoch: number, name: string, used: readonly [number, number][]): boolean {
    if (this.pending === 0 || this.pending !== epoch) return false;
    const { ring } = newTenant(this.bucketMs, this.buckets, nowUs);
    const current = this.bucketAt(nowUs);
    if (this.fault !== 'forgets-tenants') {
      for (const [bucket, n] of used) ring.charge(Math.min(current, bucket), n);
    }
    // Somebody may have offered its messages since.
    const known = this.tenants.get(name) ?? newTenant(this.bucketMs, this.buckets, nowUs);
    this.tenants.set(name, { ...known, ring });
    return true;
  }

  /** What a lane with caps used before. */
  chargeLane(realUs: number, name: string, used: readonly [number, number][]): boolean {
    const known = this.lanes.get(name);
    if (!known || !this.exists) return false;
    const nowUs = this.now(realUs);
    this.lanes.set(name, chargedLane(known, newLane(this.bucketMs, this.buckets, nowUs), this.bucketAt(nowUs), used));
    return true;
  }

  laneUse(nowUs: number): ReturnType<typeof useOf>[] {
    return [...this.lanes].map(([name, lane]) => useOf(name, lane, nowUs));
  }

  /** What is charged by then, without what will have been dropped. */
  usedAt(nowUs: number): number {
    return this.ring.sumAt(nowUs);
  }

  /** Until when it is frozen, what 429s have left of its rate, and when the rate clock is free. */
  rateClock(nowUs: number): readonly [number, number, number] {
    return [this.frozenMs, this.pace.at(nowUs), this.tat];
  }

  /** When the oldest of what is charged then is dropped, or so much of it that there is room below the quota. */
  roomReturnsUs(nowUs: number): number {
    const headroom = Math.floor((this.q * 5) / 10_000);
    const leaving = this.q >= 0 ? this.usedAt(nowUs) + this.ext + headroom - this.q + 1 : 0;
    return this.ring.nextReleaseUs(nowUs, Math.max(1, leaving));
  }

  /** Grants whose time is over and that nobody settled, the longest overdue first. */
  overdue(nowUs: number, limit: number): { opId: string; bucket: number; cost: number; ids: readonly string[] }[] {
    return [...this.grants]
      .filter(([, grant]) => Math.floor(grant.deadline / 1000) <= Math.floor(nowUs / 1000))
      .sort((a, b) => a[1].deadline - b[1].deadline)
      .slice(0, limit)
      .map(([opId, { bucket, cost, ids }]) => ({ opId, bucket, cost, ids }));
  }

  /** The ready lists of tenants that wait, or are parked at limits of their own. */
  lists(): { tenant: string; class: Class; length: number; parked: boolean }[] {
    return (['tx', 'mk'] as const).flatMap((klass) =>
      this.queues[klass].lengths().map((one) => ({ ...one, class: klass })),
    );
  }

  offer(nowUs: number, offer: ModelOffer): number {
    const tenant = this.tenants.get(offer.tenant) ?? newTenant(this.bucketMs, this.buckets, nowUs);
    const { weight, num, den, lane, leased = false } = offer;
    const cap = this.fault === 'ignores-caps' ? -1 : offer.cap;
    const isOther = tenant.cap !== cap || tenant.leased !== leased;
    Object.assign(tenant, { weight, cap, num, den, leased });
    for (const each of isOther ? Object.values(this.queues) : []) each.letGo(offer.tenant);
    if (lane !== undefined) tenant.lanes[offer.class] = lane;
    this.tenants.set(offer.tenant, tenant);
    const queue = this.queues[offer.class];
    let queued = 0;
    const length = queue.list(offer.tenant).length;
    for (const entry of offer.entries) {
      if (length + queued >= offer.most) break;
      const key = knownKey(offer.class, offer.tenant, entry.id);
      if (this.known.has(key)) continue;
      this.known.add(key);
      queue.list(offer.tenant).push(entry);
      queued += 1;
    }
    if (length + queued > 0) queue.enter(offer.tenant);
    return queued;
  }

  freeze(untilMs: number, replace: boolean): void {
    if (this.exists && (replace || untilMs > this.frozenMs)) this.frozenMs = untilMs;
  }

  observe(realUs: number, epoch: number, q: number, num: number, den: number, ses: number): ModelReply {
    if (!this.exists || this.epoch !== epoch) return ['STALE'];
    const now = this.now(realUs);
    this.ring.expire(now);
    if (this.fault === 'ignores-cuts') q = Math.max(q, this.q);
    const certain = Math.max(0, ses - this.ring.sum);
    const most = Math.max(0, ses - this.ring.certainAt(now));
    const tat = this.clockAt(now, num, den);
    Object.assign(this, { q, num, den, tat, ext: certain > 0 ? most : Math.min(this.ext, most) });
    return ['OK', String(this.ring.sum), String(certain)];
  }

  /** The rate clock with another rate: what is owed for a message to many recipients takes another time. */
  private clockAt(now: number, num: number, den: number): number {
    const slots = SLICE_AND_LEAD_MS * 1_000;
    const { tat } = this;
    if (tat - now <= slots || num <= 0 || this.num <= 0 || num * this.den === this.num * den) return tat;
    const again = (Math.min(((tat - now) * this.num) / this.den, MOST_OWED * 1_000_000) * den) / num;
    const isSlower = num * this.den < this.num * den;
    return Math.ceil(
      isSlower ? Math.max(tat, now + again) : Math.min(tat, now + FARTHEST_SLOT_MS * 1_000 + slots + again),
    );
  }

  settle(
    realUs: number,
    opId: string,
    keepMs: number,
    refunds: readonly (readonly [string, number, number])[],
  ): number {
    const grant = this.grants.get(opId);
    if (!grant) return 0;
    this.grants.delete(opId);
    const given = grant.ids.map((entry, i) => {
      const [tenant = '', id = '', cost = '', klass = ''] = entry.split(':');
      this.known.delete(knownKey(klass as Class, tenant, id));
      return { tenant, lane: grant.lanes[i] ?? '', cost: Number(cost) };
    });
    if (refunds.length === 0) return 1;
    const now = this.now(realUs);
    this.ring.expire(now);
    let left = grant.cost;
    for (const [tenant, atOnce, afterwards] of refunds) {
      this.tenants.get(tenant)?.ring.expire(now);
      const back = Math.min(left, atOnce);
      left -= back;
      giveBack(given, tenant, this.fault === 'refunds-twice' ? back * 2 : back, (lane, n) => {
        this.uncharge(tenant, lane, grant.bucket, n);
      });
      const later = Math.min(left, afterwards);
      left -= later;
      giveBack(given, tenant, later, (lane, n) => {
        this.late.push({ dueMs: Math.floor(now / 1000) + keepMs, tenant, lane, bucket: grant.bucket, n });
      });
    }
    return 1;
  }

  drop(klass: Class, tenant: string): number {
    const entries = this.queues[klass].drop(tenant);
    for (const { id } of entries) this.known.delete(knownKey(klass, tenant, id));
    return entries.length;
  }

  withdraw(klass: Class, tenant: string, ids: readonly string[]): number {
    const taken = this.queues[klass].withdraw(tenant, new Set(ids));
    for (const { id } of taken) this.known.delete(knownKey(klass, tenant, id));
    return taken.length;
  }

  throttle(realUs: number): number {
    return this.exists ? this.pace.throttle(this.now(realUs)) : 1_000;
  }

  /** @param lanes name, day cap, hour cap; -1 = none */
  setLanes(nowUs: number, lanes: readonly (readonly [string, number, number])[]): void {
    for (const name of this.lanes.keys()) if (!lanes.some(([kept]) => kept === name)) this.lanes.delete(name);
    for (const [name, day, hour] of lanes) {
      const lane = this.lanes.get(name) ?? newLane(this.bucketMs, this.buckets, nowUs);
      Object.assign(lane, { day, hour });
      this.lanes.set(name, lane);
    }
  }

  lease(realUs: number, name: string, generation: number, part?: Part): ModelReply {
    if (!this.exists || this.pending > 0) return ['OLD', '0'];
    const tenant = this.tenants.get(name) ?? newTenant(this.bucketMs, this.buckets, realUs);
    const now = this.now(realUs);
    const known = tenant.generation;
    if (part ? known === 0 || known !== generation : known >= generation) return ['OLD', String(known)];
    this.tenants.set(name, tenant);
    const grows = part && givePart(tenant, part, now);
    for (const each of grows ? Object.values(this.queues) : []) each.letGo(name);
    if (!part) tenant.generation = generation;
    tenant.ring.expire(now);
    const next = Math.max(...Object.values(this.queues).map((queue) => queue.list(name)[0]?.cost ?? 0));
    return ['OK', String(tenant.ring.sum), String(partOf(tenant, now)), String(next)];
  }

  /** What each tenant that waits was granted: name, recipients, weight. */
  served(): { tenant: string; recipients: number; weight: number }[] {
    const names = new Set(this.lists().map(({ tenant }) => tenant));
    return [...names].flatMap((tenant) => {
      const state = this.tenants.get(tenant);
      return state ? [{ tenant, recipients: state.served, weight: state.weight }] : [];
    });
  }

  /** Recipients of a grant; 0 once it has ended. */
  grantedTo(opId: string): number {
    return this.grants.get(opId)?.cost ?? 0;
  }

  reslot(
    realUs: number,
    opId: string,
    epoch: number,
    runId: string,
    cost: number,
    lifeMs: number,
    oldestMs: number,
    aheadMs: number,
  ): ModelReply {
    const grant = this.grants.get(opId);
    if (!this.exists || this.epoch !== epoch || this.runId !== runId || !grant) return ['GONE'];
    const now = this.now(realUs);
    const latest = Math.min(grant.at + oldestMs * 1000, now + aheadMs * 1000);
    const { num, den } = this.paced(now);
    if (now < this.frozenMs * 1000 || num <= 0) return ['GONE'];
    const isLast = cost === grant.cost && this.tat === endOf(grant);
    const t0 = Math.max(isLast ? grant.t0 : this.tat, now + 2000);
    if (t0 > latest) return ['GONE'];
    const finish = Math.ceil(t0 + (cost * 1_000_000 * den) / num);
    grant.deadline = Math.min(finish, latest) + lifeMs * 1000;
    this.tat = finish;
    return ['SLOT', ...[now, t0, grant.deadline, num, den].map(String)];
  }

  acquire(realUs: number, p: ModelAcquire): ModelReply {
    if (!this.exists || this.epoch !== p.epoch || this.runId !== p.runId) return ['STALE'];
    const now = this.now(realUs);
    const stored = this.grants.get(p.opId);
    if (stored) return this.grantReply(now, stored);
    if (this.differs(realUs) || this.differs(now)) return ['CLOCK', String(realUs)];
    if (now < this.frozenMs * 1000) return ['FROZEN', String(now), String(this.frozenMs * 1000)];
    this.applyLate(now);
    for (const queue of [this.queues.tx, this.queues.mk]) queue.unpark(Math.floor(now / 1000));
    const waiting = { tx: this.queues.tx.size, mk: this.queues.mk.size };
    this.ring.expire(now);
    if (waiting.tx + waiting.mk === 0) return ['EMPTY', String(now), 'idle', '0'];
    const headroom = Math.min(16 * p.workers, Math.floor((this.q * 5) / 10000));
    const room = this.q >= 0 ? this.q - headroom - this.ring.sum - this.ext : Number.POSITIVE_INFINITY;
    if (room <= 0) return ['EMPTY', String(now), 'day', String(this.ring.nextReleaseUs(now))];
    if (this.num <= 0) return ['EMPTY', String(now), 'rate', String(now + 1_000_000)];
    const reserve = this.reserve.at(now, this.q, waiting.tx > 0);
    const bulkRoom = this.q >= 0 ? room - reserve.closed : room;
    const { tat, lent, credit, queues, tenants, lanes } = this;
    const share = { num: this.num, den: this.den * 5 };
    const throttled = this.pace.at(now) < 1_000;
    const state = { tat, lent, throttled, credit, share, bulkRoom, queues, tenants, lanes, ...this.paced(now) };
    const picked = new GrantorModel(state, p, now, room, waiting).run();
    if (!('reply' in picked)) this.reserve = reserve.afterwards(picked.transactional);
    return 'reply' in picked ? picked.reply : this.book(p, now, picked);
  }

  private book(p: ModelAcquire, now: number, picked: Picked): ModelReply {
    const { ids, laneOf, cost, perTenant, perLane, t0, alone, credit } = picked;
    const { num, den } = this.paced(now);
    const bucket = this.bucketAt(now);
    this.ring.charge(bucket, cost);
    for (const [name, n] of perTenant) {
      const tenant = this.tenants.get(name);
      tenant?.ring.charge(bucket, n);
      if (tenant) tenant.served += n;
    }
    for (const [name, n] of perLane) {
      this.lanes.get(name)?.dayRing.charge(bucket, n);
      this.lanes.get(name)?.hourRing.charge(bucket, n);
    }
    const finish = Math.ceil(t0 + (cost * 1_000_000 * den) / num);
    this.tat = picked.tat;
    this.lent = picked.lent;
    this.credit = credit;
    this.ranDry = picked.ranDry;
    const deadline = (alone ? t0 : finish) + p.lifeMs * 1000;
    const grant: Grant = { t0, deadline, bucket, cost, at: now, ids, num, den, lanes: laneOf };
    this.grants.set(p.opId, grant);
    return this.grantReply(now, grant);
  }

  private grantReply(now: number, grant: Grant): ModelReply {
    const numbers = [now, grant.t0, grant.deadline, grant.bucket, grant.cost, grant.num, grant.den];
    return ['GRANT', ...numbers.map(String), ...grant.ids];
  }

  /** Time never runs backwards, and stands still while the caller's clock and this one disagree. */
  private now(realUs: number): number {
    if (this.last === 0 || (realUs > this.last && !this.differs(realUs))) this.last = realUs;
    return this.last;
  }

  /** The time it answers to whoever does not ask for grants, milliseconds; undefined while the clocks disagree. */
  timeFor(realUs: number): number | undefined {
    const seen = Math.max(realUs, this.last);
    return this.differs(realUs) || this.differs(seen) ? undefined : seen / 1000;
  }

  private differs(us: number): boolean {
    return this.callerMs > 0 && Math.abs(us / 1000 - this.callerMs) > this.toleranceMs;
  }

  private bucketAt(us: number): number {
    return Math.floor(us / 1000 / this.bucketMs);
  }

  private paced(now: number): { num: number; den: number } {
    const pace = this.pace.at(now);
    return pace < 1_000 ? { num: this.num * pace, den: this.den * 1_000 } : { num: this.num, den: this.den };
  }

  /** What of the quota is kept back from all mail at most, and from marketing besides. */
  keptBack(nowUs: number): readonly [number, number] {
    if (this.q < 0) return [0, 0];
    return [Math.floor((this.q * 5) / 10000), this.reserve.at(nowUs, this.q, this.queues.tx.size > 0).closed];
  }

  private applyLate(now: number): void {
    if (this.late.length === 0) return;
    const due = this.late.filter((entry) => entry.dueMs <= Math.floor(now / 1000));
    if (due.length === 0) return;
    this.late = this.late.filter((entry) => entry.dueMs > Math.floor(now / 1000));
    for (const entry of due) this.uncharge(entry.tenant, entry.lane, entry.bucket, entry.n);
  }

  private uncharge(tenant: string, lane: string, bucket: number, n: number): void {
    this.ring.uncharge(bucket, n);
    this.tenants.get(tenant)?.ring.uncharge(bucket, n);
    this.lanes.get(lane)?.dayRing.uncharge(bucket, n);
    this.lanes.get(lane)?.hourRing.uncharge(bucket, n);
  }
}

function knownKey(klass: Class, tenant: string, id: string): string {
  return `${klass}:${tenant}:${id}`;
}
