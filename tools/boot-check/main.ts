import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { ownEnvironment } from '../local-stack/environment';
import { withSupervisor } from '../local-stack/launcher';
import { projectRoot } from '../local-stack/project-root';
import { isHealthy } from '../local-stack/reachable';
import { bootStack, redisPackagesFolder } from '../local-stack/stack';
import { StackProblem } from '../local-stack/stack-problem';

/**
 * Boots the built worker on a throw-away stack and watches that it stays ready: the compiled program, its real dependencies
 * and its environment, which no test in the test runner's own process can prove.
 */
async function main(): Promise<number> {
  const dataRoot = path.join(projectRoot(), '.data');
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: '20' },
      data: { type: 'string', default: path.join(dataRoot, 'boot-check') },
    },
  });
  const seconds = Number(values.seconds);
  if (!(seconds > 0 && seconds <= 3_600))
    throw new StackProblem(`--seconds must be from 1 to 3600, got "${values.seconds}"`);
  const say = (line: string) => void process.stderr.write(`${line}\n`);
  return withSupervisor(path.resolve(values.data), say, async ({ folder, supervisor, ending }) => {
    folder.reset();
    const stack = await bootStack(supervisor, {
      folder,
      env: { ...ownEnvironment(), REDIS_URL: '' },
      seed: 1,
      applications: ['simulator', 'worker'],
      redisPackages: redisPackagesFolder(dataRoot),
      say,
    });
    const until = performance.now() + seconds * 1_000;
    while (performance.now() < until && !ending.aborted) {
      if (!(await isHealthy(`${stack.workerUrl}/health/ready`))) {
        throw new StackProblem(`the worker stopped being ready; its log is ${path.join(folder.logs, 'worker.log')}`);
      }
      await sleep(1_000);
    }
    if (!ending.aborted) say(`the worker stayed ready for ${seconds} s`);
  });
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`error: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  },
);
