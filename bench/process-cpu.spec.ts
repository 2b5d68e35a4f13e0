import { treeGrowthMs, type ProcessTree } from './process-cpu';

const HARNESS = 1;
const [SERVER, BACKEND, WORKER] = [10, 11, 20];

const tree = (processes: Record<number, [parent: number, ownMs: number, endedChildrenMs?: number]>): ProcessTree =>
  new Map(
    Object.entries(processes).map(([pid, [parent, ownMs, endedChildrenMs = 0]]) => [
      Number(pid),
      { parent, ownMs, endedChildrenMs },
    ]),
  );

const before = tree({
  [HARNESS]: [0, 500],
  [SERVER]: [HARNESS, 30, 200],
  [BACKEND]: [SERVER, 4_000],
  [WORKER]: [HARNESS, 900],
});

describe('what a tree of processes used between two looks', () => {
  it('is what each used, and all of those that were started meanwhile', () => {
    const after = tree({
      [HARNESS]: [0, 510],
      [SERVER]: [HARNESS, 30, 200],
      [BACKEND]: [SERVER, 4_100],
      [WORKER]: [HARNESS, 950],
      21: [HARNESS, 70],
    });
    expect(treeGrowthMs(before, after)).toBe(10 + 100 + 50 + 70);
  });

  it('counts what ended through its parent, with what it used last', () => {
    const after = tree({ [HARNESS]: [0, 500, 920], [SERVER]: [HARNESS, 30, 4_250] });
    expect(treeGrowthMs(before, after)).toBe(20 + 50);
  });

  it('takes nothing off for what was killed with its parent, of which nobody is told', () => {
    // The harness hears of the server and of the children the server had waited for, not of the backend.
    const after = tree({ [HARNESS]: [0, 500, 240], [WORKER]: [HARNESS, 1_000] });
    expect(treeGrowthMs(before, after)).toBe(10 + 100);
  });
});
