import fc from 'fast-check';
import { ADVANCE_ORDER, afterEvidence, EVIDENCE_ORDER, leastAdvanced, MESSAGE_STATES } from './recipient-state.policy';

const state = fc.constantFrom(...MESSAGE_STATES);

describe('the state of a recipient', () => {
  it('has a place in both orders for every state, once', () => {
    expect([...EVIDENCE_ORDER].sort()).toEqual([...MESSAGE_STATES].sort());
    expect([...ADVANCE_ORDER].sort()).toEqual([...MESSAGE_STATES].sort());
  });

  it('ends the same whatever the order and repetition of the events', () => {
    fc.assert(
      fc.property(state, fc.array(state, { maxLength: 8 }), fc.infiniteStream(fc.nat()), (start, events, noise) => {
        const shuffled = [...events, ...events]
          .map((event) => ({ event, at: noise.next().value as number }))
          .sort((a, b) => a.at - b.at)
          .map(({ event }) => event);
        expect(shuffled.reduce(afterEvidence, start)).toBe(events.reduce(afterEvidence, start));
      }),
    );
  });

  it('never goes back to waiting once SES has taken the mail', () => {
    fc.assert(
      fc.property(fc.constantFrom('SENT', 'DELIVERED', 'BOUNCED', 'COMPLAINED' as const), state, (from, event) => {
        expect(['SCHEDULED', 'QUEUED', 'SENDING', 'IN_DOUBT', 'EXPIRED']).not.toContain(afterEvidence(from, event));
      }),
    );
  });

  it.each([
    ['DELIVERED', 'BOUNCED', 'BOUNCED'],
    ['BOUNCED', 'DELIVERED', 'BOUNCED'],
    ['DELIVERED', 'SENT', 'DELIVERED'],
    ['IN_DOUBT', 'SENT', 'SENT'],
    ['COMPLAINED', 'BOUNCED', 'COMPLAINED'],
    ['SENT', 'REJECTED', 'REJECTED'],
  ] as const)('%s and then %s is %s', (current, reported, expected) => {
    expect(afterEvidence(current, reported)).toBe(expected);
  });
});

describe('the state of a message', () => {
  it.each([
    [['SENT', 'DELIVERED'], 'SENT'],
    [['DELIVERED', 'SUPPRESSED'], 'DELIVERED'],
    [['BOUNCED', 'QUEUED'], 'QUEUED'],
    [['SUPPRESSED'], 'SUPPRESSED'],
    [['BOUNCED', 'DELIVERED'], 'DELIVERED'],
  ] as const)('of recipients %j is %s', (states, expected) => {
    expect(leastAdvanced(states)).toBe(expected);
  });
});
