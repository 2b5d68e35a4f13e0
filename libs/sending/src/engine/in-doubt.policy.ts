/** What the events of an account's other sends say about one attempt in doubt. */
export interface Watermark {
  /** Attempts recorded SENT around it through the same configuration set. */
  readonly setSent: number;
  readonly setConfirmed: number;
  /** The same through the whole account: all its sets publish to one topic. */
  readonly accountSent: number;
  readonly accountConfirmed: number;
}

export interface Doubt {
  /** SES's Send event of the attempt has come. */
  readonly confirmed: boolean;
  /** Milliseconds since the attempt. */
  readonly ageMs: number;
  /** How long it must be before silence counts. */
  readonly waitMs: number;
  readonly watermark: Watermark;
}

export type Resolution = 'sent' | 'not-sent' | 'hold';

/** Neighbours that must all have their Send event before a missing one means something. */
const WITNESSES = 10;
/** After this many waiting times a quiet account is judged by the few neighbours it has. */
const PATIENCE = 10;

/**
 * Settles one doubt. The event transport is unordered and may lose events, so a missing event counts only when every
 * neighbour's event has come, and enough of them; a silent or patchy pipeline proves nothing.
 */
export function resolveDoubt({ confirmed, ageMs, waitMs, watermark }: Doubt): Resolution {
  if (confirmed) return 'sent';
  if (ageMs < waitMs) return 'hold';
  const { setSent, setConfirmed, accountSent, accountConfirmed } = watermark;
  if (setSent >= WITNESSES) return setConfirmed === setSent ? 'not-sent' : 'hold';
  if (accountSent >= WITNESSES) return accountConfirmed === accountSent ? 'not-sent' : 'hold';
  if (ageMs < waitMs * PATIENCE) return 'hold';
  return accountSent > 0 && accountConfirmed === accountSent ? 'not-sent' : 'hold';
}
