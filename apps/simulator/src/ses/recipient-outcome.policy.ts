import { chance } from '../chance/seeded-chance.policy';
import type { DomainBehaviour } from '../state/simulator.state';
import { testOutcome } from './test-address.policy';

export type Outcome =
  'DELIVERED' | 'HARD_BOUNCE' | 'SOFT_BOUNCE' | 'COMPLAINT' | 'SUPPRESSED_GLOBAL' | 'SUPPRESSED_ACCOUNT' | 'DELAYED';

/**
 * What becomes of a message at one recipient. `key` identifies the message and recipient; the same key and seed always
 * give the same outcome, whatever else is sent.
 */
export function recipientOutcome(
  address: string,
  suppressed: boolean,
  behaviour: DomainBehaviour,
  seed: number,
  key: string,
): Outcome {
  switch (testOutcome(address)) {
    case 'DELIVER':
    case 'THROTTLE':
      return 'DELIVERED';
    case 'BOUNCE':
      return 'HARD_BOUNCE';
    case 'COMPLAIN':
      return 'COMPLAINT';
    case 'SUPPRESSED_GLOBAL':
      return 'SUPPRESSED_GLOBAL';
    case 'SUPPRESSED_ACCOUNT':
      return 'SUPPRESSED_ACCOUNT';
    case 'DELAY':
      return 'DELAYED';
    case undefined:
      break;
  }
  if (suppressed) return 'SUPPRESSED_ACCOUNT';
  const drawn = chance(seed, `outcome|${key}`);
  if (drawn < behaviour.bounceRate) return 'HARD_BOUNCE';
  if (drawn < behaviour.bounceRate + behaviour.softBounceRate) return 'SOFT_BOUNCE';
  if (drawn < behaviour.bounceRate + behaviour.softBounceRate + behaviour.complaintRate) return 'COMPLAINT';
  return 'DELIVERED';
}

export interface PlannedEvent {
  readonly type: 'Delivery' | 'Bounce' | 'Complaint' | 'DeliveryDelay';
  /** Simulated milliseconds after the send. */
  readonly afterMs: number;
  readonly outcome: Outcome;
  readonly recipients: readonly string[];
}

/** The events of recipients with one outcome at one domain: SES publishes one per delivery attempt, not per address. */
export function plannedEvents(outcome: Outcome, recipients: readonly string[], delayMs: number): PlannedEvent[] {
  const event = (type: PlannedEvent['type'], afterMs: number): PlannedEvent => ({ type, afterMs, outcome, recipients });
  switch (outcome) {
    case 'DELIVERED':
      return [event('Delivery', delayMs)];
    case 'HARD_BOUNCE':
    case 'SOFT_BOUNCE':
      return [event('Bounce', delayMs)];
    case 'SUPPRESSED_GLOBAL':
    case 'SUPPRESSED_ACCOUNT':
      return [event('Bounce', delayMs / 4)];
    case 'COMPLAINT':
      return [event('Delivery', delayMs), event('Complaint', delayMs * 2)];
    case 'DELAYED':
      return [event('DeliveryDelay', delayMs), event('Delivery', delayMs * 2)];
  }
}
