import { endFromEvidence } from './recovery.policy';

describe('what a dead worker left', () => {
  it.each([
    [undefined, 'unstarted', 'unstarted'],
    [undefined, 'in-doubt', 'in-doubt'],
    [{ kind: 'started' }, 'unstarted', 'in-doubt'],
    [{ kind: 'answered', end: 'sent', detail: 'ses-1' }, 'unstarted', 'sent'],
    [{ kind: 'answered', end: 'rejected', detail: 'MessageRejected' }, 'unstarted', 'rejected'],
    [{ kind: 'answered', end: 'rate', detail: 'TooManyRequestsException' }, 'in-doubt', 'rate'],
    [{ kind: 'answered', end: 'constructor', detail: '-' }, 'unstarted', 'in-doubt'],
  ] as const)('with evidence %j and otherwise %s has ended as %s', (evidence, otherwise, kind) => {
    expect(endFromEvidence(evidence, otherwise).kind).toBe(kind);
  });
});
