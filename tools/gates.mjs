/**
 * The gates. `npm run gates` runs them all, `npm run gates -- lint types` only those named.
 * `.ci/run` runs the same list, so that nothing is red there which a developer could not have seen here.
 */
import { checkNode, fail, prepare, root, spawnToEnd, wantsHelp } from './bootstrap.mjs';
import path from 'node:path';
import { performance } from 'node:perf_hooks';

const bin = (name) => path.join(root, 'node_modules/.bin', name);
const node = (...args) => [process.execPath, args];
const tool = (name, ...args) => [bin(name), args];

/**
 * name, what it proves, command. The two lanes run side by side on the two cores that a machine has at least: what reads the
 * sources, and what needs them built and run. Within a lane the order is the one that fails fastest.
 */
const reading = [
  ['dead-code', 'no export, file or dependency is unused', tool('knip')],
  [
    'boundaries',
    'imports run downward, through front doors',
    tool(
      'depcruise',
      '--config',
      '.dependency-cruiser.cjs',
      'apps',
      'bench',
      'faults',
      'libs',
      'migrations',
      'simulation',
      'tools',
      'test',
    ),
  ],
  ['format', 'the code is formatted', tool('prettier', '--check', '.')],
  ['types', 'the types agree', tool('tsc', '--noEmit', '-p', 'tsconfig.json')],
  ['lint', 'the lint rules hold', tool('eslint', '--max-warnings', '0', '.')],
];
const running = [
  ['schema', 'the GraphQL schemas equal the committed ones', ['npm', ['run', '--silent', 'schema:check']]],
  [
    'migrations',
    'migrations from zero, again, and without drift',
    node(path.join(root, 'node_modules/jest/bin/jest.js'), 'test/migrations'),
  ],
  ['build', 'everything compiles into dist', ['npm', ['run', '--silent', 'build']]],
  [
    'boot',
    'the worker boots and stays ready for 20 s',
    node(path.join(root, 'tools/run.mjs'), 'boot-check', '--seconds', '20'),
  ],
];
const gates = [...reading, ...running];

const args = process.argv.slice(2);
if (wantsHelp(args)) {
  process.stdout.write(
    `Usage: npm run gates [-- names]\n\n${gates.map(([name, proves]) => `  ${name.padEnd(12)}${proves}`).join('\n')}\n`,
  );
  process.exit(0);
}
const unknown = args.filter((wanted) => !gates.some(([name]) => name === wanted));
if (unknown.length > 0) fail(`unknown gate "${unknown[0]}"; known: ${gates.map(([name]) => name).join(', ')}`);

checkNode();
await prepare({ build: false });
const seconds = () => Math.round(performance.now() / 1000);
let red;
await Promise.all([reading, running].map(runLane));
if (red) fail(`gate "${red.name}" is red (exit code ${red.code}); run it alone with: npm run gates -- ${red.name}`);
process.stdout.write(`\nall gates are green (${seconds()} s)\n`);

/** One after the other, until one of either lane is red. What a gate said is printed when it ends, so that lanes do not mix. */
async function runLane(lane) {
  for (const [name, proves, [command, commandArguments]] of lane) {
    if (red || (args.length > 0 && !args.includes(name))) continue;
    const said = [];
    const started = seconds();
    const code = await spawnToEnd(command, commandArguments, (chunk) => said.push(chunk));
    process.stdout.write(`\n=== ${name}: ${proves} (${started} to ${seconds()} s)\n${Buffer.concat(said)}`);
    if (code !== 0) red ??= { name, code };
  }
}
