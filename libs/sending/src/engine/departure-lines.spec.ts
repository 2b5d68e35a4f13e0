import type { SendingAccountId } from '@libs/kernel';
import { DepartureLines } from './departure-lines';

const [north, south] = ['north' as SendingAccountId, 'south' as SendingAccountId];

function linesOf(most: number, messages: readonly (readonly [SendingAccountId, string])[]): DepartureLines<string> {
  const lines = new DepartureLines<string>(most);
  for (const [account, message] of messages) lines.add(account, message);
  return lines;
}

describe('DepartureLines', () => {
  it('lets no more of an account start than find a connection, in their order', () => {
    const lines = linesOf(2, [
      [north, 'a'],
      [north, 'b'],
      [north, 'c'],
    ]);
    expect(lines.take(10)).toEqual(['a', 'b']);
    expect(lines.take(10)).toEqual([]);
    expect(lines.ended(north)).toBe(true);
    expect(lines.take(10)).toEqual(['c']);
  });

  it('keeps one account waiting without the other', () => {
    const lines = linesOf(1, [
      [north, 'a'],
      [north, 'b'],
      [south, 'c'],
    ]);
    expect(lines.take(10)).toEqual(['a', 'c']);
    expect(lines.ended(south)).toBe(false);
    lines.add(south, 'd');
    expect(lines.take(10)).toEqual(['d']);
  });

  it('hands out no more at once than was asked for', () => {
    const lines = linesOf(4, [
      [north, 'a'],
      [north, 'b'],
      [south, 'c'],
    ]);
    expect(lines.take(2)).toEqual(['a', 'b']);
    expect(lines.take(2)).toEqual(['c']);
  });

  it('remembers what is under way while nothing waits', () => {
    const lines = linesOf(1, [[north, 'a']]);
    lines.take(1);
    lines.add(north, 'b');
    expect(lines.take(1)).toEqual([]);
    lines.ended(north);
    expect(lines.take(1)).toEqual(['b']);
  });
});
