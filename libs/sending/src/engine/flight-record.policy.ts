import type { AttemptId, BatchId, SendingAccountId } from '@libs/kernel';

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
 * Reads a recorder's text. A line that a dying process left half written has no line end, and one that a full disk cut short
 * says so: neither is evidence.
 */
export function readFlightRecord(text: string): FlightRecord {
  const open = new Map<BatchId, RecordedBatch>();
  const evidence = new Map<AttemptId, Evidence>();
  for (const line of text.split('\n').slice(0, -1)) {
    if (`${line}\n`.endsWith(CUT_SHORT)) continue;
    const [mark, id = '', second = '', third = ''] = line.split(' ');
    switch (mark) {
      case 'C':
        open.set(id as BatchId, { batchId: id as BatchId, sendingAccountId: second as SendingAccountId });
        break;
      case 'D':
        open.delete(id as BatchId);
        break;
      case 'S':
        evidence.set(id as AttemptId, { kind: 'started' });
        break;
      case 'A':
        evidence.set(id as AttemptId, { kind: 'answered', end: second, detail: third });
        break;
      default:
        break;
    }
  }
  return { open: [...open.values()], evidence };
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

export function readRecorderFile(name: string): RecorderOwner | undefined {
  const match = /^(.+)\.(\d+)\.(\d+)\.flight$/.exec(name);
  if (!match) return undefined;
  return { worker: match[1] ?? '', pid: Number(match[2]), started: match[3] ?? '' };
}
