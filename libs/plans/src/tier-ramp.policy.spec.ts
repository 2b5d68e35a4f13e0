import { rampIssues } from './tier-ramp.policy';

it('takes a ramp that lets volume stay or grow', () => {
  for (const factor of ['1', '1.5', '3', '2.25', '9999.99']) expect(rampIssues({ floor: 1n, factor })).toEqual([]);
});

it.each(['0', '0.5', '0.99', '-1', '10000', '1.234', '1e3', '', 'NaN', ' 2'])('refuses the factor %j', (factor) => {
  expect(rampIssues({ floor: 1n, factor })).toMatchObject([{ code: 'INVALID_INPUT', path: ['rampFactor'] }]);
});

it('refuses a floor below one recipient or beyond what can be stored', () => {
  for (const floor of [0n, -1n, 2n ** 63n]) {
    expect(rampIssues({ floor, factor: '3' })).toMatchObject([{ code: 'INVALID_INPUT', path: ['rampFloor'] }]);
  }
});
