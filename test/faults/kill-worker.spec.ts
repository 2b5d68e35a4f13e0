import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { MessageId } from '@libs/kernel';
import type { EmailInput } from '@libs/sending';
import { waitFor } from '../support/wait-for';
import { SendingStack } from '../worker/sending-stack';

const ROOT = path.resolve(__dirname, '../..');
const MAIN = path.join(ROOT, 'dist/apps/worker/src/main.js');
const KILLS = 5;

interface Mail {
  readonly maxSendRate: number;
  /** Accepted before each start, so that every worker has mail to send however long the one before it lived. */
  readonly each: number;
  readonly change?: () => Partial<EmailInput>;
  /** By which it leaves. */
  readonly operation: string;
}

const LETTERS: Mail = { maxSendRate: 150, each: 300, operation: 'SendEmail' };
/** Five slots begin in the same moment, and marketing mail that starts together shares requests. */
const CAMPAIGN: Mail = {
  maxSendRate: 1_000,
  each: 800,
  change: () => ({ stream: 'MARKETING' }),
  operation: 'SendBulkEmail',
};

describe.each([
  ['letters', LETTERS],
  ['a campaign', CAMPAIGN],
])('killing the worker with SIGKILL while it sends %s', (_, { maxSendRate, each, change, operation }) => {
  let stack: SendingStack;
  let child: ChildProcess | undefined;

  beforeAll(async () => {
    if (!existsSync(MAIN)) throw new Error('build the worker first: npm run build');
    stack = await SendingStack.start({ inDoubtAfterMs: 2_000, latencyMs: 20, eventDelayMs: 50 });
    await stack.account({ maxSendRate });
  });
  afterAll(async () => {
    await kill();
    await stack.close();
  });

  function start(): void {
    child = spawn(process.execPath, [MAIN], {
      env: stack.workerEnvironment(),
      stdio: 'inherit',
    });
  }

  async function kill(): Promise<void> {
    const dying = child;
    child = undefined;
    if (!dying || dying.exitCode !== null) return;
    const gone = new Promise((resolve) => dying.once('exit', resolve));
    dying.kill('SIGKILL');
    await gone;
  }

  it('loses nothing and doubles nothing, by the arrival log of the simulator', async () => {
    const tenant = await stack.tenant('shop', { recipientsPerDay: null });
    const ids: MessageId[] = [];
    for (let killed = 0; killed < KILLS; killed += 1) {
      ids.push(...(await stack.accept(tenant, 'shop', each, change)));
      start();
      const before = (await stack.accepted()).length;
      // With nothing left to send, the wait below would look like a worker that stalls.
      expect(before).toBeLessThanOrEqual(ids.length - each);
      await waitFor(async () => (await stack.accepted()).length > before + 20, {
        what: 'the worker to send',
        withinMs: 30_000,
      });
      await sleep(50 + killed * 37);
      await kill();
    }
    start();
    await waitFor(async () => (await stack.states(tenant))['SENT'] === ids.length, {
      what: 'every message to be SENT',
      withinMs: 120_000,
      everyMs: 250,
    }).catch(async (error: unknown) => {
      throw new Error(`${String(error)}: ${JSON.stringify(await stack.states(tenant))}`);
    });
    expect(await stack.judge(ids)).toEqual({ lost: 0, duplicated: 0 });
    expect(await stack.excess()).toEqual({ overQuota: 0, overRate: 0 });
    expect((await stack.accepted()).map((arrival) => arrival.operation)).toContain(operation);
    // The books of the last batches close with the next write of outcomes.
    await waitFor(async () => (await stack.query(`SELECT 1 FROM batch WHERE state = 'OPEN'`)).length === 0, {
      what: 'every batch to be closed',
    });
    // Every request had a committed intent.
    const attempts = new Set((await stack.query<{ id: string }>('SELECT id FROM attempt')).map(({ id }) => id));
    expect((await stack.sends()).filter((arrival) => !attempts.has(arrival.tags?.['attempt'] ?? ''))).toEqual([]);
  }, 240_000);
});
