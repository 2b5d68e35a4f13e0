import { readFileSync } from 'node:fs';
import path from 'node:path';
import { openOwner, runMigrations } from '@libs/database';
import { Client } from 'pg';
import { migrations } from '../../migrations';
import { dumpSchema } from '../../tools/database/schema-dump';
import { migrateDatabase } from '../../tools/local-stack/migrated-database';
import { superuserUrl } from '../../tools/local-stack/postgres-server';
import type { RoleUrls } from '../../tools/local-stack/role-urls';
import { testStackFacts } from '../support/test-stack';

describe('the migrations', () => {
  const { postgresPort, secrets } = testStackFacts();
  const urlOf = (database?: string) =>
    superuserUrl({ port: postgresPort, password: secrets.postgresPassword }, database);
  const name = `pf_test_migrations_${String(process.pid)}`;
  let urls: RoleUrls;
  let ran: readonly string[];

  beforeAll(async () => {
    ({ urls, ran } = await migrateDatabase({ postgresPort, superuserUrl: urlOf }, secrets, name));
  });

  afterAll(async () => {
    const client = new Client({ connectionString: urlOf() });
    await client.connect();
    await client.query(`DROP DATABASE ${name} WITH (FORCE)`);
    await client.end();
  });

  it('run from zero, every one in its order', () => {
    expect(ran).toEqual(migrations.map((migration) => migration.name));
  });

  it('have nothing to do the second time', async () => {
    expect(await runMigrations(urls.migrate, migrations)).toEqual([]);
  });

  it('leave the schema that is committed as migrations/schema.sql; "npm run db:schema" writes it anew', async () => {
    const committed = readFileSync(path.resolve(__dirname, '../../migrations/schema.sql'), 'utf8');
    expect((await dumpSchema(urlOf(name))).split('\n')).toEqual(committed.split('\n'));
  });

  it('run once when two processes start together', async () => {
    const [first, second] = await Promise.all([
      runMigrations(urls.migrate, migrations),
      runMigrations(urls.migrate, migrations),
    ]);
    expect([...first, ...second]).toEqual([]);
  });

  it('can be taken back and run again, down to the first, with the same schema', async () => {
    const before = await dumpSchema(urlOf(name));
    const source = await openOwner(urls.migrate, migrations);
    for (let left = migrations.length; left > 1; left -= 1) await source.undoLastMigration({ transaction: 'each' });
    await expect(source.undoLastMigration({ transaction: 'each' })).rejects.toThrow(/drop the database instead/);
    await source.destroy();
    expect(await runMigrations(urls.migrate, migrations)).toEqual(
      migrations.slice(1).map((migration) => migration.name),
    );
    expect(await dumpSchema(urlOf(name))).toBe(before);
  });
});
