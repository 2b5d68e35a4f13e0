import type { LaneId, MessageId, Stream, TenantId } from '@libs/kernel';
import type { Fraction } from './pacing.policy';

/** A message as the ledger queues it: its id and what it costs. */
export interface QueuedMessage {
  readonly id: MessageId;
  readonly recipients: number;
}

export interface GrantedMessage extends QueuedMessage {
  readonly tenantId: TenantId;
  readonly stream: Stream;
  /** Through which it was granted, when the ledger was told. */
  readonly laneId?: LaneId;
}

/** Quota that was given out, and for which messages. Times are engine milliseconds. */
export interface Grant {
  readonly kind: 'grant';
  /** Of the ledger, when it answered. */
  readonly nowMs: number;
  /** When the first message may start. */
  readonly slotStartMs: number;
  /** Nothing of the grant may be sent after this. */
  readonly deadlineMs: number;
  /** Start of the minute that is charged. */
  readonly bucketStartMs: number;
  readonly recipients: number;
  /** The paced rate of the slots: message after message, each as long as its recipients take. */
  readonly rate: Fraction;
  readonly messages: readonly GrantedMessage[];
  /** A tenant had no more than this: its mail comes in a trickle, and the next of it waits for a later grant. */
  readonly ranDry: boolean;
}

/** Why nothing was granted, and when asking again can help. */
export type Refusal =
  /** Nobody waits; the day's quota is used up; the rate clock is ahead; all waiting tenants are at limits of their own. */
  | {
      readonly kind: 'empty';
      readonly why: 'idle' | 'day' | 'rate' | 'tenants';
      readonly nowMs: number;
      readonly retryAtMs: number;
    }
  | { readonly kind: 'frozen'; readonly nowMs: number; readonly untilMs: number }
  /** The ledger is missing, of another epoch or of another Redis: it must be rebuilt first. */
  | { readonly kind: 'stale' }
  /** The host's clock and Redis' differ by more than is safe. */
  | { readonly kind: 'clock'; readonly nowMs: number };

export interface AcquireRequest {
  /** Names the request: the same id answers the same grant, so that a lost reply is not charged twice. */
  readonly opId: string;
  readonly epoch: bigint;
  /** Recipients at most, 50 (the most one message can cost) to 1,000. */
  readonly want: number;
  readonly leadMs: number;
  readonly sliceMs: number;
  /**
   * Only what need not wait behind what is granted already: transactional mail, and marketing of tenants that have no more
   * than one turn of 8 recipients waiting. A fiftieth of a second's recipients at most within lead and slice, on accounts of
   * ten a second or more, half of what is left of that for marketing. It starts at once; later grants make room for it.
   */
  readonly urgent?: boolean;
  /** Worker processes, for the headroom of requests that are past their deadline check but not yet on the wire. */
  readonly workers: number;
}

export interface TenantLimits {
  /** Share among the tenants of an account, 1 to 1000. */
  readonly weight: number;
  /** Recipients per rolling 24 h; null = no limit of its own. */
  readonly dayCap: bigint | null;
  /**
   * Recipients per second of the plan; null = no limit of its own. Soft: beyond it the tenant counts with a tenth of its
   * weight, and takes what nobody else wants.
   */
  readonly rate: Fraction | null;
  /** The lane its mail of this stream takes; null = one without caps, left out = as before. */
  readonly laneId?: LaneId | null;
  /** Its cap and rate are divided over several accounts (TenantLeases): without a part of its own nothing is granted. */
  readonly leased?: boolean;
}

/** Warm-up caps of a lane. */
export interface LaneCaps {
  readonly laneId: LaneId;
  /** Recipients per rolling 24 h; null = no cap. */
  readonly dayCap: number | null;
  /** Recipients per rolling hour; null = no cap. */
  readonly hourCap: number | null;
}

/** How much of a lane's caps is used, recipients, and when the oldest of them are forgotten: a full window has room again. */
export interface LaneUse extends LaneCaps {
  readonly usedDay: number;
  readonly dayReturnsAtMs: number;
  readonly usedHour: number;
  readonly hourReturnsAtMs: number;
}

/** What a tenant that waits has been granted on an account since its ledger was last rebuilt. */
export interface ServedTenant {
  readonly tenantId: TenantId;
  readonly recipients: number;
  readonly weight: number;
  /** At a limit of its own: not in the race at the moment. */
  readonly parked: boolean;
}

/** Recipients of one tenant that were granted and not sent. */
export interface Refund {
  readonly tenantId: TenantId;
  /** Never offered to SES: given back at once. */
  readonly unused: number;
  /** Refused by SES: stays charged for a minute, in case SES counted it. */
  readonly refused: number;
}

export interface SlotOffer {
  readonly nowMs: number;
  readonly slotStartMs: number;
  readonly deadlineMs: number;
  /** The rate of the new slots: less than the grant's when SES has said "too fast" since. */
  readonly rate: Fraction;
}

/** The ready lists of an account: those of tenants that wait. */
export interface ReadyLists {
  readonly epoch: bigint;
  readonly lists: readonly { readonly tenantId: TenantId; readonly stream: Stream; readonly messages: number }[];
}

export interface LedgerStats {
  readonly nowMs: number;
  readonly epoch: bigint;
  readonly runId: string;
  /** Recipients per rolling 24 h; -1 = unlimited. */
  readonly quota: bigint;
  /** The paced rate, a little below what SES allows. */
  readonly rate: Fraction;
  /** Recipients charged in the last 24 h and the guard, those sent by others included. */
  readonly used24h: bigint;
  /** What others may have sent of that. */
  readonly foreign: bigint;
  /**
   * What of the quota is not granted to mail of a stream at the moment: a margin for requests on their way, the one of many workers,
   * and for marketing what is reserved for transactional mail of the day.
   */
  readonly keptBack: Readonly<Record<Stream, bigint>>;
  /** When the oldest recipients charged are forgotten: a full day has room again. */
  readonly roomReturnsAtMs: number;
  /** When the rate clock is free. */
  readonly rateFreeAtMs: number;
  readonly frozenUntilMs: number;
  /** What is left of the rate after 429s, in thousandths. */
  readonly pacePermille: number;
  readonly inflight: number;
  readonly ready: readonly {
    readonly tenantId: TenantId;
    readonly stream: Stream;
    readonly messages: number;
    readonly atOwnLimit: boolean;
    readonly weight: number;
  }[];
  readonly lanes: readonly LaneUse[];
}
