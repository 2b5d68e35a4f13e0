import type { SendingAccountId } from '@libs/kernel';
import { beginsAnew, crowdedMs, elsewhereMs, firstPart, idlePollMs, restAfter } from './pump.policy';

const at = { nowMs: 1_000 };
const pace = { sliceMs: 500, leadMs: 100, idleMs: 40 };

const grant = (recipients: number, slotStartMs: number) =>
  ({
    kind: 'grant',
    ...at,
    slotStartMs,
    deadlineMs: 0,
    bucketStartMs: 0,
    recipients,
    rate: { num: 100, den: 1 },
    messages: [],
    ranDry: false,
  }) as const;

describe('a pump', () => {
  it('comes back before the clock of what it granted idles', () => {
    // 50 recipients at 100/s end at 1,600; the clock idles when a grant made 100 ms earlier could start later than that.
    expect(restAfter(grant(50, 1_100), pace)).toBe(500 - 60);
  });

  it('leaves the tickets of long slices more time', () => {
    // 400 recipients at 100/s from 1,100 on: a tenth of the slice before the clock idles.
    expect(restAfter(grant(400, 1_100), { ...pace, sliceMs: 4_000 })).toBe(4_000 - 400);
  });

  it('spreads the ends of first slices over three quarters of a slice', () => {
    const parts = Array.from({ length: 256 }, (_, i) =>
      firstPart(`0-${i.toString(16).padStart(2, '0')}` as SendingAccountId),
    );
    expect(Math.max(...parts)).toBe(1);
    expect(Math.min(...parts)).toBeGreaterThan(0.25);
    expect(new Set(parts).size).toBe(256);
  });

  it.each([
    [grant(50, 1_100), false],
    [{ kind: 'empty', why: 'rate', ...at, retryAtMs: 1_070 }, false],
    [{ kind: 'empty', why: 'idle', ...at, retryAtMs: 0 }, true],
    [{ kind: 'stale' }, true],
    [{ kind: 'frozen', ...at, untilMs: 1_200 }, true],
  ] as const)('after %j: what is granted next begins anew: %s', (reply, begins) => {
    expect(beginsAnew(reply)).toBe(begins);
  });

  it('comes back sooner after less than a slice, and never for crumbs', () => {
    expect(restAfter(grant(25, 1_100), pace)).toBe(250 - 60);
    expect(restAfter(grant(1, 1_100), pace)).toBe(125);
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
    expect(restAfter(reply, pace)).toBe(ms);
  });

  it('looks at many idle accounts less often each, and hardly at all when offers wake it', () => {
    expect(idlePollMs(10, false)).toBe(40);
    expect(idlePollMs(1_000, false)).toBe(500);
    expect(idlePollMs(10, true)).toBe(1_000);
    expect(idlePollMs(2_000, true)).toBe(2_000);
  });

  it.each([
    [8, 250],
    [100, 500],
    [1_000, 1_000],
  ])('of %d accounts that another process pumps looks at each every %d ms', (accounts, ms) => {
    expect(elsewhereMs(accounts)).toBe(ms);
  });

  it.each([
    [8, 20],
    [200, 100],
    [1_000, 250],
  ])('of %d accounts waits for busy workers %d ms each', (accounts, ms) => {
    expect(crowdedMs(accounts)).toBe(ms);
  });
});
