import { observedState, stateAfterObservation } from './sending-account-state.policy';

const healthy = { enforcementStatus: 'HEALTHY', productionAccess: true, sendingEnabled: true };

describe('the state of a sending account', () => {
  it.each([
    ['PRODUCTION', {}],
    ['SANDBOX', { productionAccess: false }],
    ['SANDBOX', { productionAccess: false, enforcementStatus: 'PROBATION' }],
    ['UNDER_REVIEW', { enforcementStatus: 'PROBATION' }],
    ['UNDER_REVIEW', { enforcementStatus: 'SOMETHING_NEW' }],
    ['PAUSED', { enforcementStatus: 'SHUTDOWN' }],
    ['PAUSED', { enforcementStatus: 'SHUTDOWN', productionAccess: false }],
    ['PAUSED', { sendingEnabled: false }],
  ])('is %s for %j', (state, change) => {
    expect(observedState({ ...healthy, ...change })).toBe(state);
  });

  it('leaves a suspension only when an operator verifies the account', () => {
    expect(stateAfterObservation('SUSPENDED', healthy, false)).toBe('SUSPENDED');
    expect(stateAfterObservation('SUSPENDED', healthy, true)).toBe('PRODUCTION');
    expect(stateAfterObservation('PAUSED', healthy, false)).toBe('PRODUCTION');
    expect(stateAfterObservation(undefined, healthy, false)).toBe('PRODUCTION');
  });
});
