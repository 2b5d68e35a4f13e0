import { appendFileSync, cpSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { readJson } from '../../tools/local-stack/data-folder';
import { ownEnvironment } from '../../tools/local-stack/environment';
import { runNode, temporaryFolder } from '../stack/fixtures';
import { waitFor } from '../support/wait-for';
import { projectRoot } from './temporary-tree';

jest.setTimeout(120_000);

describe('the gate on the GraphQL schemas', () => {
  const files = ['schema.customer.graphql', 'schema.admin.graphql'];

  /** The built program in a tree of its own, whose committed schemas may be changed. */
  function tree(): { check: () => ReturnType<typeof runNode>['ended']; committed: (file: string) => string } {
    const folder = temporaryFolder();
    for (const name of ['dist', 'node_modules', 'package.json'])
      symlinkSync(path.join(projectRoot, name), path.join(folder, name));
    const committed = (file: string) => path.join(folder, 'apps/api', file);
    mkdirSync(path.join(folder, 'apps/api'), { recursive: true });
    for (const file of files) cpSync(path.join(projectRoot, 'apps/api', file), committed(file));
    // Links are not followed, so that the program takes this tree for the project.
    const links = ['--preserve-symlinks', '--preserve-symlinks-main'];
    const program = path.join(folder, 'dist/apps/api/src/schema.js');
    return { check: () => runNode([...links, program, '--check']).ended, committed };
  }

  it('is green on what is committed', async () => {
    await expect(tree().check()).resolves.toMatchObject({ code: 0, stderr: '' });
  });

  it.each(files)('is red when %s is not what the code says', async (file) => {
    const { check, committed } = tree();
    appendFileSync(committed(file), '\nscalar Planted\n');
    const { code, stderr } = await check();
    expect(code).toBe(1);
    expect(stderr).toContain(`apps/api/${file} differ from the code`);
  });
});

describe('the gate on the worker that boots', () => {
  function bootCheck(data: string, env: Record<string, string> = {}) {
    const program = path.join(projectRoot, 'dist/tools/boot-check/main.js');
    return runNode([program, '--seconds', '60', '--data', data], { env: { ...ownEnvironment(), ...env } });
  }

  it('is red when the worker does not become ready', async () => {
    const { code, stderr } = await bootCheck(temporaryFolder(), { LOG_LEVEL: 'chatty' }).ended;
    expect(code).toBe(1);
    expect(stderr).toContain('error: worker ended while it was starting: exit code 1');
    expect(stderr).toContain('LOG_LEVEL: ');
  });

  it('is red when the worker dies while it is watched', async () => {
    const data = temporaryFolder();
    const run = bootCheck(data);
    await waitFor(() => run.output().includes('the worker is ready'), { what: 'the worker', withinMs: 60_000 });
    process.kill(readJson<{ pid: number }>(path.join(data, 'run/worker.json'))?.pid ?? 0, 'SIGKILL');
    const { code, stderr } = await run.ended;
    expect(code).toBe(1);
    expect(stderr).toMatch(/error: (worker ended unexpectedly with signal SIGKILL|the worker stopped being ready)/);
  });
});

describe('the list of gates', () => {
  it('is what CI runs, and CI runs the tests after it', () => {
    const ci = readFileSync(path.join(projectRoot, '.ci/run'), 'utf8');
    const [gates, tests] = [ci.indexOf('npm run --silent gates\n'), ci.indexOf('npm test --silent\n')];
    expect(gates).toBeGreaterThan(0);
    expect(tests).toBeGreaterThan(gates);
  });
});
