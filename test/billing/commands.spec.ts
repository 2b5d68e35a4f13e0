import { execFile } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { BillingProcesses, PAYER } from './billing-processes';

const PROGRAMS = path.resolve(__dirname, '../../dist/apps/api/src');

describe('commands about months', () => {
  let billing: BillingProcesses;

  beforeAll(async () => {
    if (!existsSync(path.join(PROGRAMS, 'billing-import.js'))) throw new Error('build them first: npm run build');
    billing = await BillingProcesses.start();
    const account = await billing.write.account();
    await billing.write.message(await billing.write.tenant(), account, 30, [
      { state: 'SENT', endedAt: new Date('2026-10-05T00:00:00Z') },
    ]);
    await billing.take('2026-10', 'PROVISIONAL');
  });
  afterAll(() => billing.close());

  const run = (program: string, ...args: string[]) =>
    new Promise<{ code: unknown; out: string; err: string }>((resolve) => {
      const env = { DATABASE_ADMIN_URL: billing.api.database.urls.admin };
      execFile(process.execPath, [path.join(PROGRAMS, program), ...args], { env }, (error, out, err) => {
        resolve({ code: error?.code ?? 0, out, err });
      });
    });

  it.each(['billing-import.js', 'billing-close.js'])('explain themselves: %s', async (program) => {
    const { code, out } = await run(program, '--help');
    expect({ code, usage: out.startsWith('Usage: npm run billing:') }).toEqual({ code: 0, usage: true });
    expect(await run(program)).toMatchObject({ code: 1, err: expect.stringContaining('--period') as string });
  });

  it('import a bill, once, and say what was in it', async () => {
    const file = path.join(billing.folder, 'october.csv');
    writeFileSync(file, await billing.bill('2026-10'));
    const stranger = await run('billing-import.js', '--file', file, '--period', '2026-10');
    expect(stranger).toMatchObject({ code: 1, err: expect.stringContaining(`payer ${PAYER}`) as string });
    const args = ['--file', file, '--period', '2026-10', '--payer', PAYER];
    const imported = await run('billing-import.js', ...args, '--json');
    expect(JSON.parse(imported.out)).toMatchObject({ payer: PAYER, format: 'CUR', lines: '1', totalMicro: '3000' });
    expect(await run('billing-import.js', ...args)).toMatchObject({
      code: 1,
      err: expect.stringContaining('was imported') as string,
    });
  });

  it('ask for a close, and say where a month stands', async () => {
    expect(await run('billing-close.js', '--period', '2026-10', '--final', '--no-wait')).toMatchObject({
      code: 0,
      out: expect.stringContaining('asked to become FINAL') as string,
    });
    await (await billing.worker()).run('2026-10');
    expect((await run('billing-close.js', '--period', '2026-10', '--status')).out).toContain('2026-10: FINAL');
    expect(await run('billing-close.js', '--period', '2026-10')).toMatchObject({
      code: 1,
      err: expect.stringContaining('stays as it is') as string,
    });
  });
});
