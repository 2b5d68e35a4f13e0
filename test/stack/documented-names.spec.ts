import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { apiConfig, simulatorConfig, workerConfig } from '@libs/config';
import type { z } from 'zod';
import { projectRoot } from '../../tools/local-stack/project-root';

const read = (file: string) => readFileSync(path.join(projectRoot(), file), 'utf8');
const filesIn = (folder: string, ending: string) =>
  readdirSync(path.join(projectRoot(), folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith(ending) && !file.endsWith(`.spec${ending}`))
    .map((file) => read(path.join(folder, file)));

const page = read('docs/run-on-your-own-services.md');
/** Read by Node and by the start script, not by the programs themselves. */
const NOT_OURS = ['NODE_OPTIONS'];
/** Described below the table: for a simulator on the same machine, for demonstrations and rehearsals. */
const IN_PROSE = /^(SNS_TRUSTED_|ENGINE_CLOCK_|FAILPOINT$)/;

/** What the table says of each variable, with `needed` for one that must be set and `x` for one that may. */
const table = [...page.matchAll(/^\| (`[A-Z].*?) +\| (.*?) *\| (.*?) *\| (.*?) *\|.*$/gm)].flatMap(
  ([, names = '', api = '', worker = '', defaults = '']) => {
    const values = defaults.split(',').map((text) => text.trim().replaceAll('`', ''));
    return [...names.matchAll(/`([A-Z_]+)`/g)].map(([, name = ''], i) => ({
      name,
      api,
      worker,
      value: values[i] ?? values[0] ?? '',
    }));
  },
);

const needed = (schema: z.ZodType) => !schema.safeParse(undefined).success;
const defaultOf = (schema: z.ZodType<string | number | undefined>) => {
  const { data } = schema.safeParse(undefined);
  return data === undefined || data === '' ? undefined : String(data);
};

describe('the environment', () => {
  it.each([
    ['api', apiConfig.shape],
    ['worker', workerConfig.shape],
  ] as const)('of the %s is the one in docs/run-on-your-own-services.md', (program, shape) => {
    const said = Object.fromEntries(
      table.filter((row) => row[program] !== '' && !NOT_OURS.includes(row.name)).map((row) => [row.name, row[program]]),
    );
    const read = Object.entries(shape).filter(([name]) => !IN_PROSE.test(name));
    expect(said).toEqual(Object.fromEntries(read.map(([name, schema]) => [name, needed(schema) ? 'needed' : 'x'])));
    for (const [name, schema] of read) {
      const value = defaultOf(schema);
      if (value === undefined || name === 'DATABASE_POOL_SIZE') continue;
      expect([name, table.find((row) => row.name === name)?.value]).toEqual([name, value]);
    }
    for (const name of Object.keys(shape).filter((name) => IN_PROSE.test(name))) expect(page).toContain(`\`${name}\``);
  });

  it('of the simulator is the one in docs/simulator.md', () => {
    const text = read('docs/simulator.md');
    for (const name of Object.keys(simulatorConfig.shape)) {
      const short = name.replace(/^ENGINE_CLOCK(?=_(SPEED|OFFSET_MS))/, '');
      expect([name, text.includes(`\`${name}\``) || text.includes(`\`${short}\``)]).toEqual([name, true]);
    }
  });
});

describe('the metrics', () => {
  const source = ['apps', 'libs'].flatMap((folder) => filesIn(folder, '.ts')).join('\n');
  const counted = [...source.matchAll(/\.(?:counter|gauge|histogram)\(\s*'([a-z_]+)'/g)].map(([, name]) => name);
  const docs = filesIn('docs', '.md').join('\n');

  it('are all in docs/run-on-your-own-services.md', () => {
    const rows = page.slice(page.indexOf('| metric'), page.indexOf('## 5.'));
    const said = [...rows.matchAll(/`([a-z]+(?:_[a-z]+)+)(?:\{[a-z,]+\})?`/g)].map(([, name]) => name);
    expect([...new Set(said)].sort()).toEqual([...new Set(counted)].sort());
  });

  it('are those that any page names', () => {
    for (const [, name] of docs.matchAll(/postfleet_([a-z_]*[a-z])/g)) expect(counted).toContain(name);
  });
});
