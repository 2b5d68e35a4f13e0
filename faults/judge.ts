/** What SES's side saw of one request to send. */
export interface SeenSend {
  /** Of our message, from the tag it carries. */
  readonly messageId: string;
  readonly accepted: boolean;
  readonly recipients: number;
  readonly atMs: number;
  /** Whether others may have gone with the same request. */
  readonly shared?: boolean;
}

/** Everything there is to know about one fault, from three witnesses: the api's receipts, the database, the simulator. */
export interface Evidence {
  /** Ids the api acknowledged. */
  readonly receipts: Iterable<string>;
  /** Ids it acknowledged before: late ones of an earlier case are none of this one's. */
  readonly earlier: ReadonlySet<string>;
  /** State of each message that the database has, in the engine's words. */
  readonly states: ReadonlyMap<string, string>;
  readonly sends: readonly SeenSend[];
  /** Requests beyond a limit, by the simulator's meter that only counts. */
  readonly overQuota: number;
  readonly overRate: number;
}

export interface Verdict {
  readonly accepted: number;
  readonly sent: number;
  /** Acknowledged and gone: no row, said to be sent although SES never saw it, or given up although nobody asked for it. */
  readonly lost: number;
  /** Copies beyond the first that SES accepted. */
  readonly duplicated: number;
  readonly overQuota: number;
  readonly overRate: number;
  readonly inDoubt: number;
  /** Neither ended nor in doubt. */
  readonly waiting: number;
  /** Accepted by SES although the api never acknowledged such a message. */
  readonly unknown: number;
}

const OPEN = new Set(['SCHEDULED', 'READY', 'INTENT']);

/** accepted = ended + open, each ended one arrived exactly once. */
export function judge(evidence: Evidence): Verdict {
  const copies = new Map<string, number>();
  for (const { messageId, accepted } of evidence.sends) {
    if (accepted && !evidence.earlier.has(messageId)) copies.set(messageId, (copies.get(messageId) ?? 0) + 1);
  }
  const verdict = { accepted: 0, sent: 0, lost: 0, inDoubt: 0, waiting: 0 };
  const receipts = new Set(evidence.receipts);
  for (const id of receipts) {
    verdict.accepted += 1;
    const state = evidence.states.get(id);
    if (state === 'SENT' && copies.has(id)) verdict.sent += 1;
    else if (state === 'IN_DOUBT') verdict.inDoubt += 1;
    else if (state !== undefined && OPEN.has(state)) verdict.waiting += 1;
    else verdict.lost += 1;
  }
  return {
    ...verdict,
    duplicated: [...copies.values()].reduce((sum, count) => sum + count - 1, 0),
    unknown: [...copies.keys()].filter((id) => !receipts.has(id)).length,
    overQuota: evidence.overQuota,
    overRate: evidence.overRate,
  };
}

/** Width of the window a rate is taken over, milliseconds. */
const WINDOW_MS = 1_000;

/** Recipients a second that SES accepted in the last whole window before `nowMs`. */
export function rateBefore(sends: readonly SeenSend[], nowMs: number): number {
  return recipientsWithin(accepted(sends), nowMs - WINDOW_MS) / (WINDOW_MS / 1_000);
}

/**
 * Seconds from `endMs` until the first second in which SES accepted at least 95 % of `rate` (recipients per second).
 * Undefined while there was none.
 */
export function secondsToRecover(sends: readonly SeenSend[], endMs: number, rate: number): number | undefined {
  const all = accepted(sends).sort((a, b) => a.atMs - b.atMs);
  const enough = 0.95 * rate * (WINDOW_MS / 1_000);
  for (const from of [endMs, ...all.filter(({ atMs }) => atMs > endMs).map(({ atMs }) => atMs)]) {
    if (recipientsWithin(all, from) >= enough) return (from - endMs) / 1_000;
  }
  return undefined;
}

function accepted(sends: readonly SeenSend[]): SeenSend[] {
  return sends.filter((send) => send.accepted);
}

function recipientsWithin(sends: readonly SeenSend[], fromMs: number): number {
  let sum = 0;
  for (const { atMs, recipients } of sends) if (atMs >= fromMs && atMs < fromMs + WINDOW_MS) sum += recipients;
  return sum;
}
