import { CannotStart, listenProblem, reasonOf } from './cannot-start';

const address = { host: '10.0.0.1', port: 80, variables: { host: 'API_HOST', port: 'API_PORT' } };

describe('why a process cannot start', () => {
  it.each([
    ['EADDRINUSE', 'API_PORT: port 80 on 10.0.0.1 is taken.'],
    ['EACCES', 'API_HOST/API_PORT: cannot listen on 10.0.0.1:80 (EACCES).'],
    ['EADDRNOTAVAIL', 'API_HOST/API_PORT: cannot listen on 10.0.0.1:80 (EADDRNOTAVAIL).'],
  ])('is said with the variable to change (%s)', (code, text) => {
    const problem = listenProblem(Object.assign(new Error('listen'), { code }), address);
    expect(problem).toBeInstanceOf(CannotStart);
    expect(problem.message).toContain(text);
  });

  it('is left as it is when it is of another kind', () => {
    const error = new TypeError('a fault of ours');
    expect(listenProblem(error, address)).toBe(error);
  });

  it('is said of each of several attempts, and never as nothing', () => {
    const refused = new AggregateError([new Error('::1 refused'), new Error('127.0.0.1 refused')]);
    expect(reasonOf(refused)).toBe('::1 refused; 127.0.0.1 refused');
    expect(reasonOf(new RangeError())).toBe('RangeError');
    expect(reasonOf('plain')).toBe('plain');
  });
});
