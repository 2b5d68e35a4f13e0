import { spawn } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { ownEnvironment } from '../../tools/local-stack/environment';
import { projectRoot } from '../../tools/local-stack/project-root';
import { waitFor } from '../support/wait-for';
import { isAlive, runNode, temporaryFolder } from './fixtures';

/**
 * A fresh clone in small: the entry programs as they are, one source file, and an `npm` that notes down how it was called
 * and makes what the real one would make.
 */
class FreshClone {
  readonly folder = temporaryFolder();
  private readonly bin = path.join(this.folder, 'bin');

  constructor() {
    this.write('package.json', '{}');
    this.write('package-lock.json', '{}');
    this.write('apps/api/src/main.ts', 'first');
    cpSync(path.join(projectRoot(), 'tools'), path.join(this.folder, 'tools'), {
      recursive: true,
      filter: (file) => !file.endsWith('.ts'),
    });
    this.npm(
      `case "$1" in
install) mkdir node_modules/.busy 2>/dev/null || { mkdir -p node_modules/.busy; }; sleep 0.1; rmdir node_modules/.busy ;;
run) mkdir -p dist/apps/api/src && echo 'console.log("api", ...process.argv.slice(2), require.main === module)' > dist/apps/api/src/main.js ;;
esac`,
    );
  }

  /** Replaces the `npm` of this clone by a shell script. */
  npm(body: string): void {
    this.write('bin/npm', `#!/bin/sh\necho "$*" >> ${this.folder}/calls\n${body}\n`);
    chmodSync(path.join(this.bin, 'npm'), 0o755);
  }

  write(file: string, content: string): void {
    mkdirSync(path.dirname(path.join(this.folder, file)), { recursive: true });
    writeFileSync(path.join(this.folder, file), content);
  }

  run(...args: string[]) {
    const env = ownEnvironment();
    return runNode([path.join(this.folder, 'tools', args[0] ?? ''), ...args.slice(1)], {
      cwd: '/',
      env: { ...env, PATH: `${this.bin}:${env['PATH'] ?? ''}` },
    });
  }

  /** What npm was asked to do so far, in short. */
  get calls(): string[] {
    const file = path.join(this.folder, 'calls');
    if (!existsSync(file)) return [];
    return readFileSync(file, 'utf8')
      .trim()
      .split('\n')
      .map((line) => (line.startsWith('install') ? 'install' : 'build'));
  }
}

describe('the programs that run before anything is installed', () => {
  let clone: FreshClone;

  beforeEach(() => {
    clone = new FreshClone();
  });

  it.each(['start.mjs', 'test.mjs', 'run.mjs', 'gates.mjs'])(
    '%s --help answers without installing anything',
    async (program) => {
      const { code, stdout, stderr } = await clone.run(program, '--help').ended;
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(stdout).toMatch(/^Usage: /);
      expect(clone.calls).toEqual([]);
    },
  );

  it.each(['api', 'worker', 'simulator'])('do not start the %s for who asks for help', async (program) => {
    const { code, stdout } = await clone.run('run.mjs', program, '--help').ended;
    expect({ code, usage: stdout.split('\n')[0] }).toEqual({
      code: 0,
      usage: 'Usage: node tools/run.mjs <program> [arguments]',
    });
    expect(clone.calls).toEqual([]);
  });

  it('install and build a fresh clone, then become the program: its arguments, its output, its main module', async () => {
    const { code, stdout } = await clone.run('run.mjs', 'api', 'one', '--two').ended;
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'api one --two true\n' });
    expect(clone.calls).toEqual(['install', 'build']);
  });

  it('do neither again while nothing has changed', async () => {
    await clone.run('run.mjs', 'api').ended;
    await clone.run('run.mjs', 'api').ended;
    expect(clone.calls).toEqual(['install', 'build']);
  });

  it.each([
    ['build after a change of a source', 'apps/api/src/main.ts', ['build']],
    ['build after a change of data', 'libs/billing/data/rate-card.json', ['build']],
    ['build after a new migration', 'migrations/1-new.ts', ['build']],
    ['install and build after a change of the lock file', 'package-lock.json', ['install', 'build']],
    ['do nothing after a change of a test', 'apps/api/src/main.spec.ts', []],
  ])('%s', async (_, file, expected) => {
    await clone.run('run.mjs', 'api').ended;
    clone.write(file, 'changed');
    await clone.run('run.mjs', 'api').ended;
    expect(clone.calls.slice(2)).toEqual(expected);
  });

  it('drop the output of a source that is gone', async () => {
    await clone.run('run.mjs', 'api').ended;
    clone.write('dist/migrations/1-dropped.js', '');
    clone.write('apps/api/src/main.ts', 'second');
    await clone.run('run.mjs', 'api').ended;
    expect(existsSync(path.join(clone.folder, 'dist/migrations/1-dropped.js'))).toBe(false);
  });

  it('take turns when two are started at once: one installs and builds, both run', async () => {
    const runs = [clone.run('run.mjs', 'api', 'a'), clone.run('run.mjs', 'api', 'b')];
    const ended = await Promise.all(runs.map((run) => run.ended));
    expect(ended.map(({ stdout }) => stdout)).toEqual(['api a true\n', 'api b true\n']);
    expect(clone.calls).toEqual(['install', 'build']);
  });

  it('take over from one that was killed, once the install it had begun has ended', async () => {
    clone.npm(`echo $$ > ${clone.folder}/npm.pid; exec sleep 30`);
    const killed = clone.run('run.mjs', 'api');
    const pid = Number(
      await waitFor(() => readFileSync(path.join(clone.folder, 'npm.pid'), 'utf8').trim() || undefined, {
        what: 'npm to run',
      }),
    );
    // It is noted a moment after it runs; who is killed in between leaves nobody a trace of it.
    const noted = path.join(clone.folder, '.data/prepare.lock/tool');
    await waitFor(() => readFileSync(noted, 'utf8') === String(pid), { what: 'the install to be noted' });
    killed.child.kill('SIGKILL');
    clone.npm('mkdir -p node_modules dist/apps/api/src; echo > dist/apps/api/src/main.js');
    const next = clone.run('run.mjs', 'api');
    await waitFor(() => next.output().includes('waiting for it'), { what: 'the second one to wait' });
    expect(clone.calls).toEqual(['install']);
    process.kill(pid, 'SIGKILL');
    expect((await next.ended).code).toBe(0);
    expect(clone.calls).toEqual(['install', 'install', 'build']);
  });

  it('say which step failed, run nothing and leave no lock behind', async () => {
    clone.npm('echo "E404 no such package" >&2; exit 1');
    const { code, stdout, stderr } = await clone.run('run.mjs', 'api').ended;
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain('E404 no such package');
    expect(stderr).toContain('error: npm install failed (exit code 1)');
    expect(existsSync(path.join(clone.folder, '.data/prepare.lock'))).toBe(false);
  });

  it('say in one line that the clone cannot be written, and run nothing', async () => {
    clone.write('.data', 'a file where the folder should be: what root may not write either');
    const { code, stdout, stderr } = await clone.run('run.mjs', 'api').ended;
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^error: \S+\.data cannot be written \(EEXIST\), .*Run this as the owner of .*\n$/);
    expect(clone.calls).toEqual([]);
  });

  it('pass Ctrl-C on to the install', async () => {
    clone.npm(`echo $$ > ${clone.folder}/npm.pid; exec sleep 30`);
    const interrupted = clone.run('run.mjs', 'api');
    const pid = await waitFor(() => readFileSync(path.join(clone.folder, 'npm.pid'), 'utf8').trim() || undefined, {
      what: 'npm to run',
    });
    interrupted.child.kill('SIGINT');
    const { code } = await interrupted.ended;
    expect(code).toBe(130);
    await waitFor(() => !isAlive(Number(pid)), { what: 'npm to end' });
  });

  it('refuse a Node that is too old, naming both versions', async () => {
    const bootstrap = path.join(clone.folder, 'tools/bootstrap.mjs');
    const source = (version: string) =>
      `import { checkNode } from ${JSON.stringify(bootstrap)}; checkNode('${version}');`;
    const check = (version: string) => runNode(['--input-type=module', '-e', source(version)]).ended;
    for (const version of ['18.20.1', '20.18.9']) {
      const { code, stderr } = await check(version);
      expect(code).toBe(1);
      expect(stderr).toContain(`Node 20.19 or newer is needed, this is ${version}`);
    }
    for (const version of ['20.19.0', '22.0.0', '24.1.0']) expect((await check(version)).code).toBe(0);
  });

  it('run the gates of a lane in their order and end at the first that is red, with its name', async () => {
    const tool = (name: string, code: number) => {
      clone.write(`node_modules/.bin/${name}`, `#!/bin/sh\necho ran ${name}\nexit ${String(code)}\n`);
      chmodSync(path.join(clone.folder, 'node_modules/.bin', name), 0o755);
    };
    tool('prettier', 0);
    tool('tsc', 3);
    tool('eslint', 0);
    const { code, stdout, stderr } = await clone.run('gates.mjs', 'lint', 'types', 'format').ended;
    expect(code).toBe(1);
    expect(stdout.match(/^ran .*$/gm)).toEqual(['ran prettier', 'ran tsc']);
    expect(stderr).toContain('error: gate "types" is red (exit code 3); run it alone with: npm run gates -- types');
  });

  it('name an unknown program or gate and those there are', async () => {
    const program = await clone.run('run.mjs', 'apo').ended;
    expect(program.stderr).toContain('error: unknown program "apo"; known: api, worker, simulator');
    const gate = await clone.run('gates.mjs', 'lnt').ended;
    expect(gate.stderr).toContain('error: unknown gate "lnt"; known: dead-code, boundaries, format');
    expect([program.code, gate.code]).toEqual([1, 1]);
  });
});

describe('npm, when it is told to end', () => {
  const { scripts } = JSON.parse(readFileSync(path.join(projectRoot(), 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };

  // A shell between the two would die of the signal and leave a whole stack running behind it.
  it.each(['start', 'start:worker', 'bench'])('hands the signal on to what "%s" runs', async (name) => {
    const folder = temporaryFolder();
    const [, file = ''] = /\bnode (tools\/[a-z-]+\.mjs)/.exec(scripts[name] ?? '') ?? [];
    mkdirSync(path.join(folder, 'tools'));
    writeFileSync(path.join(folder, 'package.json'), JSON.stringify({ scripts }));
    writeFileSync(
      path.join(folder, file),
      `process.on('SIGTERM', () => { console.log('told'); process.exit(); });
       setTimeout(() => process.exit(1), 10_000);
       console.log('up');`,
    );
    const npm = spawn('npm', ['run', name], {
      cwd: folder,
      env: ownEnvironment(),
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    let said = '';
    npm.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const closed = new Promise((resolve) => npm.once('close', resolve));
    await waitFor(() => said.includes('up'), { what: 'the program to run' });
    npm.kill('SIGTERM');
    await closed;
    expect(said).toContain('told');
  });
});

describe('npm test', () => {
  /** `jest` as a script that ends as told, in a clone that is installed and built. */
  async function runTests(jest: string): Promise<{ code: number | null; lastLine: string | undefined }> {
    const clone = new FreshClone();
    clone.write('node_modules/jest/bin/jest.js', jest);
    const { code, stdout } = await clone.run('test.mjs').ended;
    rmSync(path.join(clone.folder, 'node_modules'), { recursive: true });
    return { code, lastLine: stdout.trimEnd().split('\n').at(-1) };
  }

  it('hands its arguments to jest before those that take lists, which would swallow a path', async () => {
    const clone = new FreshClone();
    clone.write('node_modules/jest/bin/jest.js', 'console.log(JSON.stringify(process.argv.slice(2)))');
    const { stdout } = await clone.run('test.mjs', 'test/stack', '-t', 'a name').ended;
    const args = JSON.parse(stdout.split('\n')[0] ?? '') as string[];
    expect(args.slice(0, 3)).toEqual(['test/stack', '-t', 'a name']);
    expect(args).toContain('--reporters=default');
  });

  const writes = (results: object, code: number) => `
    const file = process.argv.find((argument) => argument.startsWith('--outputFile=')).slice(13);
    require('node:fs').writeFileSync(file, ${JSON.stringify(JSON.stringify(results))});
    process.exitCode = ${code};`;

  it.each([
    [
      'everything passed',
      writes({ numPassedTests: 12, numFailedTests: 0, numRuntimeErrorTestSuites: 0 }, 0),
      0,
      '12 passed, 0 failed',
    ],
    [
      'a test failed',
      writes({ numPassedTests: 11, numFailedTests: 1, numRuntimeErrorTestSuites: 0 }, 1),
      1,
      '11 passed, 1 failed',
    ],
    [
      'a file did not load',
      writes({ numPassedTests: 11, numFailedTests: 0, numRuntimeErrorTestSuites: 2 }, 1),
      1,
      '11 passed, 2 failed',
    ],
    ['the servers did not start', 'process.exitCode = 1;', 1, '0 passed, 1 failed'],
    [
      'the run broke after its tests',
      writes({ numPassedTests: 3, numFailedTests: 0, numRuntimeErrorTestSuites: 0 }, 1),
      1,
      '3 passed, 1 failed',
    ],
  ])('ends with the numbers alone on the last line when %s', async (_, jest, code, lastLine) => {
    await expect(runTests(jest)).resolves.toEqual({ code, lastLine });
  });
});
