import type { AccountSnapshot } from '@libs/aws';

export type SendingAccountState = 'SANDBOX' | 'PRODUCTION' | 'UNDER_REVIEW' | 'PAUSED' | 'SUSPENDED';

type Observed = Pick<AccountSnapshot, 'enforcementStatus' | 'productionAccess' | 'sendingEnabled'>;

/**
 * The state GetAccount shows, the most restrictive first. A status AWS may add later is read as a review: it may still
 * send, and nobody new is placed there.
 */
export function observedState({ enforcementStatus, productionAccess, sendingEnabled }: Observed): SendingAccountState {
  if (enforcementStatus === 'SHUTDOWN' || !sendingEnabled) return 'PAUSED';
  if (!productionAccess) return 'SANDBOX';
  return enforcementStatus === 'HEALTHY' ? 'PRODUCTION' : 'UNDER_REVIEW';
}

/**
 * Whether a send was refused for the whole account while GetAccount was asked: what it answers may be older than that, and is
 * asked again within seconds, as of every account that is paused.
 */
export function wasRefusedMeanwhile(asked: SendingAccountState, now: SendingAccountState): boolean {
  return now !== asked && (now === 'PAUSED' || now === 'SUSPENDED');
}

/**
 * The state after an observation. A suspension is learnt from a refused send and GetAccount need not show it, so only an
 * operator's own verification ends it.
 */
export function stateAfterObservation(
  current: SendingAccountState | undefined,
  observed: Observed,
  askedByOperator: boolean,
): SendingAccountState {
  return current === 'SUSPENDED' && !askedByOperator ? 'SUSPENDED' : observedState(observed);
}
