import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { inspect } from 'node:util';
import type { Verdict } from '@libs/billing';
import { typedPath } from '@libs/config';
import { SystemClock } from '@libs/kernel';
import { Client } from 'pg';
import { noDatabase } from '../../apps/api/src/commands/progress';
import { bootBackingServices } from '../local-stack/backing-services';
import { ownEnvironment } from '../local-stack/environment';
import { withSupervisor, type Session } from '../local-stack/launcher';
import { migrateDatabase } from '../local-stack/migrated-database';
import { projectRoot } from '../local-stack/project-root';
import { redisPackagesFolder } from '../local-stack/stack';
import { loadSecrets } from '../local-stack/stack-secrets';
import { StackProblem } from '../local-stack/stack-problem';
import { Books } from './books';
import { corrupt } from './corruptions';
import { billOfMonth, GENERATED_PAYER } from './generated-bill';
import { writeMonth } from './generated-month';
import { verifyExisting } from './verify-existing';
import { parseVerifyArguments, type VerifyArguments } from './verify-arguments';

const GENERATED_PERIOD = '2026-10';

/** Judges the books of a month: of the database that the environment names, or of a generated month. */
async function main(): Promise<number> {
  const args = parseVerifyArguments(process.argv.slice(2));
  // With --json stdout belongs to the one object at the end.
  const out = args.json ? process.stderr : process.stdout;
  const say = (line: string) => void out.write(`${line}\n`);
  const url = ownEnvironment()['DATABASE_ADMIN_URL'];
  let verdicts: readonly Verdict[] = [];
  if (url !== undefined && url !== '') {
    verdicts = await verifyExisting(url, args.period ?? lastMonth(), say);
  } else {
    const folder = typedPath(args.data ?? path.join(projectRoot(), '.data', 'billing-verify'));
    const code = await withSupervisor(folder, say, async (session) => {
      verdicts = await verifyGenerated(session, args);
    });
    if (code !== 0) return code;
  }
  say(reportOf(verdicts));
  if (args.json) process.stdout.write(`${jsonOf(verdicts)}\n`);
  return verdicts.every(({ violations }) => violations === 0n) ? 0 : 1;
}

async function verifyGenerated({ folder, supervisor, say }: Session, args: VerifyArguments): Promise<Verdict[]> {
  const { tenants, messages, seed } = args;
  const period = args.period ?? GENERATED_PERIOD;
  folder.reset();
  const secrets = loadSecrets(folder.path);
  const services = await bootBackingServices(supervisor, {
    folder,
    secrets,
    env: { ...ownEnvironment(), REDIS_URL: '' },
    say,
    redisPackages: redisPackagesFolder(path.join(projectRoot(), '.data')),
    durability: 'fast',
    redisDatabases: 1,
  });
  const { urls } = await migrateDatabase(services, secrets, 'books');
  const client = new Client({ connectionString: services.superuserUrl('books') });
  await client.connect();
  try {
    say(`writing ${period}: ${tenants} tenants, ${messages} messages, seed ${seed}`);
    await writeMonth(client, { period, tenants, messages, seed });
    const books = await Books.open(urls, services.redisUrl, daysAfter(period));
    try {
      await books.seedRates();
      say('closing it: usage, costs, who bears them, drafts');
      await books.take(period, 'PROVISIONAL');
      const bill = path.join(folder.path, 'bill.csv');
      writeFileSync(bill, await billOfMonth(client, period));
      say("holding it against AWS's bill");
      await books.import(period, bill, GENERATED_PAYER);
      say('issuing invoices and sealing it');
      await books.take(period, 'FINAL');
      if (args.corrupt !== null) {
        say(`breaking invariant ${args.corrupt} on purpose`);
        await corrupt(client, args.corrupt, period);
      }
      return await books.judge.verify(period);
    } finally {
      await books.close();
    }
  } finally {
    await client.end();
  }
}

/** The fourth day after the month: everything of it has arrived. */
function daysAfter(period: string): Date {
  const moment = new Date(`${period}-04T00:00:00Z`);
  moment.setUTCMonth(moment.getUTCMonth() + 1);
  return moment;
}

function lastMonth(): string {
  const moment = new SystemClock().now();
  moment.setUTCDate(0);
  return moment.toISOString().slice(0, 7);
}

function reportOf(verdicts: readonly Verdict[]): string {
  return verdicts
    .flatMap(({ id, name, violations, examples }) => [
      `${id.toString().padStart(2)}  ${violations === 0n ? 'holds   ' : `VIOLATED ${violations} times`}  ${name}`,
      ...examples.map((example) => `      ${example}`),
    ])
    .join('\n');
}

function jsonOf(verdicts: readonly Verdict[]): string {
  const invariants = verdicts.map(({ id, violations, ...rest }) => ({
    id: Number(id),
    ...rest,
    violations: Number(violations),
  }));
  return JSON.stringify({ invariants });
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    const known = error instanceof StackProblem ? error.message : noDatabase(error);
    process.stderr.write(`error: ${known ?? inspect(error)}\n`);
    process.exit(error instanceof StackProblem ? error.exitCode : 1);
  },
);
