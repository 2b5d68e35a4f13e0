import fc from 'fast-check';

/** Who asks with an epoch that is not the ledger's, or on behalf of another run of Redis. */
export interface Stray {
  readonly epochs?: number;
  readonly run?: string;
}

export type Step =
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
  | { do: 'reslot'; op: number; cost: number | 'whole'; stray?: Stray; ahead?: number }
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
export const steps: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: one('acquire'),
      op: fc.nat(25),
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
      ids: fc.array(fc.nat(120), { minLength: 1, maxLength: 12 }),
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
      ids: fc.array(fc.nat(120), { minLength: 1, maxLength: 200 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: one('settle'),
      op: fc.nat(25),
      unused: fc.oneof(fc.constant(0), fc.nat(20)),
      refused: fc.oneof(fc.constant(0), fc.nat(5)),
      tenant: fc.nat(4),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: one('reslot'), op: fc.nat(25), cost: fc.integer({ min: 1, max: 50 }), stray: strays }),
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

/**
 * Hours in which tenants and lanes stand at their caps: what they get depends on each bucket that is dropped, by the day, by
 * the hour and by the wider ones of tenants.
 */
export const hoursAtCaps: fc.Arbitrary<Step[]> = fc
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
export const hoursBesideOthers: fc.Arbitrary<Step[]> = fc
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
export const urgentSeconds: fc.Arbitrary<Step[]> = fc
  .record({
    rate: fc.constantFrom(5_000, 14_000, 200_000, 2_000_000),
    rounds: fc.array(
      fc.record({
        class: classes,
        tenant: fc.nat(2),
        count: fc.nat(11),
        cost: fc.constantFrom(1, 1, 2),
        urgent: fc.constantFrom(true, true, false),
        slower: fc.integer({ min: 0, max: 9 }),
        ms: fc.constantFrom(1, 30, 100, 400, 1_100),
      }),
      { minLength: 30, maxLength: 50 },
    ),
  })
  .map(({ rate, rounds }) => [
    { do: 'observe', q: 50_000, rate, ses: 0 },
    { do: 'advance', ms: 1_100 },
    ...rounds.flatMap(({ class: klass, tenant, count, cost, urgent, slower, ms }, i): Step[] => [
      ...(slower === 0 ? [{ do: 'throttle' as const }] : []),
      { do: 'offer', class: klass, tenant, ids: Array.from({ length: count }, (_, n) => 1_000 + 12 * i + n), cost },
      { do: 'acquire', op: 1_000 + i, want: 100, slice: 1_000, urgent },
      { do: 'advance', ms },
    ]),
  ]);

/** Minutes of batches that are late, asked about by who may and who may not: in time, too late, while the ledger is frozen, slower or of another rate. */
export const lateBatches: fc.Arbitrary<Step[]> = fc
  .array(
    fc.record({
      back: fc.nat(2),
      long: fc.boolean(),
      cost: fc.oneof(fc.constant('whole' as const), fc.integer({ min: 1, max: 50 })),
      stray: fc.constantFrom<Stray>({}, {}, { epochs: -1 }, { epochs: 1 }, { run: 'run-2' }),
      ahead: fc.constantFrom(2_000, 5_000, 70_000),
      between: fc.constantFrom<Step>(
        { do: 'look' },
        { do: 'look' },
        { do: 'throttle' },
        // At another rate what a long message owes takes another time.
        { do: 'observe', q: 50_000, rate: 4_000, ses: 0 },
        { do: 'observe', q: 50_000, rate: 14_000, ses: 0 },
        { do: 'observe', q: 50_000, rate: 200_000, ses: 0 },
        { do: 'freeze', ms: 2_000, replace: false },
        { do: 'freeze', ms: 0, replace: true },
      ),
      ms: fc.constantFrom(0, 900, 5_000, 20_000, 59_000),
    }),
    { minLength: 20, maxLength: 40 },
  )
  .map((rounds) => [
    { do: 'observe', q: 50_000, rate: 14_000, ses: 0 },
    ...rounds.flatMap(({ back, long, cost, stray, ahead, between, ms }, i): Step[] => [
      long ? { do: 'flood', cost: 40, count: 1, tenants: [0, 1] } : { do: 'flood', cost: 1, count: 3, tenants: [0, 2] },
      { do: 'acquire', op: 1_000 + i, want: 100, slice: 1_000 },
      between,
      { do: 'advance', ms },
      { do: 'reslot', op: 1_000 + i - back, cost, stray, ahead },
      { do: 'settle', op: 1_000 + i - 2, unused: 1, refused: 1, tenant: 0 },
    ]),
  ]);

/** A day that is used up but for a few recipients: what is kept back for workers and for transactional mail counts. */
export const lastOfTheDay: fc.Arbitrary<Step[]> = fc
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

const idsFrom = (first: number, count: number) => Array.from({ length: count }, (_, n) => first + n);
const granted = (op: number): Step[] => [
  { do: 'acquire', op, want: 100, slice: 1_000 },
  { do: 'advance', ms: 900 },
];
/** Two grants of transactional mail beside marketing: enough for one recipient of marketing to go first in the next. */
const earned: readonly Step[] = [
  { do: 'rebuild', large: true },
  { do: 'advance', ms: 1_100 },
  { do: 'flood', cost: 1, tenants: [0, 2] },
  ...granted(1),
  ...granted(2),
];

/** Marketing has earned its turn, and goes away; when it is back, it begins anew. */
export const earnedAndLost: Step[] = [
  ...earned,
  { do: 'drop', class: 'mk', tenant: 0 },
  { do: 'drop', class: 'mk', tenant: 2 },
  ...granted(3),
  { do: 'flood', cost: 1, tenants: [0, 2] },
  ...granted(4),
  ...granted(5),
];

/** What comes next of marketing costs more than it has earned: it is set aside, and served once transactional mail is through. */
export const earnedTooLittle: Step[] = [
  ...earned,
  ...[0, 2].flatMap((tenant): Step[] => [
    { do: 'drop', class: 'tx', tenant },
    { do: 'drop', class: 'mk', tenant },
    { do: 'offer', class: 'mk', tenant, ids: idsFrom(100 * tenant, 12), cost: 2 },
  ]),
  { do: 'offer', class: 'tx', tenant: 0, ids: [500, 501], cost: 1 },
  ...granted(3),
  { do: 'look' },
  ...granted(4),
  ...granted(5),
];

/** A tenant waits until the last of its list is withdrawn, and no longer. */
export const withdrawn: Step[] = [
  { do: 'offer', class: 'mk', tenant: 0, ids: [1, 2], cost: 1 },
  { do: 'withdraw', class: 'mk', tenant: 0, ids: [1] },
  { do: 'look' },
  { do: 'withdraw', class: 'mk', tenant: 0, ids: [2] },
  { do: 'look' },
  { do: 'advance', ms: 1_100 },
  ...granted(1),
  // More than the cap of this tenant takes: it is put aside for a while.
  { do: 'offer', class: 'mk', tenant: 1, ids: [3], cost: 50 },
  ...granted(2),
  { do: 'look' },
  { do: 'withdraw', class: 'mk', tenant: 1, ids: [3] },
  { do: 'look' },
];

/** A tenant over its transactional share has little left: marketing that cost more than half of the slice has the rest of it. */
export const loudWithLittle: Step[] = [
  { do: 'rebuild', large: true },
  { do: 'observe', q: -1, rate: 200_000, ses: 0 },
  { do: 'advance', ms: 1_100 },
  { do: 'flood', cost: 50, tenants: [0], count: 100 },
  ...idsFrom(1, 22).flatMap((op): Step[] => [
    { do: 'acquire', op, want: 1_000, slice: 1_000 },
    { do: 'advance', ms: 1_000 },
  ]),
  { do: 'drop', class: 'tx', tenant: 0 },
  { do: 'drop', class: 'mk', tenant: 0 },
  { do: 'observe', q: -1, rate: 14_000, ses: 0 },
  { do: 'offer', class: 'tx', tenant: 0, ids: [1, 2, 3], cost: 1 },
  { do: 'offer', class: 'mk', tenant: 2, ids: [4, 5, 6], cost: 9 },
  { do: 'look' },
  ...granted(30),
  { do: 'look' },
  ...granted(31),
];

/** A cap of nothing is no cap that somebody forgot. */
export const nothingAllowed: Step[] = [
  { do: 'rebuild', large: true },
  { do: 'lease', tenant: 5, generation: 1, cap: null },
  { do: 'lease', tenant: 5, generation: 1, cap: 25 },
  { do: 'offer', class: 'mk', tenant: 5, ids: [1, 2], cost: 1 },
  { do: 'advance', ms: 1_100 },
  ...granted(1),
  { do: 'look' },
];

/** A part that nobody has divided for a day is none; one of the same size lets its tenant go again. */
export const dayOldPart: Step[] = [
  { do: 'rebuild', large: true },
  { do: 'lease', tenant: 3, generation: 1, cap: null },
  { do: 'lease', tenant: 3, generation: 1, cap: 25 },
  { do: 'advance', ms: 86_400_000 },
  { do: 'offer', class: 'mk', tenant: 3, ids: [1, 2], cost: 1 },
  ...granted(1),
  { do: 'offer', class: 'mk', tenant: 3, ids: [3, 4], cost: 1 },
  ...granted(2),
  { do: 'look' },
  { do: 'lease', tenant: 3, generation: 2, cap: null },
  { do: 'lease', tenant: 3, generation: 2, cap: 25 },
  ...granted(3),
  { do: 'look' },
];

/** A grant that is ended again, and asked for again. */
export const endedTwice: Step[] = [
  { do: 'offer', class: 'tx', tenant: 0, ids: [1, 2], cost: 3 },
  { do: 'advance', ms: 1_100 },
  ...granted(1),
  { do: 'settle', op: 1, unused: 3, refused: 0, tenant: 0 },
  { do: 'settle', op: 1, unused: 3, refused: 0, tenant: 0 },
  { do: 'look' },
  ...granted(1),
];
