import type { SesEvent } from '@libs/deliverability';
import type { AttemptId } from '@libs/kernel';
import type { Evidence, NamedAttempt } from './event-evidence.policy';
import type { EngineState } from './engine-state';

/** An event that may be believed, and the attempt it is about. */
export interface Believed {
  readonly notificationId: string;
  readonly event: SesEvent;
  readonly attempt: NamedAttempt;
  readonly receivedAt: Date;
}

/** What events say of their attempt. */
export interface AttemptProof {
  readonly sesMessageId: string;
  /** When SES took the mail. */
  readonly acceptedAt: Date;
  /** The time of its Send event, when there was one. */
  readonly sendEventAt: Date | null;
}

export interface ProvenAttempt {
  readonly attempt: NamedAttempt;
  readonly proof: AttemptProof;
}

/** One proof per attempt; a Send event among several events of it is not lost. */
export function proofs(believed: readonly Pick<Believed, 'event' | 'attempt' | 'receivedAt'>[]): ProvenAttempt[] {
  const byAttempt = new Map<AttemptId, ProvenAttempt>();
  for (const { event, attempt, receivedAt } of believed) {
    const acceptedAt = new Date(event.acceptedMs ?? event.atMs ?? receivedAt.getTime());
    const known = byAttempt.get(attempt.id)?.proof;
    byAttempt.set(attempt.id, {
      attempt,
      proof: {
        sesMessageId: known?.sesMessageId ?? event.sesMessageId,
        acceptedAt: known?.acceptedAt ?? acceptedAt,
        sendEventAt: known?.sendEventAt ?? (event.kind === 'Send' ? acceptedAt : null),
      },
    });
  }
  return [...byAttempt.values()];
}

/** Whether the proof says anything that the attempt's row does not know yet. */
export function isNews({ attempt, proof }: ProvenAttempt): boolean {
  return (
    (attempt.state !== 'SENT' && attempt.state !== 'REJECTED') ||
    attempt.sesMessageId === null ||
    (!attempt.confirmed && proof.sendEventAt !== null)
  );
}

const SETTLED_BY_PROOF: readonly EngineState[] = ['IN_DOUBT', 'READY', 'EXPIRED', 'CANCELED'];

/**
 * Whether a proven attempt settles its message as sent. A message whose next attempt is on its way keeps its state: that
 * attempt's own outcome decides. One that had been taken back and waits again is not sent a second time.
 */
export function settles({ attempt }: ProvenAttempt): boolean {
  if (attempt.state === 'REJECTED') return false;
  return (
    SETTLED_BY_PROOF.includes(attempt.messageState) ||
    (attempt.messageState === 'INTENT' && attempt.attemptNo === attempt.lastAttemptNo)
  );
}

/** That SES took a mail needs no word on its recipients where the message itself says so. */
export function isSaidByMessage(evidence: Evidence, of: NamedAttempt): boolean {
  if (evidence.state !== 'SENT' || evidence.address !== undefined) return false;
  return of.messageState !== 'INTENT' || of.attemptNo === of.lastAttemptNo;
}
