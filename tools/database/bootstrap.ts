import { loadConfig } from '@libs/config';
import { bootstrapDatabase } from '@libs/database';
import { bootstrapScript, createDatabase } from '../local-stack/migrated-database';
import { bootstrapConfig } from './database.config';
import { explaining, runProgram } from './database-problem';

const MANUAL = `Usage: npm run db:bootstrap

Creates the database and the roles, and sets the passwords of their URLs. Safe to run again.
Needs DATABASE_SUPERUSER_URL, DATABASE_MIGRATE_URL, DATABASE_APP_URL, DATABASE_ADMIN_URL and DATABASE_WORKER_URL.
`;

void runProgram(MANUAL, async () => {
  const config = loadConfig(bootstrapConfig);
  const superuser = config.DATABASE_SUPERUSER_URL;
  const database = databaseOf(config.DATABASE_MIGRATE_URL);
  const others = [config.DATABASE_APP_URL, config.DATABASE_ADMIN_URL, config.DATABASE_WORKER_URL].map(databaseOf);
  if (others.some((other) => other !== database)) {
    throw new Error(`the four role URLs must name one database, found: ${[database, ...others].join(', ')}`);
  }
  await explaining('DATABASE_SUPERUSER_URL', superuser, async () => {
    await createDatabase(superuser, database);
    const target = new URL(superuser);
    target.pathname = `/${encodeURIComponent(database)}`;
    await bootstrapDatabase(target.href, bootstrapScript(), {
      pf_migrate: passwordOf(config.DATABASE_MIGRATE_URL),
      pf_app: passwordOf(config.DATABASE_APP_URL),
      pf_admin: passwordOf(config.DATABASE_ADMIN_URL),
      pf_worker: passwordOf(config.DATABASE_WORKER_URL),
    });
  });
  process.stderr.write(`database "${database}" and its roles are ready; next: npm run db:migrate\n`);
});

function databaseOf(url: string): string {
  return decodeURIComponent(new URL(url).pathname.slice(1));
}

function passwordOf(url: string): string {
  return decodeURIComponent(new URL(url).password);
}
