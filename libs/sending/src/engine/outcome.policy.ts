import type { OutcomeClass } from '@libs/aws';
import type { HoldReason } from '@libs/fleet';

/** What became of one attempt. `unstarted`: given back by ourselves before anything was written to SES. */
export type AttemptEnd =
  | { readonly kind: 'sent'; readonly sesMessageId: string }
  | { readonly kind: 'unstarted'; readonly code: string; readonly message: string }
  | {
      readonly kind: OutcomeClass;
      readonly code: string;
      readonly message: string;
      /** What SES refused, where that was not SendEmail. */
      readonly operation?: 'SendBulkEmail';
    };

/** What SES's answer says about the whole account or route, beyond the one message. */
export type Reaction =
  | { readonly kind: 'none' }
  /** The account is sent through too fast: half of what is left of its rate, and slowly back. */
  | { readonly kind: 'slow' }
  /** Grant nothing for so long (milliseconds). */
  | { readonly kind: 'pause'; readonly ms: number }
  /** The day is used up: grant nothing for so long, and ask SES at once what it has counted. */
  | { readonly kind: 'close-day'; readonly ms: number }
  /** AWS does not let the account send. */
  | { readonly kind: 'incident'; readonly state: 'PAUSED' | 'SUSPENDED'; readonly ms: number }
  /** The route on AWS is not what our rows say. */
  | { readonly kind: 'reprovision' }
  /** Mail of this tenant's route, or from this domain, meets the same answer: it waits unclaimed until that is mended. */
  | { readonly kind: 'hold'; readonly why: 'IDENTITY' | HoldReason };

export interface Verdict {
  readonly attempt: 'SENT' | 'REJECTED' | 'NOT_SENT' | 'IN_DOUBT';
  readonly message: 'SENT' | 'REJECTED' | 'READY' | 'IN_DOUBT';
  /** For READY: how long the message waits before it is offered again, milliseconds. */
  readonly waitMs: number;
  /** Twice as long with each attempt of the message, up to MOST_DOUBLINGS times. */
  readonly waitGrows: boolean;
  readonly reaction: Reaction;
  /** Nothing more of the batch should go out: the next message would meet the same answer. */
  readonly stopsBatch: boolean;
}

/** Five seconds become five minutes: only what is refused although nothing is wrong with its route or domain gets there. */
export const MOST_DOUBLINGS = 6;

/**
 * A message that was tried more often than OFTEN waits so many milliseconds for each of its attempts, at least. After a week of nothing
 * but failures it has some 11,000 attempts: their number is a smallint, and a claim that exceeds it would fail with all of its batch.
 */
export const WAIT_PER_ATTEMPT_MS = 10;
export const OFTEN = 100;

/** By then an account that was refused as a whole is closed for everybody, milliseconds. */
const CLOSES_MS = 2_000;

const NONE: Reaction = { kind: 'none' };

function again(waitMs: number, reaction: Reaction = NONE, stopsBatch = reaction.kind !== 'none'): Verdict {
  return { attempt: 'NOT_SENT', message: 'READY', waitMs, waitGrows: false, reaction, stopsBatch };
}

/** The hold keeps the rest from being tried; the message itself is soon the one that tries whether it has ended. */
function held(why: 'IDENTITY' | HoldReason): Verdict {
  return { ...again(5_000, { kind: 'hold', why }, false), waitGrows: true };
}

function final(state: 'SENT' | 'REJECTED' | 'IN_DOUBT'): Verdict {
  return { attempt: state, message: state, waitMs: 0, waitGrows: false, reaction: NONE, stopsBatch: false };
}

/**
 * What each outcome does to attempt, message and account. Only content that SES will never take ends a message; every
 * "not now" leaves it READY, so that a throttle or a pause burns nothing but time.
 */
export const VERDICTS: Readonly<Record<AttemptEnd['kind'], Verdict>> = {
  sent: final('SENT'),
  rejected: final('REJECTED'),
  invalid: final('REJECTED'),
  'in-doubt': final('IN_DOUBT'),
  unstarted: again(0),
  rate: again(1_000, { kind: 'slow' }),
  // What holds the message is the account's closure: once that ends, sooner where an operator had it reinstated, so does its wait.
  'daily-quota': again(CLOSES_MS, { kind: 'close-day', ms: 60_000 }),
  paused: again(CLOSES_MS, { kind: 'incident', state: 'PAUSED', ms: 60_000 }),
  // Renewed by every observation for as long as it lasts: an operator who has it reinstated does not wait for more.
  suspended: again(CLOSES_MS, { kind: 'incident', state: 'SUSPENDED', ms: 90_000 }),
  // One tenant's set is off: others on the account go on. Once the route says so too, its mail is held without being tried.
  'set-paused': again(60_000, { kind: 'reprovision' }, false),
  identity: held('IDENTITY'),
  drift: held('DRIFT'),
  denied: held('DENIED'),
  credentials: again(10_000, { kind: 'pause', ms: 5_000 }),
  unsent: again(3_000, { kind: 'pause', ms: 2_000 }),
};

export function verdictOf(end: AttemptEnd): Verdict {
  return VERDICTS[end.kind];
}
