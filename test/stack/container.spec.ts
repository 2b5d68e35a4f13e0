import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { apiConfig, workerConfig } from '@libs/config';
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

  it('gives each program the variables that it reads, and all that it needs', () => {
    for (const [program, { shape }] of Object.entries({ api: apiConfig, worker: workerConfig })) {
      const service =
        new RegExp(`^  ${program}:\\n((?: {4}.*\\n|\\n)+)`, 'm').exec(read('docker-compose.yml'))?.[1] ?? '';
      const [environment = ''] = /^ {4}environment:\n(?: {6}.*\n)+/m.exec(service) ?? [];
      const given = [...environment.matchAll(/^ {6}([A-Z_]+):/gm)].map(([, name = '']) => name);
      const readable = Object.keys(shape);
      expect(given.filter((name) => name !== 'NODE_OPTIONS' && !readable.includes(name))).toEqual([]);
      const needed = Object.entries(shape).filter(([, schema]) => !schema.safeParse(undefined).success);
      expect(given).toEqual(expect.arrayContaining(needed.map(([name]) => name)));
    }
  });

  it('gives no program the network of another one, which a restart of that one would take away', () => {
    const compose = read('docker-compose.yml');
    const owners = [...compose.matchAll(/^ {4}network_mode: service:([a-z-]+)$/gm)].map(([, name = '']) => name);
    expect(owners).toHaveLength(4);
    for (const owner of new Set(owners)) {
      const service = new RegExp(`^  ${owner}:\\n((?: {4}.*\\n)+)`, 'm').exec(compose)?.[1] ?? '';
      expect(service).toContain('entrypoint: [sleep, infinity]');
      expect(service).not.toContain('command:');
    }
  });

  it('links to the api by the port at which this machine has it', () => {
    const [, published] = /ports: \['127\.0\.0\.1:(\S+):3000'\]/.exec(read('docker-compose.yml')) ?? [];
    const api = read('docker-compose.yml')
      .split(/^ {2}api:$/m)[1]
      ?.split(/^ {2}worker:$/m)[0];
    expect(published).toBe('${API_PORT:-3000}');
    expect(api).toContain(`PUBLIC_URL: http://127.0.0.1:${published ?? ''}\n`);
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
