import { SystemTimers, type SendingAccountId } from '@libs/kernel';
import { EngineGate } from './engine-gate';

describe('an account that SES refuses', () => {
  const [refused, other] = ['a', 'b'] as SendingAccountId[] as [SendingAccountId, SendingAccountId];

  it('is closed until its time has come, and no other is', () => {
    const gate = new EngineGate(new SystemTimers());
    gate.closeAccount(refused, 0, 5_000);
    expect(gate.isAccountClosed(refused, 4_999)).toBe(true);
    expect(gate.isAccountClosed(other, 4_999)).toBe(false);
    expect(gate.isOpen).toBe(true);
    expect(gate.isAccountClosed(refused, 5_000)).toBe(false);
  });

  it('is open again once a clock that was an hour ahead is set back', () => {
    const gate = new EngineGate(new SystemTimers());
    gate.closeAccount(refused, 3_600_000, 5_000);
    expect(gate.isAccountClosed(refused, 3_601_000)).toBe(true);
    expect(gate.isAccountClosed(refused, 1_000)).toBe(false);
  });
});

describe('a process whose host has a wrong clock', () => {
  it('starts nothing new, and whoever waits for the clock goes on when it is right or the process drains', async () => {
    const gate = new EngineGate(new SystemTimers());
    await gate.rightClock();
    gate.setClock(false);
    expect(gate.isOpen).toBe(false);
    const waits = gate.rightClock();
    gate.setClock(true);
    await waits;
    expect(gate.isOpen).toBe(true);
    gate.setClock(false);
    const drains = gate.rightClock();
    gate.drain();
    await drains;
  });
});
