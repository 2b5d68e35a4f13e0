import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const ROOT = path.resolve(__dirname, '../..');
const MAIN = path.join(ROOT, 'dist/faults/main.js');

describe('npm run faults', () => {
  const data = mkdtempSync(path.join(tmpdir(), 'pf-faults-'));
  beforeAll(() => {
    if (!existsSync(MAIN)) throw new Error('build it first: npm run build');
  });
  afterAll(() => {
    rmSync(data, { recursive: true, force: true });
  });

  /** The whole program, as a user starts it once everything is built. */
  function faults(...args: string[]): Promise<{ code: number | null; out: string; progress: string }> {
    const child = spawn(process.execPath, [MAIN, '--data', data, ...args], { cwd: ROOT });
    const heard = { out: '', progress: '' };
    child.stdout.on('data', (chunk: Buffer) => (heard.out += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (heard.progress += chunk.toString()));
    return new Promise((resolve) => {
      child.on('close', (code) => {
        resolve({ code, ...heard });
      });
    });
  }

  it('kills workers and wipes Redis under load, and finds nothing lost, doubled or over a limit', async () => {
    const { code, out, progress } = await faults('--only', 'kill-worker,flushall', '--json');
    if (code !== 0) throw new Error(progress);
    const lines = out.trim().split('\n');
    expect(lines).toHaveLength(1);
    const nothing = { lost: 0, duplicated: 0, overQuota: 0, overRate: 0, inDoubt: 0 };
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      faults: [
        { name: 'kill-worker', ...nothing, secondsToRecover: expect.any(Number) as number },
        { name: 'flushall', ...nothing, secondsToRecover: expect.any(Number) as number },
      ],
    });
  }, 300_000);

  it('lists what is asked for, for a program too', async () => {
    const { code, out } = await faults('--list', '--json', '--only', 'flushall');
    expect({ code, listed: JSON.parse(out) as unknown }).toEqual({
      code: 0,
      listed: {
        faults: [{ name: 'flushall', about: expect.any(String) as string, rehearses: expect.any(String) as string }],
      },
    });
  });

  it('refuses a fault that it does not know, before it boots anything', async () => {
    const { code, progress } = await faults('--only', 'earthquake');
    expect(code).toBe(2);
    expect(progress).toContain('there is no fault earthquake; the faults are kill-worker, ');
  });
});
