import { spawnSync } from 'node:child_process';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot, temporaryTree } from './temporary-tree';

interface Report {
  summary: { violations: { rule: { name: string }; from: string; to: string }[] };
}

/** Runs the project's own boundary rules over a tree and answers the names of the rules that were broken. */
function brokenRules(path: string): string[] {
  copyFileSync(join(projectRoot, '.dependency-cruiser.cjs'), join(path, '.dependency-cruiser.cjs'));
  copyFileSync(join(projectRoot, 'tsconfig.json'), join(path, 'tsconfig.json'));
  const run = spawnSync(
    process.execPath,
    [join(projectRoot, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs'), '--output-type', 'json', '.'],
    { cwd: path, encoding: 'utf8' },
  );
  const report = JSON.parse(run.stdout) as Report;
  return report.summary.violations.map((violation) => violation.rule.name);
}

function cruise(files: Readonly<Record<string, string>>): string[] {
  const tree = temporaryTree(files);
  try {
    return brokenRules(tree.path);
  } finally {
    tree.remove();
  }
}

const front = {
  'libs/fleet/src/index.ts': 'export const fleet = 1;\n',
  'libs/kernel/src/index.ts': 'export const kernel = 1;\n',
};

describe('the boundary rules', () => {
  it('accept a lib that looks down through the front door', () => {
    expect(cruise({ ...front, 'libs/placement/src/index.ts': "export { fleet } from '@libs/fleet';\n" })).toEqual([]);
  });

  it.each([
    [
      'an upward import',
      'fleet-looks-down',
      {
        'libs/placement/src/index.ts': 'export const placement = 1;\n',
        'libs/fleet/src/index.ts': "export { placement } from '@libs/placement';\n",
      },
    ],
    [
      'siblings that import each other',
      'plans-looks-down',
      {
        'libs/tenancy/src/index.ts': 'export const tenancy = 1;\n',
        'libs/plans/src/index.ts': "export { tenancy } from '@libs/tenancy';\n",
      },
    ],
    [
      'a lib that imports an app',
      'fleet-looks-down',
      {
        'apps/api/src/main.ts': 'export const main = 1;\n',
        'libs/fleet/src/index.ts': "export { main } from '../../../apps/api/src/main';\n",
      },
    ],
    [
      'an app that imports another app',
      'apps-stand-alone',
      {
        'apps/api/src/main.ts': 'export const main = 1;\n',
        'apps/worker/src/main.ts': "export { main } from '../../api/src/main';\n",
      },
    ],
    [
      'a cycle',
      'no-cycles',
      {
        'libs/fleet/src/index.ts': "export { b } from './b';\n",
        'libs/fleet/src/b.ts': "import { c } from './c';\nexport const b = c;\n",
        'libs/fleet/src/c.ts': "import { b } from './b';\nexport const c = (): unknown => b;\n",
      },
    ],
    [
      'a deep import between libs',
      'front-door-between-libs',
      {
        ...front,
        'libs/fleet/src/inner.ts': 'export const inner = 1;\n',
        'libs/placement/src/index.ts': "export { inner } from '../../fleet/src/inner';\n",
      },
    ],
    [
      'a deep import from an app',
      'front-door-only',
      {
        'libs/fleet/src/inner.ts': 'export const inner = 1;\n',
        'apps/api/src/main.ts': "export { inner } from '../../../libs/fleet/src/inner';\n",
      },
    ],
    [
      'a lib without a layer',
      'known-libs-only',
      {
        ...front,
        'libs/common/src/index.ts': "export { kernel } from '@libs/kernel';\n",
      },
    ],
    [
      'typeorm in a service',
      'typeorm-in-its-place',
      {
        'libs/fleet/src/fleet.service.ts': "import { DataSource } from 'typeorm';\nexport type Source = DataSource;\n",
      },
    ],
    [
      'pg in a lib',
      'pg-in-its-place',
      {
        'libs/fleet/src/fleet.service.ts': "import pg from 'pg';\nexport const pool = pg.Pool;\n",
      },
    ],
    [
      'GraphQL in a lib',
      'graphql-in-the-api-only',
      {
        'libs/fleet/src/fleet.service.ts': "export { ObjectType } from '@nestjs/graphql';\n",
      },
    ],
    [
      'bull outside its place',
      'bull-in-its-place',
      {
        'libs/fleet/src/fleet.service.ts': "import Bull from 'bull';\nexport const queue = Bull;\n",
      },
    ],
    [
      'the AWS SDK outside its place',
      'aws-sdk-in-its-place',
      {
        'libs/fleet/src/fleet.service.ts': "export { STSClient } from '@aws-sdk/client-sts';\n",
      },
    ],
    [
      'test code in the product',
      'no-test-code-in-the-product',
      {
        'libs/fleet/src/testing/index.ts': 'export const builder = 1;\n',
        'libs/fleet/src/fleet.service.ts': "export { builder } from './testing';\n",
      },
    ],
    [
      'a framework in the kernel',
      'kernel-has-no-framework',
      {
        'libs/kernel/src/index.ts': "export { Injectable } from '@nestjs/common';\n",
      },
    ],
  ])('reject %s', (_what, rule, files) => {
    expect(cruise(files as Record<string, string>)).toContain(rule);
  });

  it('find nothing wrong with the project as it is', () => {
    const run = spawnSync('npx', ['depcruise', 'apps', 'libs', 'migrations', 'tools', 'test'], {
      cwd: projectRoot,
      encoding: 'utf8',
    });
    expect(run.stdout).toContain('no dependency violations found');
  });
});
