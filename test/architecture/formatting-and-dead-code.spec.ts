import { spawnSync } from 'node:child_process';
import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot, temporaryTree } from './temporary-tree';

function run(binary: string, args: readonly string[], cwd: string) {
  return spawnSync(process.execPath, [join(projectRoot, 'node_modules', binary), ...args], { cwd, encoding: 'utf8' });
}

describe('the gates on form', () => {
  it('formatting: a file that is not formatted turns the check red', () => {
    const tree = temporaryTree({ 'good.ts': 'export const a = 1;\n', 'bad.ts': 'export   const a=1\n' });
    try {
      copyFileSync(join(projectRoot, '.prettierrc.json'), join(tree.path, '.prettierrc.json'));
      expect(run('prettier/bin/prettier.cjs', ['--check', 'good.ts'], tree.path).status).toBe(0);
      expect(run('prettier/bin/prettier.cjs', ['--check', 'bad.ts'], tree.path).status).toBe(1);
    } finally {
      tree.remove();
    }
  });

  it('types: an unchecked index turns the compiler red', () => {
    const tree = temporaryTree({
      'libs/kernel/src/index.ts': 'export const first = (xs: string[]): string => xs[0];\n',
    });
    try {
      copyFileSync(join(projectRoot, 'tsconfig.json'), join(tree.path, 'tsconfig.json'));
      const checked = run('typescript/bin/tsc', ['--noEmit', '-p', 'tsconfig.json'], tree.path);
      expect(checked.status).not.toBe(0);
      expect(checked.stdout).toContain('TS2322');
    } finally {
      tree.remove();
    }
  });

  it('dead code: an export nobody uses and a file nobody imports turn the check red', () => {
    const tree = temporaryTree({
      'package.json': JSON.stringify({ name: 'planted', private: true }),
      'tsconfig.json': readFileSync(join(projectRoot, 'tsconfig.json'), 'utf8'),
      'knip.json': readFileSync(join(projectRoot, 'knip.json'), 'utf8'),
      'apps/api/src/main.ts': "import { used } from '@libs/kernel';\nprocess.stdout.write(used);\n",
      'libs/kernel/src/index.ts': "export { used, unused } from './words';\n",
      'libs/kernel/src/words.ts': "export const used = 'a';\nexport const unused = 'b';\n",
      'libs/kernel/src/orphan.ts': "export const orphan = 'c';\n",
    });
    try {
      const checked = run('knip/bin/knip.js', ['--reporter', 'json'], tree.path);
      expect(checked.status).not.toBe(0);
      expect(checked.stdout).toContain('orphan.ts');
      expect(checked.stdout).toContain('unused');
    } finally {
      tree.remove();
    }
  });
});
