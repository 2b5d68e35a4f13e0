import { mkdirSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { projectRoot } from '../../tools/local-stack/project-root';
import { runNode, temporaryFolder } from '../stack/fixtures';

jest.setTimeout(300_000);

const bench = path.join(projectRoot(), 'tools', 'bench.mjs');

interface Report {
  readonly results: readonly {
    readonly id: string;
    readonly value: number;
    readonly target: number;
    readonly stretch: number;
    readonly met: boolean;
    readonly cpuPerMessageUs: number;
    readonly cpuUs: Readonly<Record<string, number>>;
  }[];
  readonly busy: boolean;
}

describe('npm run bench', () => {
  it('measures one target beside its baseline and prints one JSON object as its last line', async () => {
    const args = ['--only', 'B1', '--seconds', '2', '--slices', '1', '--json', '--data', temporaryFolder()];
    const { code, stdout, stderr } = await runNode([bench, ...args]).ended;
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
    const report = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Report;
    expect(report.results).toHaveLength(1);
    const [b1] = report.results;
    expect(b1).toMatchObject({ id: 'B1', target: 99.5, stretch: 99.9 });
    expect(b1!.value).toBeGreaterThan(0);
    expect(b1!.met).toBe(b1!.value >= 99.5);
    expect(b1!.cpuPerMessageUs).toBeGreaterThan(0);
    expect(Object.keys(b1!.cpuUs).sort()).toEqual(['postgres', 'redis', 'sink', 'worker-1']);
    expect(typeof report.busy).toBe('boolean');
    // The table for people is there too, on the other stream.
    expect(stderr).toMatch(/B1 +granted rate used/);
    expect(stderr).toContain('BULL-L used');
  });

  it('touches nothing in a folder that holds what is not its own', async () => {
    const foreign = temporaryFolder();
    mkdirSync(path.join(foreign, 'logs'));
    const { code, stdout, stderr } = await runNode([bench, '--data', foreign]).ended;
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^error: .* holds things that no stack has put there \(logs\)/m);
    expect(readdirSync(foreign)).toEqual(['logs']);
  });

  it.each([
    [['--only', 'B99'], /unknown B99/],
    [['--second', '5'], /unknown option "--second"; known are /],
  ])('refuses %j without starting anything', async (args, message) => {
    const { code, stdout, stderr } = await runNode([bench, ...args]).ended;
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/^\s+at /m);
  });
});
