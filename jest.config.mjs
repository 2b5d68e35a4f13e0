import { availableParallelism } from 'node:os';

const shared = {
  rootDir: '.',
  testEnvironment: 'node',
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          target: 'es2022',
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true },
          keepClassNames: true,
        },
        module: { type: 'commonjs' },
        sourceMaps: 'inline',
      },
    ],
  },
  moduleNameMapper: {
    '^@libs/([^/]+)$': '<rootDir>/libs/$1/src',
    '^@libs/([^/]+)/testing$': '<rootDir>/libs/$1/src/testing',
  },
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/.data/'],
};

/**
 * Test files wait for servers more than they compute, so two at once fit on two cores, where jest's own rule takes one. More
 * than four would outgrow the connections of the one PostgreSQL they share.
 */
const maxWorkers = Math.min(4, Math.max(2, availableParallelism() - 1));

/** unit: pure rules beside the code. integration: everything under test/, on real PostgreSQL and Redis. */
export default {
  maxWorkers,
  testSequencer: '<rootDir>/test/support/slow-first.mjs',
  // Tests assert behaviour, never time: one that hangs ends, one on a busy machine may take long. A test names a limit of its own
  // only where it needs more.
  testTimeout: 90_000,
  projects: [
    { ...shared, displayName: 'unit', testMatch: ['<rootDir>/{apps,bench,faults,libs,simulation,tools}/**/*.spec.ts'] },
    {
      ...shared,
      displayName: 'integration',
      testMatch: ['<rootDir>/test/**/*.spec.ts'],
      globalSetup: '<rootDir>/test/support/global-setup.ts',
      globalTeardown: '<rootDir>/test/support/global-teardown.ts',
    },
  ],
};
