import { tmpdir } from 'node:os';
import { failureText } from './failure-report';
import { StackProblem, UsageProblem } from './stack-problem';

describe('what is said of a run that failed', () => {
  const lost = new Error('Connection terminated unexpectedly');

  it('is the full disk, in one line, where PostgreSQL has died of it', () => {
    expect(failureText(lost, '/data', 7_200_000)).toBe(
      'error: the disk of /data is full or nearly so (7 MB left). Make room, or give --data a folder on another disk. ' +
        'What failed: Connection terminated unexpectedly',
    );
  });

  it('is the problem and the full disk, where the problem may be another one', () => {
    const text = failureText(new StackProblem('port 3000 is taken'), '/data', 0);
    expect(text.split('\n')).toEqual([
      'error: port 3000 is taken',
      expect.stringMatching(/^the disk of \/data .*\(0 MB left\)/),
    ]);
  });

  it('is the problem alone where there is room, or nothing was begun; a defect keeps its trace', () => {
    expect(failureText(new StackProblem('redis ended'), '/data', 1e9)).toBe('error: redis ended');
    expect(failureText(new UsageProblem('no such option'), '/data', 0)).toBe('error: no such option');
    expect(failureText(lost, '/data', 1e9)).toMatch(/^error: Error: Connection terminated unexpectedly\n +at /);
  });

  it('looks at the disk itself, and says nothing of a folder that is not there', () => {
    expect(failureText(new StackProblem('redis ended'), '/nowhere/at/all')).toBe('error: redis ended');
    expect(failureText(new StackProblem('redis ended'), tmpdir())).toContain('error: redis ended');
  });
});
