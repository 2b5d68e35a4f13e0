import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { ownEnvironment } from '../local-stack/environment';
import { withSupervisor } from '../local-stack/launcher';
import { migrateDatabase } from '../local-stack/migrated-database';
import { rememberedPort } from '../local-stack/ports';
import { preparePostgres, superuserUrl } from '../local-stack/postgres-server';
import { projectRoot } from '../local-stack/project-root';
import { StackProblem } from '../local-stack/stack-problem';
import { loadSecrets } from '../local-stack/stack-secrets';
import { dumpSchema } from './schema-dump';

/** `npm run db:schema`: migrates an empty database of its own and writes what came out, or compares it with --check. */
async function main(): Promise<number> {
  const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } });
  const say = (line: string) => void process.stderr.write(`${line}\n`);
  return withSupervisor(path.join(projectRoot(), '.data', 'schema'), say, async ({ folder, supervisor }) => {
    folder.reset();
    const secrets = loadSecrets(folder.path);
    const port = await rememberedPort(folder.path, 'postgres');
    const server = { folder: folder.postgres, port, password: secrets.postgresPassword, durability: 'fast' } as const;
    await supervisor.start(preparePostgres(server, ownEnvironment()));
    const access = { postgresPort: port, superuserUrl: (database?: string) => superuserUrl(server, database) };
    await migrateDatabase(access, secrets, 'schema');
    const schema = await dumpSchema(access.superuserUrl('schema'));
    const file = path.join(projectRoot(), 'migrations', 'schema.sql');
    if (!values.check) {
      writeFileSync(file, schema);
      say(`written: ${path.relative(process.cwd(), file)}`);
    } else if (!existsSync(file) || readFileSync(file, 'utf8') !== schema) {
      throw new StackProblem(
        'migrations/schema.sql differs from what the migrations make. Run "npm run db:schema" and commit it.',
      );
    }
  });
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`error: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  },
);
