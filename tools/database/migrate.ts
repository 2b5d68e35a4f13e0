import { loadConfig } from '@libs/config';
import { runMigrations } from '@libs/database';
import { migrations } from '../../migrations';
import { migrateConfig } from './database.config';
import { explaining, runProgram } from './database-problem';

const MANUAL = `Usage: npm run db:migrate

Runs pending migrations, each in its turn; two at the same time take turns. What they do is in the folder migrations.
Needs DATABASE_MIGRATE_URL.
`;

void runProgram(MANUAL, async () => {
  const { DATABASE_MIGRATE_URL: url } = loadConfig(migrateConfig);
  const ran = await explaining('DATABASE_MIGRATE_URL', url, () => runMigrations(url, migrations));
  process.stderr.write(ran.length === 0 ? 'no migration was pending\n' : `migrations run: ${ran.join(', ')}\n`);
});
