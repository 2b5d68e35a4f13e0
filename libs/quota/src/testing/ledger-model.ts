import { FairQueueModel, type Class } from './fair-queue-model';
import { GrantorModel, type ModelAcquire, type ModelReply, type Picked, type TenantState } from './grantor-model';
import { RingModel } from './ring-model';

export interface ModelOffer {
  readonly class: Class;
  readonly tenant: string;
  readonly weight: number;
  readonly cap: number;
  readonly num: number;
  readonly den: number;
  readonly most: number;
  readonly entries: readonly { readonly id: string; readonly cost: number }[];
}

interface Grant {
  readonly t0: number;
  deadline: number;
  readonly bucket: number;
  readonly cost: number;
  readonly at: number;
  readonly ids: readonly string[];
}

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
  private last = 0;
  private frozenMs = 0;
  private credit = 0;
  private exists = false;
  private ring: RingModel;
  private tenants = new Map<string, TenantState>();
  private queues: Record<Class, FairQueueModel> = { tx: new FairQueueModel(), mk: new FairQueueModel() };
  private known = new Set<string>();
  private grants = new Map<string, Grant>();
  private late: { dueMs: number; tenant: string; bucket: number; n: number }[] = [];

  constructor(
    private readonly bucketMs: number,
    private readonly buckets: number,
  ) {
    this.ring = new RingModel(bucketMs, buckets, 0);
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
    if (Math.max(this.epoch, this.pending) >= epoch) return false;
    const ring = new RingModel(this.bucketMs, this.buckets, nowUs);
    for (const [bucket, n] of used) ring.charge(bucket, n);
    const sum = ring.sum;
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
      last: nowUs,
      frozenMs: 0,
      credit: 0,
      ring,
      tenants: new Map(),
      known: new Set(),
      grants: new Map(),
      late: [],
      queues: { tx: new FairQueueModel(), mk: new FairQueueModel() },
    });
    return true;
  }

  open(epoch: number): boolean {
    if (this.pending !== epoch) return false;
    this.pending = 0;
    this.epoch = epoch;
    return true;
  }

  /** What a tenant used before the rebuild; before the ledger is opened. */
  chargeTenant(nowUs: number, epoch: number, name: string, used: readonly [number, number][]): boolean {
    if (this.pending !== epoch) return false;
    const ring = new RingModel(this.bucketMs, this.buckets, nowUs);
    for (const [bucket, n] of used) ring.charge(bucket, n);
    this.tenants.set(name, { tat: 0, txt: 0, ring, weight: 1, cap: -1, num: 0, den: 1 });
    return true;
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
    const tenant = this.tenants.get(offer.tenant) ?? {
      tat: 0,
      txt: 0,
      ring: new RingModel(this.bucketMs, this.buckets, nowUs),
      weight: 1,
      cap: -1,
      num: 0,
      den: 1,
    };
    Object.assign(tenant, { weight: offer.weight, cap: offer.cap, num: offer.num, den: offer.den });
    this.tenants.set(offer.tenant, tenant);
    const queue = this.queues[offer.class];
    let queued = 0;
    const length = queue.list(offer.tenant).length;
    for (const entry of offer.entries) {
      if (length + queued >= offer.most) break;
      if (this.known.has(entry.id)) continue;
      this.known.add(entry.id);
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
    this.ring.expire(this.now(realUs));
    Object.assign(this, { q, num, den, ext: Math.max(0, ses - this.ring.sum) });
    return ['OK', String(this.ring.sum), String(this.ext)];
  }

  drop(klass: Class, tenant: string): number {
    const entries = this.queues[klass].drop(tenant);
    for (const { id } of entries) this.known.delete(id);
    return entries.length;
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
    for (const entry of grant.ids) this.known.delete(entry.split(':')[1] ?? '');
    const now = this.now(realUs);
    this.ring.expire(now);
    let left = grant.cost;
    for (const [tenant, atOnce, afterwards] of refunds) {
      this.tenants.get(tenant)?.ring.expire(now);
      const back = Math.min(left, atOnce);
      left -= back;
      if (back > 0) this.uncharge(tenant, grant.bucket, back);
      const later = Math.min(left, afterwards);
      left -= later;
      if (later > 0) this.late.push({ dueMs: Math.floor(now / 1000) + keepMs, tenant, bucket: grant.bucket, n: later });
    }
    return 1;
  }

  reslot(
    realUs: number,
    opId: string,
    epoch: number,
    runId: string,
    cost: number,
    lifeMs: number,
    oldestMs: number,
  ): ModelReply {
    const grant = this.grants.get(opId);
    if (!this.exists || this.epoch !== epoch || this.runId !== runId || !grant) return ['GONE'];
    const now = this.now(realUs);
    const oldest = grant.at + oldestMs * 1000;
    if (now > oldest || now < this.frozenMs * 1000 || this.num <= 0) return ['GONE'];
    const t0 = Math.max(this.tat, now + 2000);
    if (t0 > oldest) return ['GONE'];
    const finish = Math.ceil(t0 + (cost * 1_000_000 * this.den) / this.num);
    grant.deadline = Math.min(finish, oldest) + lifeMs * 1000;
    this.tat = finish;
    return ['SLOT', String(now), String(t0), String(grant.deadline)];
  }

  acquire(realUs: number, p: ModelAcquire): ModelReply {
    if (!this.exists || this.epoch !== p.epoch || this.runId !== p.runId) return ['STALE'];
    const now = this.now(realUs);
    const stored = this.grants.get(p.opId);
    if (stored) return this.grantReply(now, stored);
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
    const { tat, credit, num, den, queues, tenants } = this;
    const picked = new GrantorModel({ tat, credit, num, den, queues, tenants }, p, now, room, waiting).run();
    return 'reply' in picked ? picked.reply : this.book(p, now, picked);
  }

  private book(p: ModelAcquire, now: number, picked: Picked): ModelReply {
    const { ids, cost, perTenant, t0, alone, credit } = picked;
    const bucket = Math.floor(now / 1000 / this.bucketMs);
    this.ring.charge(bucket, cost);
    for (const [tenant, n] of perTenant) this.tenants.get(tenant)?.ring.charge(bucket, n);
    const finish = Math.ceil(t0 + (cost * 1_000_000 * this.den) / this.num);
    this.tat = finish;
    this.credit = credit;
    const grant: Grant = { t0, deadline: (alone ? t0 : finish) + p.lifeMs * 1000, bucket, cost, at: now, ids };
    this.grants.set(p.opId, grant);
    return this.grantReply(now, grant);
  }

  private grantReply(now: number, grant: Grant): ModelReply {
    const numbers = [now, grant.t0, grant.deadline, grant.bucket, grant.cost, this.num, this.den];
    return ['GRANT', ...numbers.map(String), ...grant.ids];
  }

  private now(realUs: number): number {
    this.last = Math.max(this.last, realUs);
    return this.last;
  }

  private applyLate(now: number): void {
    const due = this.late.filter((entry) => entry.dueMs <= Math.floor(now / 1000));
    this.late = this.late.filter((entry) => !due.includes(entry));
    for (const entry of due) this.uncharge(entry.tenant, entry.bucket, entry.n);
  }

  private uncharge(tenant: string, bucket: number, n: number): void {
    this.ring.uncharge(bucket, n);
    this.tenants.get(tenant)?.ring.uncharge(bucket, n);
  }
}
