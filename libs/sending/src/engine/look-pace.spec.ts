import { Timers } from '@libs/kernel';
import { LookPace } from './look-pace';

class HandTimers extends Timers {
  now = 0;
  monotonicMs(): number {
    return this.now;
  }
  sleep(): Promise<void> {
    return Promise.resolve();
  }
  after(): () => void {
    return () => undefined;
  }
}

/** A tick every second whose looks cost so much, the last figure from then on; answers the seconds in which it looked. */
async function looks(costsMs: readonly number[], seconds: number): Promise<number[]> {
  const timers = new HandTimers();
  const pace = new LookPace(timers, 1_000);
  const at: number[] = [];
  for (; timers.now < seconds * 1_000; timers.now = (Math.floor(timers.now / 1_000) + 1) * 1_000) {
    const second = timers.now / 1_000;
    await pace.look(() => {
      timers.now += costsMs[Math.min(at.length, costsMs.length - 1)] ?? 0;
      at.push(second);
      return Promise.resolve(true);
    });
  }
  return at;
}

describe('the pace of a look', () => {
  it('is that of its tick while the look is cheap', async () => {
    expect(await looks([20], 6)).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('becomes slow with the look, and quick again with it', async () => {
    // 300 ms twice: 5.7 s of rest after 1.3 s. Then it is cheap again.
    expect(await looks([300, 300, 5], 10)).toEqual([0, 1, 7, 8, 9]);
  });

  it('is not changed by one look during which the process stood still', async () => {
    expect(await looks([5, 2_500, 5], 7)).toEqual([0, 1, 4, 5, 6]);
  });

  it('makes a look that failed again with the next tick', async () => {
    const timers = new HandTimers();
    const pace = new LookPace(timers, 1_000);
    const failing = () => {
      timers.now += 5_000;
      return Promise.reject(new Error('the database is away'));
    };
    await expect(pace.look(failing)).rejects.toThrow('away');
    await expect(pace.look(failing)).rejects.toThrow('away');
    expect(await pace.look(() => Promise.resolve('found'))).toBe('found');
  });
});
