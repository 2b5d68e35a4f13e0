import path from 'node:path';
import { ENGINE_FAULTS, isEngineFault } from '../../simulation/broken-engine';
import { playSeed } from '../../simulation/run';
import { projectRoot } from '../../tools/local-stack/project-root';
import { runNode } from '../stack/fixtures';

/** The first seed that caught each when this was written. It is tried first, to save the others; any of the twenty will do. */
const CATCHES: Readonly<Record<string, number>> = {
  'ignores-cuts': 2,
  'ignores-caps': 3,
  'forgets-tenants': 4,
  'trusts-silence': 3,
};

/** One to twenty, beginning with that one. */
function seedsFrom(first: number): number[] {
  return Array.from({ length: 20 }, (_, i) => ((first - 1 + i) % 20) + 1);
}

describe('the engine on a virtual clock', () => {
  jest.setTimeout(600_000);

  it('breaks no rule in ten seeds of faults', async () => {
    const broken: string[] = [];
    for (let seed = 1; seed <= 10; seed += 1) {
      const { violations } = await playSeed(seed);
      for (const { rule, what } of violations) broken.push(`seed ${String(seed)}: ${rule}: ${what}`);
    }
    expect(broken).toEqual([]);
  });

  it.each(Object.entries(ENGINE_FAULTS))('catches an engine that %s within twenty seeds: %s', async (way, expected) => {
    let caught = false;
    for (const seed of seedsFrom(CATCHES[way] ?? 1)) {
      if (caught) break;
      const { violations } = await playSeed(seed, isEngineFault(way) ? way : undefined);
      caught = violations.some(({ rule }) => rule === expected);
    }
    expect(caught).toBe(true);
  });

  it('plays the same run for the same seed, and another one for another', async () => {
    const [once, again, other] = [await playSeed(3), await playSeed(3), await playSeed(4)];
    expect(again).toEqual(once);
    expect(other.hash).not.toBe(once.hash);
  });
});

describe('npm run simulate', () => {
  it('leaves stdout to the one object of --json, also where everything that happens is shown', async () => {
    const main = path.join(projectRoot(), 'dist/simulation/main.js');
    const run = runNode([main, '--seed', '1', '--trace', '--json']);
    const { code, stdout, stderr } = await run.ended;
    expect({ code, said: JSON.parse(stdout) as unknown }).toEqual({ code: 0, said: { seeds: 1, violations: 0 } });
    expect(stderr).toContain('w1 starts on host1');
  });
});
