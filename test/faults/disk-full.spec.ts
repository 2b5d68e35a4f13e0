import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { waitFor } from '../support/wait-for';
import { SendingStack } from '../worker/sending-stack';

const ROOT = path.resolve(__dirname, '../..');
const MAIN = path.join(ROOT, 'dist/apps/worker/src/main.js');
/** A process that may write no larger file fares like one whose disk is full, once the signal does not end it. */
const BEAR_THE_SIGNAL = 'data:text/javascript,process.on("SIGXFSZ",()=>{})';
/** A claim's line, and a part of what is noted before its requests. */
const BYTES_LEFT = 76 + 20;

describe('a disk that is full under the flight recorder', () => {
  let stack: SendingStack;
  let child: ChildProcess;
  let said = '';

  beforeAll(async () => {
    if (!existsSync(MAIN)) throw new Error('build the worker first: npm run build');
    stack = await SendingStack.start();
    await stack.account({ maxSendRate: 200 });
    child = spawn(process.execPath, ['--import', BEAR_THE_SIGNAL, MAIN], { env: stack.workerEnvironment() });
    child.stdout?.on('data', (chunk: Buffer) => (said += chunk.toString()));
    child.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()));
  }, 60_000);
  afterAll(async () => {
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
    await stack.close();
  }, 60_000);

  const record = () =>
    readdirSync(stack.recorderDir)
      .filter((name) => name.includes(`.${String(child.pid)}.`))
      .map((name) => readFileSync(path.join(stack.recorderDir, name), 'utf8'))
      .join('');
  const limit = (bytes: number | 'unlimited') => {
    const { status, stderr } = spawnSync('prlimit', ['--pid', String(child.pid), `--fsize=${String(bytes)}:`]);
    if (status !== 0) throw new Error(`prlimit: ${String(stderr)}`);
  };

  it('lets nothing be sent that is not noted whole, says what is wrong, and loses and doubles nothing', async () => {
    const tenant = await stack.tenant('shop');
    const before = await stack.accept(tenant, 'shop', 20);
    const sent = (count: number) =>
      waitFor(async () => (await stack.states(tenant))['SENT'] === count, {
        what: `${String(count)} messages to be sent`,
        withinMs: 60_000,
        everyMs: 200,
      });
    await sent(before.length);
    limit(record().length + BYTES_LEFT);
    const ids = await stack.accept(tenant, 'shop', 40);
    await waitFor(() => /(EFBIG|ENOSPC).*the flight recorder cannot be written.*disk of RECORDER_DIR/.test(said), {
      what: 'the worker to say what is wrong',
      withinMs: 30_000,
    });
    expect((await stack.judge(ids)).lost).toBe(ids.length);
    limit('unlimited');
    await sent(before.length + ids.length);
    expect(await stack.judge([...before, ...ids])).toEqual({ lost: 0, duplicated: 0 });
    expect(await stack.excess()).toEqual({ overQuota: 0, overRate: 0 });
    const noted = record().split('\n');
    const requests = (await stack.accepted()).map(({ tags }) => `S ${tags?.['attempt'] ?? ''}`);
    expect(requests.filter((line) => !noted.includes(line))).toEqual([]);
  }, 150_000);
});
