import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Client } from 'pg';
import { dumpSchema } from '../../tools/database/schema-dump';
import { projectRoot } from '../../tools/local-stack/project-root';
import { createTestDatabase, type TestDatabase } from '../support/database';

describe('the description of a schema', () => {
  let planted: TestDatabase;
  let before: string;

  beforeAll(async () => {
    planted = await createTestDatabase();
    before = await dumpSchema(planted.superuserUrl);
  });

  afterAll(async () => {
    await planted.drop();
  });

  /** Describes the database with a change in it, and takes the change back. */
  async function dumpAfter(change: string, undo: string): Promise<string> {
    const client = new Client({ connectionString: planted.superuserUrl });
    await client.connect();
    await client.query(change);
    const after = await dumpSchema(planted.superuserUrl);
    await client.query(undo);
    await client.end();
    return after;
  }

  it('is the same for two databases with the same migrations', async () => {
    const other = await createTestDatabase();
    const second = await dumpSchema(other.superuserUrl);
    await other.drop();
    expect(second).toBe(before);
    expect(before).toContain('-- table tenant\n');
  });

  it('is the committed one until something in the database changes: that is the gate on migrations', async () => {
    const committed = readFileSync(path.join(projectRoot(), 'migrations/schema.sql'), 'utf8');
    expect(before).toBe(committed);
    const after = await dumpAfter(
      'ALTER TABLE tenant ALTER name DROP NOT NULL',
      'ALTER TABLE tenant ALTER name SET NOT NULL',
    );
    expect(after).not.toBe(committed);
  });

  it.each([
    [
      'a column',
      'ALTER TABLE tenant ADD planted text DEFAULT $$x$$',
      'ALTER TABLE tenant DROP planted',
      `COLUMN planted text DEFAULT 'x'::text`,
    ],
    [
      'a right',
      'GRANT TRUNCATE ON tenant TO pf_app',
      'REVOKE TRUNCATE ON tenant FROM pf_app',
      expect.stringMatching(/^GRANT .*TRUNCATE.* TO pf_app$/),
    ],
    [
      'a right on a column',
      'GRANT UPDATE (id) ON tenant TO pf_app',
      'REVOKE UPDATE (id) ON tenant FROM pf_app',
      'GRANT UPDATE (id) TO pf_app',
    ],
    [
      'a policy',
      'CREATE POLICY planted ON tenant USING (true)',
      'DROP POLICY planted ON tenant',
      'POLICY planted FOR ALL TO PUBLIC USING (true)',
    ],
    [
      'an index',
      'CREATE INDEX planted ON tenant (created_at)',
      'DROP INDEX planted',
      'CREATE INDEX planted ON public.tenant USING btree (created_at)',
    ],
    [
      'a constraint',
      'ALTER TABLE tenant ADD CONSTRAINT planted CHECK (id IS NOT NULL)',
      'ALTER TABLE tenant DROP CONSTRAINT planted',
      'CONSTRAINT planted CHECK ((id IS NOT NULL))',
    ],
    [
      'a function',
      'CREATE FUNCTION planted() RETURNS int LANGUAGE sql AS $$ SELECT 1 $$',
      'DROP FUNCTION planted',
      '-- function planted()',
    ],
    ['a comment', 'COMMENT ON TABLE plan IS $$planted$$', 'COMMENT ON TABLE plan IS NULL', `COMMENT 'planted'`],
  ])('shows %s', async (_, change, undo, line) => {
    const after = await dumpAfter(change, undo);
    const old = new Set(before.split('\n'));
    expect(after.split('\n').filter((each) => !old.has(each))).toContainEqual(line);
  });

  it('shows under its table that row-level security is no longer forced', async () => {
    expect(sectionOf(before, 'api_key')).toContain(' ROW LEVEL SECURITY FORCED\n');
    const after = await dumpAfter(
      'ALTER TABLE api_key NO FORCE ROW LEVEL SECURITY',
      'ALTER TABLE api_key FORCE ROW LEVEL SECURITY',
    );
    expect(sectionOf(after, 'api_key')).toContain(' ROW LEVEL SECURITY\n');
  });
});

function sectionOf(dump: string, table: string): string {
  return dump.split('\n-- ').find((section) => section.startsWith(`table ${table}\n`)) ?? '';
}
