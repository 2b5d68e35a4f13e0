import { RepeatedLines } from './repeated-lines.policy';

describe('lines that repeat themselves', () => {
  const away = { type: 'Error', message: 'Redis is away' };

  it('are written three times in ten seconds, and then with the number of those that were not', () => {
    const repeated = new RepeatedLines();
    const said = (at: number, error = away) => repeated.admit('the pump failed', error, at);
    expect([0, 1, 2, 3, 9_999].map((at) => said(at).isWritten)).toEqual([true, true, true, false, false]);
    expect(said(10_000)).toEqual({ isWritten: true, unsaid: 2 });
    expect(said(10_001)).toEqual({ isWritten: true, unsaid: 0 });
  });

  it('are told apart by what they say and by what went wrong', () => {
    const repeated = new RepeatedLines();
    for (let i = 0; i < 3; i++) repeated.admit('the pump failed', away, 0);
    expect(repeated.admit('the pump failed', away, 0).isWritten).toBe(false);
    expect(repeated.admit('a tick failed', away, 0).isWritten).toBe(true);
    expect(repeated.admit('the pump failed', { ...away, type: 'TypeError' }, 0).isWritten).toBe(true);
    expect(repeated.admit('the pump failed', { ...away, message: 'Redis is full' }, 0).isWritten).toBe(true);
  });

  it('take no memory without end', () => {
    const repeated = new RepeatedLines();
    for (let i = 0; i < 5_000; i++) repeated.admit('failed', { type: 'Error', message: `row ${String(i)}` }, 0);
    expect((repeated as unknown as { kinds: Map<string, unknown> }).kinds.size).toBeLessThanOrEqual(1_000);
  });
});
