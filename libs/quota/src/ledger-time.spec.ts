import { EngineClock, ManualClock, Timers } from '@libs/kernel';
import { LedgerTime } from './ledger-time';

class ManualTimers extends Timers {
  ms = 50_000;

  monotonicMs(): number {
    return this.ms;
  }

  sleep(): Promise<void> {
    return Promise.resolve();
  }

  after(): () => void {
    return () => undefined;
  }
}

describe('the time of the ledger in a process', () => {
  const wall = new ManualClock(1_000_000);
  const timers = new ManualTimers();
  const engine = new EngineClock(wall);
  const time = () => new LedgerTime(engine, timers);

  it('is the host’s until Redis has answered once', () => {
    expect(time().nowMs()).toBe(1_000_000);
  });

  it('does not follow a host’s clock that jumps', () => {
    const one = time();
    one.learn(one.ownMs(), 2_000_000);
    wall.advance(-500_000);
    timers.ms += 20;
    expect(one.nowMs()).toBe(2_000_020);
  });

  it('keeps what it believes while answers agree with it, and gives way as far as they prove it wrong', () => {
    const one = time();
    one.learn(one.ownMs(), 2_000_000);
    const asked = one.ownMs();
    timers.ms += 10;
    one.learn(asked, 2_000_004);
    expect(one.nowMs()).toBe(2_000_010);
    const again = one.ownMs();
    one.learn(again, 2_000_500);
    expect(one.nowMs()).toBe(2_000_500);
  });

  it('moves with an engine clock that is put forward', () => {
    const one = time();
    one.learn(one.ownMs(), 2_000_000);
    engine.advance(3_600_000);
    expect(one.nowMs()).toBe(5_600_000);
  });
});
