import type { LaneId, MessageId, Stream, TenantId } from '@libs/kernel';
import { z } from 'zod';
import type {
  Grant,
  GrantedMessage,
  LedgerStats,
  QueuedMessage,
  ReadyLists,
  Refusal,
  ServedTenant,
  SlotOffer,
} from './grant';
import { ID_CHARS, packId, unpackId } from './packed-id.policy';
import { bucketStartMs } from './ring.policy';

const texts = z.array(z.string()).min(1);
const microseconds = z.coerce
  .number()
  .int()
  .transform((us) => us / 1000);

/** What a script's class is to everybody else. */
export const CLASS_OF = { TRANSACTIONAL: 'tx', MARKETING: 'mk' } as const satisfies Record<Stream, string>;
const STREAM_OF: Record<string, Stream> = { tx: 'TRANSACTIONAL', mk: 'MARKETING' };

/** @throws ZodError when a script answers what it never should: a fault of ours. */
export function readAcquire(reply: unknown): Grant | Refusal {
  const [kind, ...rest] = texts.parse(reply);
  switch (kind) {
    case 'STALE':
      return { kind: 'stale' };
    case 'CLOCK':
      return { kind: 'clock', nowMs: microseconds.parse(rest[0]) };
    case 'FROZEN':
      return { kind: 'frozen', nowMs: microseconds.parse(rest[0]), untilMs: microseconds.parse(rest[1]) };
    case 'EMPTY':
      return {
        kind: 'empty',
        nowMs: microseconds.parse(rest[0]),
        why: z.enum(['idle', 'day', 'rate', 'tenants']).parse(rest[1]),
        retryAtMs: microseconds.parse(rest[2]),
      };
    default:
      return {
        kind: 'grant',
        nowMs: microseconds.parse(rest[0]),
        slotStartMs: microseconds.parse(rest[1]),
        deadlineMs: microseconds.parse(rest[2]),
        bucketStartMs: bucketStartMs(Number(rest[3])),
        recipients: Number(rest[4]),
        rate: { num: Number(rest[5]), den: Number(rest[6]) },
        messages: readGranted(rest[7] ?? ''),
        ranDry: rest[8] === '1',
      };
  }
}

/** A message as the scripts queue it: its id, and its recipients unless that is one. */
export function writeEntry({ id, recipients }: QueuedMessage): string {
  return recipients === 1 ? packId(id) : `${packId(id)}${String(recipients)}`;
}

/** `class:tenant:lane,entry,entry;...`, as acquire writes it. */
function readGranted(text: string): GrantedMessage[] {
  const messages: GrantedMessage[] = [];
  for (const group of text === '' ? [] : text.split(';')) {
    const [head = '', ...entries] = group.split(',');
    const [klass = '', tenant = '', lane = ''] = head.split(':');
    const shared = {
      tenantId: unpackId(tenant) as TenantId,
      stream: STREAM_OF[klass] ?? 'MARKETING',
      ...(lane === '' ? {} : { laneId: unpackId(lane) as LaneId }),
    };
    for (const entry of entries) {
      const recipients = entry.length > ID_CHARS ? Number(entry.slice(ID_CHARS)) : 1;
      messages.push({ ...shared, id: unpackId(entry.slice(0, ID_CHARS)) as MessageId, recipients });
    }
  }
  return messages;
}

/** The time is undefined while this host's clock and that of Redis disagree. */
export function readHold(reply: unknown): { readonly has: boolean; readonly nowMs: number | undefined } {
  const [kind, now] = texts.parse(reply);
  return { has: kind === 'HELD', nowMs: now === '0' ? undefined : microseconds.parse(now) };
}

export function readSlot(reply: unknown): SlotOffer | undefined {
  const [kind, now, start, deadline, num, den] = texts.parse(reply);
  if (kind !== 'SLOT') return undefined;
  return {
    nowMs: microseconds.parse(now),
    slotStartMs: microseconds.parse(start),
    deadlineMs: microseconds.parse(deadline),
    rate: { num: Number(num), den: Number(den) },
  };
}

const figure = z.coerce.number();
const capOf = (cap: number) => (cap < 0 ? null : cap);

const stats = z.object({
  now: microseconds,
  epoch: z.string(),
  runid: z.string(),
  q: z.string(),
  num: z.coerce.number(),
  den: z.coerce.number(),
  tat: microseconds,
  sum: z.string(),
  frees: microseconds,
  frozen: z.coerce.number(),
  ext: z.string(),
  headroom: z.string(),
  reserve: z.string(),
  inflight: z.number(),
  pace: z.number(),
  ready: z.union([z.literal(false), z.array(z.tuple([z.string(), z.string(), z.number(), z.boolean(), z.number()]))]),
  lanes: z.union([
    z.literal(false),
    z.array(z.tuple([z.string(), figure, figure, microseconds, figure, figure, microseconds])),
  ]),
});

/** Undefined when there is no ledger. */
export function readStats(reply: unknown): LedgerStats | undefined {
  const value: unknown = JSON.parse(z.string().parse(reply));
  if (typeof value === 'object' && value !== null && Object.keys(value).length === 0) return undefined;
  const s = stats.parse(value);
  return {
    nowMs: s.now,
    epoch: BigInt(s.epoch),
    runId: s.runid,
    quota: BigInt(s.q),
    rate: { num: s.num, den: s.den },
    used24h: BigInt(s.sum) + BigInt(s.ext),
    foreign: BigInt(s.ext),
    keptBack: { TRANSACTIONAL: BigInt(s.headroom), MARKETING: BigInt(s.headroom) + BigInt(s.reserve) },
    roomReturnsAtMs: s.frees,
    rateFreeAtMs: s.tat,
    frozenUntilMs: s.frozen,
    pacePermille: s.pace,
    inflight: s.inflight,
    ready: (s.ready === false ? [] : s.ready).map(([tenantId, klass, messages, atOwnLimit, weight]) => ({
      tenantId: unpackId(tenantId) as TenantId,
      stream: STREAM_OF[klass] ?? 'MARKETING',
      messages,
      atOwnLimit,
      weight,
    })),
    lanes: (s.lanes === false ? [] : s.lanes).map(
      ([lane, day, usedDay, dayReturnsAtMs, hour, usedHour, hourReturnsAtMs]) => ({
        laneId: unpackId(lane) as LaneId,
        dayCap: capOf(day),
        usedDay,
        dayReturnsAtMs,
        hourCap: capOf(hour),
        usedHour,
        hourReturnsAtMs,
      }),
    ),
  };
}

/** Undefined when there is no ledger. */
export function readReady(reply: unknown): ReadyLists | undefined {
  const [epoch, ...triples] = z.array(z.union([z.string(), z.number()])).parse(reply);
  if (epoch === undefined) return undefined;
  const lists: ReadyLists['lists'][number][] = [];
  for (let i = 0; i + 2 < triples.length; i += 3) {
    lists.push({
      stream: STREAM_OF[String(triples[i])] ?? 'MARKETING',
      tenantId: unpackId(String(triples[i + 1])) as TenantId,
      messages: Number(triples[i + 2]),
    });
  }
  return { epoch: BigInt(epoch), lists };
}

export interface OverdueGrant {
  readonly opId: string;
  readonly bucketStartMs: number;
  readonly recipients: number;
  readonly messages: readonly GrantedMessage[];
}

export function readOverdue(reply: unknown): OverdueGrant[] {
  return fours(reply).map(([opId, bucket, cost, granted]) => ({
    opId,
    bucketStartMs: bucketStartMs(Number(bucket)),
    recipients: Number(cost),
    messages: readGranted(granted),
  }));
}

export function readServed(reply: unknown): ServedTenant[] {
  return fours(reply).map(([tenant, recipients, weight, parked]) => ({
    tenantId: unpackId(tenant) as TenantId,
    recipients: Number(recipients),
    weight: Number(weight),
    parked: parked === '1',
  }));
}

/** What a tenant used and may use on an account. */
export interface TenantLease {
  readonly used: number;
  /** Recipients per 24 h; -1 = no cap. */
  readonly cap: number;
  /** Recipients of the message that comes next there, the larger of both streams'; 0 = none waits. */
  readonly next: number;
}

/** A division that began later has taken the lease over, or the account has no ledger: 0. */
export interface LeaseTaken {
  readonly generation: number;
}

export function readLeases(reply: unknown): (TenantLease | LeaseTaken)[] {
  return z
    .array(texts)
    .parse(reply)
    .map(([kind, first, cap, next]) =>
      kind === 'OK' ? { used: Number(first), cap: Number(cap), next: Number(next) } : { generation: Number(first) },
    );
}

function fours(reply: unknown): [string, string, string, string][] {
  const flat = z.array(z.string()).parse(reply);
  const rows: [string, string, string, string][] = [];
  for (let i = 0; i + 3 < flat.length; i += 4) {
    rows.push([flat[i] ?? '', flat[i + 1] ?? '', flat[i + 2] ?? '', flat[i + 3] ?? '']);
  }
  return rows;
}
