import { inTurns } from './side-by-side';

describe('work in turns', () => {
  it('is done for everything, so many at a time', async () => {
    let [now, most] = [0, 0];
    const done: number[] = [];
    await inTurns(3, [1, 2, 3, 4, 5, 6, 7], async (item) => {
      now += 1;
      most = Math.max(most, now);
      await Promise.resolve();
      now -= 1;
      done.push(item);
    });
    expect(done.sort()).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(most).toBe(3);
  });

  it('goes on after a failure, and says the first one in the end', async () => {
    const done: number[] = [];
    const work = inTurns(1, [1, 2, 3, 4], (item) => {
      if (item % 2 === 1) return Promise.reject(new Error(`no ${String(item)}`));
      done.push(item);
      return Promise.resolve();
    });
    await expect(work).rejects.toThrow('no 1');
    expect(done).toEqual([2, 4]);
  });
});
