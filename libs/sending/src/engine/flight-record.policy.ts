import { isUuid, type AttemptId, type BatchId, type SendingAccountId } from '@libs/kernel';

/** What the recorder knows of one attempt. */
export type Evidence =
  { readonly kind: 'started' } | { readonly kind: 'answered'; readonly end: string; readonly detail: string };

export interface RecordedBatch {
  readonly batchId: BatchId;
  readonly sendingAccountId: SendingAccountId;
}

export interface FlightRecord {
  /** Batches whose claim was about to begin and that were not closed. */
  readonly open: readonly RecordedBatch[];
  readonly evidence: ReadonlyMap<AttemptId, Evidence>;
}

/** Ends a line that a full disk took only a part of; no field of a line holds a space. */
export const CUT_SHORT = ' !\n';

const UNPRINTABLE = /[^\x21-\x7e]/;

export const claimLine = (batch: RecordedBatch): string => `C ${batch.batchId} ${batch.sendingAccountId}\n`;
export const startLine = (attempt: AttemptId): string => `S ${attempt}\n`;
export const closeLine = (batch: BatchId): string => `D ${batch}\n`;

/** `end` is the outcome's kind; `detail` the SES message id, or AWS's error code. */
export function answerLine(attempt: AttemptId, end: string, detail: string): string {
  return `A ${attempt} ${end} ${UNPRINTABLE.test(detail) ? detail.replaceAll(/[^\x21-\x7e]/g, '_') : detail || '-'}\n`;
}

/**
 * Reads what a recorder wrote, its files in any order. A line that a dying process left half written has no line end, and one
 * that a full disk cut short says so: neither is evidence.
 */
export function readFlightRecord(...texts: readonly string[]): FlightRecord {
  const claimed = new Map<BatchId, RecordedBatch>();
  const closed = new Set<BatchId>();
  const evidence = new Map<AttemptId, Evidence>();
  for (const line of texts.flatMap((text) => text.split('\n').slice(0, -1))) {
    if (`${line}\n`.endsWith(CUT_SHORT)) continue;
    const [mark, id = '', second = '', third = ''] = line.split(' ');
    switch (mark) {
      case 'C':
        // After a crash of the host a file may hold anything: what PostgreSQL would not even look up is no batch.
        if (isUuid(id) && isUuid(second)) {
          claimed.set(id as BatchId, { batchId: id as BatchId, sendingAccountId: second as SendingAccountId });
        }
        break;
      case 'D':
        closed.add(id as BatchId);
        break;
      case 'S':
        if (!evidence.has(id as AttemptId)) evidence.set(id as AttemptId, { kind: 'started' });
        break;
      case 'A':
        evidence.set(id as AttemptId, { kind: 'answered', end: second, detail: third });
        break;
      default:
        break;
    }
  }
  return { open: [...claimed.values()].filter(({ batchId }) => !closed.has(batchId)), evidence };
}

/** A recorder's file name: which process writes it. `started` tells two processes with one pid apart. */
export interface RecorderOwner {
  readonly worker: string;
  readonly pid: number;
  readonly started: string;
}

export function recorderFile(owner: RecorderOwner): string {
  return `${owner.worker}.${String(owner.pid)}.${owner.started}.flight`;
}

/** The other file of the same recorder. Never renamed: whoever has taken the first one finds it by the worker's name. */
export function secondRecorderFile(worker: string): string {
  return `${worker}.flight2`;
}

export function readRecorderFile(name: string): RecorderOwner | undefined {
  const match = /^(.+)\.(\d+)\.(\d+)\.flight$/.exec(name);
  if (!match) return undefined;
  return { worker: match[1] ?? '', pid: Number(match[2]), started: match[3] ?? '' };
}
