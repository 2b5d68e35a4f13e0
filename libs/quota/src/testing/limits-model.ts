import { RingModel } from './ring-model';

const DAY_US = 86_400_000_000;

/** Of a divided cap, and of the rate; a cap of -1 is none, and so is a rate of 0. */
export interface Part {
  readonly cap: number;
  readonly num: number;
  readonly den: number;
}

/** What the scripts know of a tenant on an account. Times are microseconds. */
export interface TenantState {
  weight: number;
  cap: number;
  num: number;
  den: number;
  tat: number;
  txt: number;
  served: number;
  leased: boolean;
  generation: number;
  /** Its part, and when it was given. */
  lease: (Part & { readonly at: number }) | undefined;
  readonly lanes: Record<'tx' | 'mk', string>;
  readonly ring: RingModel;
}

/** A lane with warm-up caps; -1 is none. */
export interface LaneState {
  day: number;
  hour: number;
  readonly dayRing: RingModel;
  readonly hourRing: RingModel;
}

export function newTenant(bucketMs: number, buckets: number, nowUs: number): TenantState {
  return {
    weight: 1,
    cap: -1,
    num: 0,
    den: 1,
    tat: 0,
    txt: 0,
    served: 0,
    leased: false,
    generation: 0,
    lease: undefined,
    lanes: { tx: '', mk: '' },
    ring: new RingModel(bucketMs, buckets, nowUs, 10),
  };
}

export function newLane(bucketMs: number, buckets: number, nowUs: number): LaneState {
  const hour = Math.min(buckets, Math.ceil(3_600_000 / bucketMs) + 1);
  return {
    day: -1,
    hour: -1,
    dayRing: new RingModel(bucketMs, buckets, nowUs),
    hourRing: new RingModel(bucketMs, hour, nowUs),
  };
}

/** A lane with its caps, and what it used before. */
export function chargedLane(
  { day, hour }: LaneState,
  { dayRing, hourRing }: LaneState,
  current: number,
  used: readonly [number, number][],
): LaneState {
  for (const [bucket, n] of used) {
    dayRing.charge(Math.min(current, bucket), n);
    hourRing.charge(Math.min(current, bucket), n);
  }
  return { day, hour, dayRing, hourRing };
}

/** A lane's name, the cap of its day, what of it is used by then and when room returns, and the same of its hour. */
export function useOf(name: string, { day, hour, dayRing, hourRing }: LaneState, nowUs: number) {
  const ofDay = [day, dayRing.sumAt(nowUs), dayRing.nextReleaseUs(nowUs)] as const;
  return [name, ...ofDay, hour, hourRing.sumAt(nowUs), hourRing.nextReleaseUs(nowUs)] as const;
}

/** A tenant's own limits as they stand: those of its plan, or its part of them where they are divided. */
export function limitsOf(tenant: TenantState, nowUs: number): { cap: number; num: number; den: number } {
  const { cap, num, den, leased, lease } = tenant;
  if (!leased) return { cap, num, den };
  const part = partOf(tenant, nowUs);
  return {
    cap: cap < 0 ? part : part >= 0 ? Math.min(cap, part) : cap,
    num: lease ? lease.num : num,
    den: lease ? lease.den : den,
  };
}

/** A tenant's part of a divided cap; -1 is no cap. One that nobody has divided for a day is none. */
export function partOf({ lease }: TenantState, nowUs: number): number {
  return lease === undefined || nowUs - lease.at > DAY_US ? 0 : lease.cap;
}

/** Answers whether it has more room than the one before. */
export function givePart(tenant: TenantState, part: Part, nowUs: number): boolean {
  const was = partOf(tenant, nowUs);
  tenant.lease = { ...part, at: nowUs };
  return was >= 0 && (part.cap < 0 || part.cap > was);
}
