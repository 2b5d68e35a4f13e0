import { restAfter } from './pump.policy';

const at = { nowMs: 1_000 };

describe('a pump', () => {
  it('comes back before the slice it granted is over', () => {
    const grant = {
      kind: 'grant',
      ...at,
      slotStartMs: 0,
      deadlineMs: 0,
      bucketStartMs: 0,
      recipients: 1,
      rate: { num: 1, den: 1 },
      messages: [],
    } as const;
    expect(restAfter(grant, 500)).toBe(250);
  });

  it.each([
    [{ kind: 'empty', why: 'idle', ...at, retryAtMs: 0 }, 40],
    [{ kind: 'empty', why: 'rate', ...at, retryAtMs: 1_070 }, 70],
    [{ kind: 'empty', why: 'rate', ...at, retryAtMs: 60_000 }, 500],
    [{ kind: 'empty', why: 'day', ...at, retryAtMs: 9_000_000 }, 1_000],
    [{ kind: 'empty', why: 'tenants', ...at, retryAtMs: 0 }, 50],
    [{ kind: 'frozen', ...at, untilMs: 1_200 }, 200],
    [{ kind: 'frozen', ...at, untilMs: 99_000 }, 500],
    [{ kind: 'stale' }, 100],
    [{ kind: 'clock', ...at }, 1_000],
  ] as const)('after %j rests %d ms', (reply, ms) => {
    expect(restAfter(reply, 500)).toBe(ms);
  });
});
