import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { DataFolder, readJson, writeJson } from '../../tools/local-stack/data-folder';
import { identify } from '../../tools/local-stack/process-identity';
import { UsageProblem, type StackProblem } from '../../tools/local-stack/stack-problem';
import { loadSecrets } from '../../tools/local-stack/stack-secrets';
import { Part } from '../../tools/local-stack/part';
import { stopLeftovers, Supervisor } from '../../tools/local-stack/supervisor';
import { waitFor } from '../support/wait-for';
import { isAlive, script, temporaryFolder } from './fixtures';

const forEver = 'setInterval(() => undefined, 1_000)';

describe('supervisor', () => {
  const failures: StackProblem[] = [];
  let folder: DataFolder;
  let supervisor: Supervisor;

  beforeEach(() => {
    failures.length = 0;
    folder = new DataFolder(temporaryFolder());
    supervisor = new Supervisor(folder, (failure) => failures.push(failure));
  });

  afterEach(async () => {
    await supervisor.stopAll();
  });

  it('stops every child, last started first, and leaves no note of them', async () => {
    const order: string[] = [];
    const children = [];
    for (const name of ['first', 'second', 'third']) {
      const child = await supervisor.start(script(name, `${forEver} // ${name}`));
      void child.end().then(() => order.push(name));
      children.push(child);
    }
    await supervisor.stopAll();
    expect(order).toEqual(['third', 'second', 'first']);
    expect(children.map(({ pid }) => isAlive(pid))).toEqual([false, false, false]);
    expect(readdirSync(folder.children)).toEqual([]);
    expect(failures).toEqual([]);
  });

  it('kills a child that ignores the request to end', async () => {
    const stubborn = `process.on('SIGTERM', () => undefined); console.log('ready'); ${forEver}`;
    const child = await supervisor.start(
      script('stubborn', stubborn, { stopWithinMs: 200, isReady: () => logged(folder, 'stubborn') }),
    );
    await supervisor.stopAll();
    expect(isAlive(child.pid)).toBe(false);
  });

  it('tells how a child died while starting, with the last lines of its log', async () => {
    const dying = script('dying', `console.error('the disk is full'); process.exit(7)`, {
      isReady: () => Promise.resolve(false),
    });
    await expect(supervisor.start(dying)).rejects.toThrow(
      /dying ended while it was starting: exit code 7[^]*the disk is full/,
    );
  });

  it('shows lines of this run only, not of the one before', async () => {
    const dying = (text: string) =>
      script('dying', `console.error('${text}'); process.exit(1)`, { isReady: () => Promise.resolve(false) });
    await expect(supervisor.start(dying('yesterday'))).rejects.toThrow('yesterday');
    await expect(supervisor.start(dying('today'))).rejects.not.toThrow('yesterday');
  });

  it('ends a child that does not become ready in time', async () => {
    const slow = script('slow', forEver, { isReady: () => Promise.resolve(false), readyWithinMs: 300 });
    const start = supervisor.start(slow);
    const note = await waitFor(() => readJson<{ pid: number }>(path.join(folder.children, 'slow.json')), {
      what: 'its note',
    });
    await expect(start).rejects.toThrow('slow was not ready after');
    expect(isAlive(note.pid)).toBe(false);
  });

  it('names a program that does not exist', async () => {
    await expect(supervisor.start(script('absent', '', { command: '/nowhere/absent' }))).rejects.toThrow(
      'absent could not be started: spawn /nowhere/absent ENOENT',
    );
  });

  it('reports a child that dies later, once', async () => {
    await supervisor.start(script('shortlived', `setTimeout(() => process.exit(3), 100)`));
    await waitFor(() => failures.length > 0, { what: 'the report' });
    expect(failures.map(({ message }) => message)).toEqual([
      expect.stringContaining('shortlived ended unexpectedly with exit code 3'),
    ]);
  });

  it('starts a part that died again, but not one that dies again and again', async () => {
    const said: string[] = [];
    const source = `setTimeout(() => process.exit(3), 50)`;
    const part = new Part(
      supervisor,
      () => script('mortal', source),
      (line) => said.push(line),
    );
    await part.start();
    await waitFor(() => failures.length > 0, { what: 'the report' });
    expect(said).toEqual(Array<string>(3).fill('mortal ended unexpectedly with exit code 3: it is started again'));
    expect(failures.map(({ message }) => message)).toEqual([expect.stringContaining('mortal ended unexpectedly')]);
  });

  it('stops a child that is just starting', async () => {
    const start = supervisor.start(script('late', forEver, { isReady: () => Promise.resolve(false) }));
    const settled = start.catch((error: unknown) => error);
    const note = await waitFor(() => readJson<{ pid: number }>(path.join(folder.children, 'late.json')), {
      what: 'its note',
    });
    await supervisor.stopAll();
    expect(await settled).toMatchObject({ message: 'late was stopped while it was starting' });
    expect(isAlive(note.pid)).toBe(false);
  });

  it('ends one that stands still as cleanly as any other', async () => {
    const source = `process.on('SIGTERM', () => { console.log('clean'); process.exit(0); }); ${forEver}; console.log('up');`;
    const child = await supervisor.start(
      script('still', source, { isReady: () => logged(folder, 'still'), stopWithinMs: 60_000 }),
    );
    child.signal('SIGSTOP');
    await supervisor.remove(child);
    expect(child.obituary()).toMatch(/exit code 0[^]*clean/);
  });

  it('starts nothing any more once it is stopping', async () => {
    await supervisor.stopAll();
    await expect(supervisor.start(script('late', forEver))).rejects.toThrow('the stack is being stopped');
  });
});

describe('leftovers of a launcher that was killed', () => {
  it('are ended by the next start', async () => {
    const folder = new DataFolder(temporaryFolder());
    const child = spawn(process.execPath, ['-e', forEver], { detached: true, stdio: 'ignore' });
    const identity = await waitFor(() => identify(child.pid ?? 0, ['setInterval']), {
      what: 'the process to be there',
    });
    writeJson(path.join(folder.children, 'worker.json'), identity);
    await expect(stopLeftovers(folder.children)).resolves.toEqual(['worker']);
    await waitFor(() => child.exitCode !== null || child.signalCode !== null, { what: 'its end' });
    expect(existsSync(folder.children)).toBe(false);
  });

  it.each([
    ['whose command line is another', { markers: ['postgres -D /somewhere'] }],
    ['that was started at another time', { started: '1' }],
  ])('are never a process %s', async (_, change) => {
    const folder = new DataFolder(temporaryFolder());
    const bystander = spawn(process.execPath, ['-e', forEver], { stdio: 'ignore' });
    try {
      const identity = await waitFor(() => identify(bystander.pid ?? 0, ['setInterval']), {
        what: 'the process to be there',
      });
      writeJson(path.join(folder.children, 'worker.json'), { ...identity, ...change });
      await expect(stopLeftovers(folder.children)).resolves.toEqual([]);
      expect(bystander.exitCode ?? bystander.signalCode).toBeNull();
    } finally {
      bystander.kill('SIGKILL');
    }
  });
});

describe('data folder', () => {
  it('is used by one stack at a time, and says by which', () => {
    const path = temporaryFolder();
    new DataFolder(path).lock();
    expect(() => {
      new DataFolder(path).lock();
    }).toThrow(`the local stack already runs in ${path} (process ${process.pid})`);
  });

  it('is free again after unlock, and after the death of its owner', async () => {
    const path = temporaryFolder();
    const folder = new DataFolder(path);
    folder.lock();
    folder.unlock();
    expect(folder.tryLock()).toBe(true);
    writeJson(`${path}/stack.lock`, { pid: 2 ** 22 + 1, started: '1', markers: ['node'] });
    await expect(Promise.all([1, 2, 3].map(() => Promise.resolve(new DataFolder(path).tryLock())))).resolves.toEqual([
      true,
      false,
      false,
    ]);
  });

  it('is emptied of what a stack left, and of nothing else', () => {
    const folder = new DataFolder(path.join(temporaryFolder(), 'new'));
    folder.lock();
    mkdirSync(folder.postgres);
    writeFileSync(path.join(folder.path, 'notes.txt'), 'mine');
    folder.reset();
    expect(existsSync(folder.postgres)).toBe(false);
    expect(existsSync(path.join(folder.path, 'notes.txt'))).toBe(true);
    folder.unlock();
    expect(folder.tryLock()).toBe(true);
  });

  it('is never one that somebody else has filled', () => {
    const foreign = temporaryFolder();
    mkdirSync(path.join(foreign, 'postgres'));
    const folder = new DataFolder(foreign);
    expect(() => {
      folder.lock();
    }).toThrow(UsageProblem);
    expect(() => {
      folder.lock();
    }).toThrow(/no stack has put there \(postgres\).*Give --data an empty folder/);
    expect(() => {
      folder.reset();
    }).toThrow(/not marked as a stack's own/);
    expect(readdirSync(foreign)).toEqual(['postgres']);
  });

  it('of a version that did not mark it is known by its secrets', () => {
    const foreign = temporaryFolder();
    writeJson(path.join(foreign, 'secrets.json'), { password: 'of something else' });
    expect(() => new DataFolder(foreign).tryLock()).toThrow(UsageProblem);
    const older = temporaryFolder();
    loadSecrets(older);
    expect(new DataFolder(older).tryLock()).toBe(true);
  });

  it.each([
    ['below a file', path.join(__filename, 'data'), 'ENOTDIR'],
    ['where the system makes none', '/proc/postfleet', 'ENOENT'],
  ])('that cannot be made, %s, is told with what to do instead', (_, folder, code) => {
    expect(() => {
      new DataFolder(folder).lock();
    }).toThrow(new RegExp(`cannot be used: ${code}.* Give --data a folder that you may write`));
  });

  it('is made with its parents', () => {
    const folder = new DataFolder(path.join(temporaryFolder(), 'a', 'b'));
    expect(folder.tryLock()).toBe(true);
  });
});

/** True once the child has written something. */
function logged(folder: DataFolder, name: string): Promise<boolean> {
  return Promise.resolve((statSync(path.join(folder.logs, `${name}.log`), { throwIfNoEntry: false })?.size ?? 0) > 0);
}
