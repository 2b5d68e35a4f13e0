import path from 'node:path';
import { inspect } from 'node:util';
import { parseArguments, type StackArguments } from './arguments';
import { ownEnvironment } from './environment';
import { untilEnding, withSupervisor, type Session } from './launcher';
import { projectRoot } from './project-root';
import { bootStack, redisPackagesFolder, type Stack } from './stack';
import { StackProblem } from './stack-problem';

async function main(): Promise<number> {
  const args = parseArguments(process.argv.slice(2));
  // With --json stdout belongs to the one object at the end.
  const out = args.json ? process.stderr : process.stdout;
  const say = (line: string) => void out.write(`${line}\n`);
  const folder = path.resolve(args.data ?? path.join(projectRoot(), '.data'));
  return withSupervisor(folder, say, (session) => run(session, args));
}

async function run({ folder, supervisor, say, ending }: Session, args: StackArguments): Promise<void> {
  if (args.reset) folder.reset();
  const stack = await bootStack(supervisor, {
    folder,
    env: ownEnvironment(),
    port: args.port,
    seed: args.seed,
    applications: ['simulator', 'api', 'worker'],
    redisPackages: redisPackagesFolder(path.join(projectRoot(), '.data')),
    say,
  });
  say(addresses(stack));
  const seconds = Math.round(performance.now() / 100) / 10;
  if (args.json) process.stdout.write(`${JSON.stringify({ seconds, apiUrl: stack.apiUrl })}\n`);
  if (args.once) return;
  say(`up after ${seconds} s; Ctrl-C stops everything`);
  await untilEnding(ending);
}

function addresses(stack: Stack): string {
  const lines = [
    ['customers', `${stack.apiUrl}/graphql`],
    ['operators', `${stack.apiUrl}/admin/graphql`],
    ['simulator', `${stack.simulatorUrl} (admin ${stack.simulatorAdminUrl})`],
    ['PostgreSQL', stack.superuserUrl],
    ['Redis', stack.redisUrl],
    ['logs', stack.folder.logs],
  ];
  return lines.map(([name = '', value = '']) => `  ${name.padEnd(12)}${value}`).join('\n');
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`error: ${error instanceof StackProblem ? error.message : inspect(error)}\n`);
    process.exit(1);
  },
);
