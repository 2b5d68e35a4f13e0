import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { projectRoot } from './temporary-tree';

const service = 'libs/audit/src/audit.service.ts';
const money = 'libs/billing/src/index.ts';

/** What is planted, where, and what the linter must say about it. */
const planted: readonly (readonly [what: string, file: string, code: string, said: string])[] = [
  ['the system clock', service, 'export const now = () => Date.now();\n', 'Inject a Clock'],
  ['a date of now', service, 'export const now = () => new Date();\n', 'Inject a Clock'],
  ['dice', service, 'export const dice = () => Math.random();\n', 'seeded'],
  ['the environment', service, "export const home = () => process.env['HOME'];\n", 'libs/config'],
  [
    'forwardRef',
    service,
    'declare function forwardRef(f: () => unknown): unknown;\nexport const x = forwardRef(() => 1);\n',
    'by design',
  ],
  ['export *', service, "export * from './index';\n", 'no export'],
  [
    'a query runner',
    service,
    'export const f = (s: { createQueryRunner(): unknown }) => s.createQueryRunner();\n',
    'UnitOfWork',
  ],
  [
    'SQL built from data',
    service,
    'export const f = (u: { query(s: string): unknown }, id: string) => u.query(`SELECT ${id}`);\n',
    'parameters',
  ],
  [
    'a tenant set by hand',
    service,
    'export const sql = "SELECT set_config(\'app.tenant\', $1, true)";\n',
    'UnitOfWork alone',
  ],
  ['a client-side time-out', service, 'export const options = { query_timeout: 5 };\n', 'statement_timeout'],
  ['a result cache', service, 'export const options = { cache: true };\n', 'crosses tenants'],
  ['any', service, 'export const f = (x: unknown) => x as any;\n', 'any'],
  [
    'a sum across a wait',
    service,
    'export const f = async (sum: { n: number }, more: Promise<number>) => { sum.n += await more; };\n',
    'await first',
  ],
  ['a promise nobody waits for', service, 'export const f = () => { Promise.resolve(1); };\n', 'no-floating-promises'],
  ['parseFloat near money', money, "export const x = parseFloat('1.5');\n", 'Money'],
  ['rounding by Math near money', money, 'export const x = Math.round(1.5);\n', 'Money'],
  ['toFixed near money', money, 'export const x = (1.5).toFixed(2);\n', 'Money'],
  ['Number() near money', money, "export const x = Number('1');\n", 'Money'],
  ['a number near money', money, 'export const total = (amounts: readonly number[]) => amounts;\n', 'bigint'],
];

describe('the lint rules', () => {
  let answers: string[][] = [];

  beforeAll(() => {
    const snippets = [
      { code: 'export const answer = 42;\n', file: service },
      ...planted.map(([, file, code]) => ({ code, file })),
    ];
    const run = spawnSync(process.execPath, [join(__dirname, 'lint-snippets.mjs')], {
      cwd: projectRoot,
      input: JSON.stringify(snippets),
      encoding: 'utf8',
    });
    if (run.status !== 0) throw new Error(run.stderr);
    answers = JSON.parse(run.stdout) as string[][];
  }, 120_000);

  it('accept ordinary code', () => {
    expect(answers[0]).toEqual([]);
  });

  it.each(planted.map(([what, , , said], i) => [what, i + 1, said] as const))('reject %s', (_what, i, said) => {
    expect(answers[i]?.join('\n')).toContain(said);
  });
});
