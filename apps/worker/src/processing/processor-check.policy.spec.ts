import { processorProblems } from './processor-check.policy';

describe('the boot check', () => {
  it('is content when every job has exactly one processor', () => {
    expect(processorProblems(['a', 'b'], ['b', 'a'])).toEqual([]);
  });

  it.each([
    [['a', 'b'], ['a'], ['job "b" has no processor']],
    [['a'], ['a', 'a'], ['job "a" has 2 processors']],
    [['a'], ['a', 'x'], ['"x" has a processor but stands on no list of jobs']],
  ])('of jobs %j and processors %j reports %j', (jobs, processed, problems) => {
    expect(processorProblems(jobs, processed)).toEqual(problems);
  });
});
