import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { projectRoot } from '../../tools/local-stack/project-root';
import { temporaryFolder } from './fixtures';

const read = (file: string) => readFileSync(path.join(projectRoot(), file), 'utf8');

/** No container engine runs here; what can be wrong without one is a name. */
describe('the image', () => {
  const programs = [...read('tools/container-entry.sh').matchAll(/^ {2}([a-z:| -]+)\) file="(dist\/[^"]+)"/gm)].flatMap(
    ([, names = '', file = '']) => names.split(' | ').map((name) => [name, file.replace('$1', name)] as const),
  );

  it.each(programs)('has the program %s where its entry looks for it', (_, file) => {
    expect(existsSync(path.join(projectRoot(), file))).toBe(true);
  });

  it('knows every program that the compose file starts', () => {
    const started = [...read('docker-compose.yml').matchAll(/^ {4}command: \[([a-z:-]+)\]$/gm)].map(([, name]) => name);
    expect(started.length).toBeGreaterThan(5);
    const known = programs.map(([name]) => name);
    for (const name of started) expect(known).toContain(name);
  });

  it('names an unknown program and those there are', () => {
    const run = spawnSync('sh', [path.join(projectRoot(), 'tools/container-entry.sh'), 'apo'], { encoding: 'utf8' });
    expect(run.status).toBe(1);
    expect(run.stderr).toContain('unknown program "apo"; known: api, worker, simulator');
  });

  it('holds every file that a program reads beside its code', () => {
    const dockerfile = read('Dockerfile');
    for (const file of ['migrations/bootstrap.sql', 'docs/errors']) {
      expect(existsSync(path.join(projectRoot(), file))).toBe(true);
      expect(dockerfile).toMatch(new RegExp(`^COPY .*\\b${file} ${file}$`, 'm'));
    }
  });

  it('starts its programs from a root that holds nothing else', () => {
    const root = temporaryFolder();
    writeFileSync(path.join(root, 'package.json'), '{}');
    mkdirSync(path.join(root, 'migrations'));
    for (const name of ['dist', 'node_modules']) symlinkSync(path.join(projectRoot(), name), path.join(root, name));
    for (const [name, file] of programs) {
      const options = [
        '--enable-source-maps',
        '--disable-proto=throw',
        '--preserve-symlinks',
        '--preserve-symlinks-main',
      ];
      // With an empty environment each of them ends at its configuration, after everything it imports has been found.
      const args = name === 'simulator' ? ['SIMULATOR_PORT=none'] : [];
      const run = spawnSync('env', ['-i', ...args, process.execPath, ...options, path.join(root, file)], {
        encoding: 'utf8',
        cwd: root,
      });
      expect({ name, code: run.status, missing: run.stderr.includes('Cannot find module') }).toEqual({
        name,
        code: 1,
        missing: false,
      });
    }
  }, 120_000);
});
