import { performance } from 'node:perf_hooks';
import { ControlPace } from './control-pace';

describe('the pace of control calls', () => {
  it('starts calls of one account apart and in order, and other accounts at once', async () => {
    const pace = new ControlPace(40);
    const begun = performance.now();
    const starts: [string, number][] = [];
    const call = (key: string, name: string) =>
      pace.run(key, async () => {
        starts.push([name, performance.now() - begun]);
        return Promise.resolve();
      });
    await Promise.all([call('a', 'a1'), call('a', 'a2'), call('a', 'a3'), call('b', 'b1')]);
    const at = new Map(starts);
    expect(starts.filter(([name]) => name.startsWith('a')).map(([name]) => name)).toEqual(['a1', 'a2', 'a3']);
    expect((at.get('a2') ?? 0) - (at.get('a1') ?? 0)).toBeGreaterThan(30);
    expect((at.get('a3') ?? 0) - (at.get('a2') ?? 0)).toBeGreaterThan(30);
    expect(at.get('b1')).toBeLessThan(at.get('a2') ?? 0);
  });

  it('goes on after a call that failed', async () => {
    const pace = new ControlPace(1);
    await expect(pace.run('a', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    await expect(pace.run('a', () => Promise.resolve('yes'))).resolves.toBe('yes');
  });
});
