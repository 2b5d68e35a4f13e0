import { newId, type TenantId } from '@libs/kernel';
import { AcceptTurns, type WaitingCall } from './accept-turns';

const [ann, bob] = [newId<TenantId>(), newId<TenantId>()];
const nothing = () => undefined;
const waiting = (tenantId: TenantId, key: string, size = 1): WaitingCall => ({
  by: { tenantId, mode: 'LIVE' },
  call: { key, hash: Buffer.alloc(0), checked: [] },
  size,
  resolve: nothing,
  reject: nothing,
});
function turnsOf(calls: readonly WaitingCall[], runningOfOne = Infinity): AcceptTurns {
  const turns = new AcceptTurns(new Set(), runningOfOne);
  for (const call of calls) turns.add(call);
  return turns;
}
function keysOf(turns: AcceptTurns, room = Infinity): string[] {
  const keys: string[] = [];
  for (let one = turns.next(room); one; one = turns.next(room)) keys.push(one.call.key);
  return keys;
}

describe('the turns of waiting calls', () => {
  it('come to each tenant after every other, whoever has more', () => {
    const turns = turnsOf([...['a1', 'a2', 'a3'].map((key) => waiting(ann, key)), waiting(bob, 'b1')]);
    expect(turns.size).toBe(4);
    expect(keysOf(turns)).toEqual(['a1', 'b1', 'a2', 'a3']);
    expect(turns.size).toBe(0);
  });

  it('pass over what is too large for the room, and a key that is under way', () => {
    const [first, again, large] = [waiting(ann, 'a1'), waiting(ann, 'a1'), waiting(ann, 'a2', 9)];
    const turns = turnsOf([first, again, large, waiting(ann, 'a3'), waiting(bob, 'a1')]);
    expect(keysOf(turns, 5)).toEqual(['a1', 'a1', 'a3']);
    expect(turns.size).toBe(10);
    turns.done(first);
    expect(keysOf(turns)).toEqual(['a1', 'a2']);
  });

  it('let a tenant run no more at a time than it may', () => {
    const calls = ['a1', 'a2', 'a3'].map((key) => waiting(ann, key));
    const turns = turnsOf([...calls, waiting(bob, 'b1')], 2);
    expect(keysOf(turns)).toEqual(['a1', 'b1', 'a2']);
    for (const call of calls.slice(0, 1)) turns.done(call);
    expect(keysOf(turns)).toEqual(['a3']);
  });
});
