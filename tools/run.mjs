/** `npm run start:api` and friends: one program on the services that the environment names. */
import { become, checkNode, fail, prepare, runBuilt, wantsHelp } from './bootstrap.mjs';

const programs = {
  api: 'apps/api/src/main.js',
  worker: 'apps/worker/src/main.js',
  simulator: 'apps/simulator/src/main.js',
  'operator-key': 'apps/api/src/operator-key.js',
  'billing:import': 'apps/api/src/billing-import.js',
  'billing:close': 'apps/api/src/billing-close.js',
  schema: 'apps/api/src/schema.js',
  'db:bootstrap': 'tools/database/bootstrap.js',
  'db:migrate': 'tools/database/migrate.js',
  'db:schema': 'tools/database/schema.js',
  'boot-check': 'tools/boot-check/main.js',
};

const manual = `Usage: node tools/run.mjs <program> [arguments]

  api, worker    run on the services named in the environment; pending migrations are run first when
                 DATABASE_MIGRATE_URL is set (docs/run-on-your-own-services.md lists the variables)
  simulator      AWS as the project sees it, for development
  operator-key   make a key for the admin endpoint (--name, --role)
  billing:import take in AWS's bill of a month (--file, --period, --payer)
  billing:close  close a month (--period, --final)
  schema         write both GraphQL schema files from the code, or --check them
  db:bootstrap   create the roles and the database on a PostgreSQL server (superuser needed)
  db:migrate     run pending migrations
  db:schema      write migrations/schema.sql from a freshly migrated database, or --check it
  boot-check     boot the worker on a throw-away stack and watch it for --seconds N (default 20); --data FOLDER
`;

const [program, ...args] = process.argv.slice(2);
// These have no options: whoever asks for help does not want them to run.
const isServer = ['api', 'worker', 'simulator'].includes(program);
if (program === undefined || wantsHelp([program]) || (isServer && wantsHelp(args))) {
  process.stdout.write(manual);
  process.exit(program === undefined ? 1 : 0);
}
const builtFile = Object.hasOwn(programs, program) ? programs[program] : undefined;
if (builtFile === undefined) fail(`unknown program "${program}"; known: ${Object.keys(programs).join(', ')}`);

checkNode();
await prepare();
if ((program === 'api' || program === 'worker') && process.env.DATABASE_MIGRATE_URL) await migrateFirst();
become(builtFile, args);

/** A process of its own, so that the application does not inherit a connection or a variable of the migrating role. */
async function migrateFirst() {
  const code = await runBuilt(programs['db:migrate'], []);
  if (code !== 0) process.exit(code);
  delete process.env.DATABASE_MIGRATE_URL;
}
