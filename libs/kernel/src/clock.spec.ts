import { EngineClock, isFresh, ManualClock, scaleTime } from './index';

describe('engine time', () => {
  it('is real time unless told otherwise', () => {
    const real = new ManualClock(1_000);
    expect(new EngineClock(real).nowMs()).toBe(1_000);
  });

  it('runs faster from its base on, and jumps by its offset', () => {
    expect(scaleTime(1_010, { baseMs: 1_000, speed: 60, offsetMs: 0 })).toBe(1_600);
    expect(scaleTime(1_010, { baseMs: 1_000, speed: 1, offsetMs: 86_400_000 })).toBe(86_401_010);
  });

  it('moves forward by what it is told', () => {
    const clock = new EngineClock(new ManualClock(5));
    clock.advance(10);
    expect(clock.nowMs()).toBe(15);
    expect(clock.scale.offsetMs).toBe(10);
  });
});

it('is fresh for as long as it says, and not by a clock that was set back since', () => {
  const isFreshAt = (now: number) => isFresh(1_000, now, 500);
  expect([500, 999, 1_000, 1_499, 1_500].map(isFreshAt)).toEqual([false, true, true, true, false]);
});
