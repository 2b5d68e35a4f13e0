import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createServer as createWebServer } from 'node:http';
import { createServer } from 'node:net';
import path from 'node:path';
import { readJson } from '../../tools/local-stack/data-folder';
import { ownEnvironment } from '../../tools/local-stack/environment';
import { apiPort } from '../../tools/local-stack/ports';
import { projectRoot } from '../../tools/local-stack/project-root';
import { waitFor } from '../support/wait-for';
import { isAlive, runNode, temporaryFolder } from './fixtures';

/** `npm start` with a data folder of its own. */
function start(data: string, args: readonly string[] = [], env: Record<string, string> = {}) {
  const program = path.join(projectRoot(), 'tools/start.mjs');
  return runNode([program, '--data', data, ...args], { env: { ...ownEnvironment(), ...env } });
}

/** pid by name of every child that the stack of that folder has noted down. */
function childrenOf(data: string): Record<string, number> {
  const folder = path.join(data, 'run');
  if (!existsSync(folder)) return {};
  return Object.fromEntries(
    readdirSync(folder).map((file) => [
      path.basename(file, '.json'),
      readJson<{ pid: number }>(path.join(folder, file))?.pid ?? 0,
    ]),
  );
}

const noneLeft = (children: Record<string, number>) => Object.values(children).every((pid) => !isAlive(pid));
/** Waits until it stays up; a start that ends instead shows what it wrote. */
async function up(stack: ReturnType<typeof start>): Promise<void> {
  const isUp = () => stack.output().includes('Ctrl-C stops everything');
  const ended = () => stack.child.exitCode !== null || stack.child.signalCode !== null;
  await waitFor(() => isUp() || ended(), { what: 'the stack to be up', withinMs: 90_000, everyMs: 100 });
  if (!isUp()) throw new Error(`it ended instead: ${stack.output()}`);
}

jest.setTimeout(180_000);

/** What the README tells a newcomer to type, with the key and the port of this stack. */
function readmeCurl(apiUrl: string): string {
  const readme = readFileSync(path.join(projectRoot(), 'README.md'), 'utf8');
  const command = /^curl [^]*?(?=```)/m.exec(readme)?.[0] ?? '';
  return command.replace('http://127.0.0.1:3000', apiUrl);
}

describe('npm start', () => {
  // Seeded once; the tests that need a stack with data start it again on this folder, which takes seconds.
  const data = temporaryFolder();
  let first: ReturnType<typeof start>;

  beforeAll(async () => {
    first = start(data, ['--messages', '40']);
    await up(first);
  });

  const stopFirst = async () => {
    if (first.child.exitCode === null) first.child.kill('SIGTERM');
    await first.ended;
  };

  afterAll(stopFirst);

  it('plays the day, and what must be zero is zero', () => {
    expect(first.output()).toContain('40 accepted, ');
    expect(first.output()).toContain('lost 0  duplicated 0  over quota 0  over rate 0  in doubt 0\n');
  });

  it('counts incidents from 0 on, so that an alarm sees the first one', async () => {
    const port = readJson<Record<string, number>>(path.join(data, 'ports.json'))?.['worker'] ?? 0;
    const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    const counters = [...text.matchAll(/^# TYPE postfleet_(\w+) counter$/gm)].map(([, name = '']) => name);
    const silent = counters.filter((name) => !text.includes(`\npostfleet_${name}{`));
    // What happens all the time, and what is no incident.
    expect(silent.filter((name) => !['send_outcomes_total', 'partitions_dropped_total'].includes(name))).toEqual([]);
    expect(text).toMatch(/^postfleet_account_incidents_total\{state="PAUSED",.*\} 0$/m);
  });

  it('prints addresses and keys with which the curl of the README sends a message', () => {
    const key = /^ {2}Northwind Bank, live .* {2}(pf_live_\w+)$/m.exec(first.output())?.[1] ?? '';
    const apiUrl = /^ {2}customers +(http:\S+)\/graphql$/m.exec(first.output())?.[1] ?? '';
    const run = spawnSync('sh', ['-c', readmeCurl(apiUrl)], {
      encoding: 'utf8',
      env: { ...ownEnvironment(), KEY: key },
    });
    expect(JSON.parse(run.stdout)).toMatchObject({
      data: {
        sendEmail: { message: { id: expect.stringMatching(/^msg_/) as string }, replayed: false, userErrors: [] },
      },
    });
  });

  it('refuses a second start beside it, and leaves nothing running after Ctrl-C', async () => {
    const children = childrenOf(data);
    expect(Object.keys(children).sort()).toEqual(['api', 'postgres', 'redis', 'simulator', 'worker']);
    expect(noneLeft(children)).toBe(false);

    const second = await start(data).ended;
    expect(second.code).toBe(1);
    expect(second.stdout + second.stderr).toContain(
      `error: the local stack already runs in ${data} (process ${first.child.pid ?? 0})`,
    );
    expect(first.child.exitCode).toBeNull();

    first.child.kill('SIGINT');
    first.child.kill('SIGINT'); // as it arrives from a terminal through npm: twice
    expect((await first.ended).code).toBe(0);
    expect(noneLeft(children)).toBe(true);
    expect(childrenOf(data)).toEqual({});
  });

  it('cleans up after a launcher that was killed, and goes on with its data in seconds, without another day', async () => {
    await stopFirst();
    const killed = start(data);
    await up(killed);
    const orphans = childrenOf(data);
    killed.child.kill('SIGKILL');
    const next = start(data);
    await up(next);
    expect(next.output()).toContain('stopped what an earlier run had left behind: ');
    expect(next.output()).toContain('the database is up to date');
    expect(next.output()).not.toContain('a day of mail');
    expect(noneLeft(orphans)).toBe(true);
    const children = childrenOf(data);
    next.child.kill('SIGTERM');
    expect((await next.ended).code).toBe(0);
    expect(noneLeft(children)).toBe(true);
  });

  // Two clones that are started at once: both found the usual port free.
  it.each(['', '--port'])('is not taken in by a neighbour that takes its port while it boots (%s)', async (option) => {
    await stopFirst();
    const { port } = await apiPort(undefined);
    const stack = start(data, option === '' ? [] : [option, String(port)]);
    await waitFor(() => childrenOf(data)['postgres'], { what: 'PostgreSQL to be started', withinMs: 60_000 });
    const neighbour = createWebServer((_, answer) => answer.end('{}')).listen(port, '127.0.0.1');
    const taken = `port ${port} is taken by process ${process.pid} (`;
    try {
      if (option === '') {
        await up(stack);
        expect(stack.output()).toContain(taken);
        expect(stack.output()).not.toContain(`http://127.0.0.1:${port}/`);
        stack.child.kill('SIGTERM');
      }
      expect(await stack.ended).toMatchObject({ code: option === '' ? 0 : 1 });
      expect(stack.output()).toContain(option === '' ? taken : `error: ${taken}`);
      expect(childrenOf(data)).toEqual({});
    } finally {
      stack.child.kill('SIGTERM');
      neighbour.close();
    }
  });

  it('starts a worker and an api that were killed again, and ends with an error when what they stand on dies', async () => {
    await stopFirst();
    const stack = start(data);
    await up(stack);
    for (const name of ['worker', 'api']) {
      const killed = childrenOf(data)[name] ?? 0;
      process.kill(killed, 'SIGKILL');
      const line = `${name} ended unexpectedly with signal SIGKILL: it is started again`;
      await waitFor(() => stack.output().includes(line), {
        what: `the end of the ${name} to be told`,
      });
      const isBack = () => ![undefined, killed].includes(childrenOf(data)[name]);
      await waitFor(isBack, { what: `another ${name}`, withinMs: 30_000 });
    }
    const url = /customers +(http:\S+)\/graphql/.exec(stack.output())?.[1] ?? '';
    const answers = async () => (await fetch(`${url}/health/ready`).catch(() => undefined))?.ok;
    await waitFor(answers, { what: 'the api to be ready', withinMs: 30_000, everyMs: 200 });
    const children = childrenOf(data);
    process.kill(children['redis'] ?? 0, 'SIGKILL');
    const { code } = await stack.ended;
    expect(code).toBe(1);
    expect(stack.output()).toContain('error: redis ended unexpectedly with signal SIGKILL. The end of ');
    expect(noneLeft(children)).toBe(true);
  });

  it('leaves nothing running when nobody reads its output any more', async () => {
    const data = temporaryFolder();
    const stack = start(data);
    await waitFor(() => childrenOf(data)['postgres'], { what: 'PostgreSQL to be started', withinMs: 60_000 });
    stack.child.stdout?.destroy();
    stack.child.stderr?.destroy();
    const children = childrenOf(data);
    await stack.ended;
    expect(noneLeft({ ...children, ...childrenOf(data) })).toBe(true);
    expect(childrenOf(data)).toEqual({});
  });

  it('stops cleanly when it is interrupted while it is booting', async () => {
    const data = temporaryFolder();
    const stack = start(data);
    await waitFor(() => childrenOf(data)['postgres'], { what: 'PostgreSQL to be started', withinMs: 60_000 });
    const children = childrenOf(data);
    stack.child.kill('SIGINT');
    expect((await stack.ended).code).toBe(130);
    expect(noneLeft({ ...children, ...childrenOf(data) })).toBe(true);
  });

  it('names a port that is taken, and leaves nothing running', async () => {
    const data = temporaryFolder();
    const server = createServer();
    const port = await new Promise<number>((resolve) => {
      server.listen(0, '127.0.0.1', () => {
        const address = server.address();
        resolve(typeof address === 'object' && address !== null ? address.port : 0);
      });
    });
    const { code, stdout, stderr } = await start(data, ['--port', String(port)]).ended;
    server.close();
    expect({ code, text: stdout + stderr }).toEqual({
      code: 1,
      text: expect.stringMatching(
        new RegExp(
          `^error: port ${port} is taken by process ${process.pid} \\(.*\\); stop that one, or give another --port\n$`,
        ),
      ) as string,
    });
    expect(childrenOf(data)).toEqual({});
  });

  it('says that the server of REDIS_URL does not answer, before anything runs', async () => {
    const data = temporaryFolder();
    const { code, stdout, stderr } = await start(data, [], { REDIS_URL: 'redis://127.0.0.1:1' }).ended;
    expect(code).toBe(1);
    expect(stdout + stderr).toContain('error: REDIS_URL is set, but that server does not answer');
    expect(existsSync(path.join(data, 'postgres'))).toBe(false);
  });

  it('names an unknown option, and touches nothing', async () => {
    const data = path.join(temporaryFolder(), 'none');
    const { code, stderr } = await start(data, ['--mesages', '5']).ended;
    expect(code).toBe(2);
    expect(stderr).toMatch(/^error: unknown option "--mesages"; known are .*--messages.* \(npm start -- --help\)\n$/);
    expect(existsSync(data)).toBe(false);
  });
});
