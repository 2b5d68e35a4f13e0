import type { MessageId, Stream, TenantId } from '@libs/kernel';
import { z } from 'zod';
import type { Grant, GrantedMessage, LedgerStats, Refusal, SlotOffer } from './grant';
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
        messages: rest.slice(7).map(readEntry),
      };
  }
}

/** `tenant:message:recipients:class`, as acquire writes it. */
function readEntry(text: string): GrantedMessage {
  const [tenantId = '', id = '', recipients = '', klass = ''] = text.split(':');
  return {
    tenantId: tenantId as TenantId,
    id: id as MessageId,
    recipients: Number(recipients),
    stream: STREAM_OF[klass] ?? 'MARKETING',
  };
}

export function readSlot(reply: unknown): SlotOffer | undefined {
  const [kind, now, start, deadline] = texts.parse(reply);
  if (kind !== 'SLOT') return undefined;
  return {
    nowMs: microseconds.parse(now),
    slotStartMs: microseconds.parse(start),
    deadlineMs: microseconds.parse(deadline),
  };
}

const stats = z.object({
  now: microseconds,
  epoch: z.string(),
  runid: z.string(),
  q: z.string(),
  num: z.coerce.number(),
  den: z.coerce.number(),
  tat: microseconds,
  sum: z.string(),
  frozen: z.coerce.number(),
  ext: z.string(),
  inflight: z.number(),
  ready: z.union([z.literal(false), z.array(z.tuple([z.string(), z.string(), z.number(), z.boolean()]))]),
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
    rateFreeAtMs: s.tat,
    frozenUntilMs: s.frozen,
    inflight: s.inflight,
    ready: (s.ready === false ? [] : s.ready).map(([tenantId, klass, messages, atOwnLimit]) => ({
      tenantId: tenantId as TenantId,
      stream: STREAM_OF[klass] ?? 'MARKETING',
      messages,
      atOwnLimit,
    })),
  };
}

const stored = z.object({ ids: z.array(z.string()), cost: z.number(), bucket: z.number() });

export interface OverdueGrant {
  readonly opId: string;
  readonly bucketStartMs: number;
  readonly recipients: number;
  readonly messages: readonly GrantedMessage[];
}

export function readOverdue(reply: unknown): OverdueGrant[] {
  const flat = z.array(z.string()).parse(reply);
  const grants: OverdueGrant[] = [];
  for (let i = 0; i + 1 < flat.length; i += 2) {
    const [opId, text] = [flat[i] ?? '', flat[i + 1] ?? ''];
    const value = text === '' ? { ids: [], cost: 0, bucket: 0 } : stored.parse(JSON.parse(text));
    grants.push({
      opId,
      bucketStartMs: bucketStartMs(value.bucket),
      recipients: value.cost,
      messages: value.ids.map(readEntry),
    });
  }
  return grants;
}
