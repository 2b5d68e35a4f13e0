import type { Evidence } from './flight-record.policy';
import { VERDICTS, type AttemptEnd } from './outcome.policy';

/** How an attempt of a dead worker ended, by what its flight recorder knows. */
export function endFromEvidence(evidence: Evidence | undefined, otherwise: 'unstarted' | 'in-doubt'): AttemptEnd {
  if (evidence === undefined) {
    return otherwise === 'unstarted'
      ? { kind: 'unstarted', code: 'unstarted', message: 'The worker stopped before this message was started.' }
      : { kind: 'in-doubt', code: 'WorkerLost', message: 'The worker was lost, and with it what it knew.' };
  }
  if (evidence.kind === 'started') {
    return { kind: 'in-doubt', code: 'WorkerKilled', message: 'The worker was killed while it waited for the answer.' };
  }
  if (evidence.end === 'sent') return { kind: 'sent', sesMessageId: evidence.detail };
  if (isKind(evidence.end)) {
    return { kind: evidence.end, code: evidence.detail, message: `Amazon SES answered ${evidence.detail}.` };
  }
  return { kind: 'in-doubt', code: 'RecordUnreadable', message: 'The record of the answer could not be read.' };
}

function isKind(text: string): text is Exclude<AttemptEnd['kind'], 'sent'> {
  return text !== 'sent' && Object.hasOwn(VERDICTS, text);
}
