/**
 * `npm test`: every test on real PostgreSQL and Redis. The last line of the output is `N passed, N failed` and nothing else,
 * so that whoever runs it can read the result without knowing jest.
 */
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { checkNode, prepare, root, spawnToEnd, wantsHelp } from './bootstrap.mjs';

const manual = `Usage: npm test [-- jest arguments]

Installs and builds what is missing, then runs the unit tests and the tests on real PostgreSQL and Redis, which it starts
itself. Arguments go to jest: "npm test -- --selectProjects unit", "npm test -- test/stack", "npm test -- -t 'part of a name'".

TEST_KEEP_STACK=1 leaves PostgreSQL, Redis and the test databases in place afterwards; a failed test prints its database's URL.
`;

const args = process.argv.slice(2);
if (wantsHelp(args)) {
  process.stdout.write(manual);
} else {
  checkNode();
  await prepare();
  process.exitCode = await test(args);
}

async function test(jestArguments) {
  const folder = path.join(root, '.data', 'test');
  const results = path.join(folder, `results-${process.pid}.json`);
  mkdirSync(folder, { recursive: true });
  const code = await spawnToEnd(process.execPath, [
    path.join(root, 'node_modules/jest/bin/jest.js'),
    // First: after --reporters, which takes a list, jest would read the path of a test as one more reporter.
    ...jestArguments,
    '--json',
    `--outputFile=${results}`,
    '--reporters=default',
    `--reporters=${path.join(root, 'test/support/database-reporter.mjs')}`,
  ]);
  const { passed, failed } = count(results);
  rmSync(results, { force: true });
  // A run that broke before or after its tests is a failure, however few tests it counted.
  const failures = code !== 0 && failed === 0 ? 1 : failed;
  process.stdout.write(`\n${passed} passed, ${failures} failed\n`);
  return failures > 0 ? code || 1 : 0;
}

function count(file) {
  let summary;
  try {
    summary = JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return { passed: 0, failed: 0 };
  }
  // A file that does not even load has no tests to count: it counts as one failure.
  return { passed: summary.numPassedTests, failed: summary.numFailedTests + summary.numRuntimeErrorTestSuites };
}
