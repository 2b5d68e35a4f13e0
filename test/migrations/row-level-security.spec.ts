import { Client } from 'pg';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { CATALOGUE_RULES, lintCatalogue } from './catalogue-lint';

/** What somebody might add one day, and the rule that must catch it. */
const PITFALLS: readonly (readonly [what: string, sql: string, rule: string])[] = [
  ['a role that bypasses security', 'ALTER ROLE pf_app BYPASSRLS', 'login roles are ordinary and unrelated'],
  ['a membership', 'GRANT pf_worker TO pf_app', 'login roles are ordinary and unrelated'],
  [
    'a tenant table without security',
    'CREATE TABLE note (tenant_id uuid, id uuid); ALTER TABLE note OWNER TO pf_owner',
    'every tenant table has row-level security, forced',
  ],
  [
    'security that does not bind the owner',
    'ALTER TABLE message NO FORCE ROW LEVEL SECURITY',
    'every tenant table has row-level security, forced',
  ],
  [
    'a second permissive policy',
    'CREATE POLICY extra ON message TO pf_app USING (true)',
    'every tenant table has the tenant policy and its restrictive twin',
  ],
  [
    'a missing guard',
    'DROP POLICY guard ON suppression',
    'every tenant table has the tenant policy and its restrictive twin',
  ],
  ['a policy without TO', 'CREATE POLICY everyone ON message USING (true)', 'no policy is for everybody'],
  [
    'a policy on the session alone',
    `CREATE POLICY loose ON outbox TO pf_app USING (current_setting('app.tenant', true) <> '')`,
    'customer policies bind the tenant to the transaction',
  ],
  [
    'TRUNCATE for the customer role',
    'GRANT TRUNCATE ON message TO pf_app',
    'nobody may truncate, reference or put triggers on a table',
  ],
  ['a grant to everybody', 'GRANT SELECT ON plan TO PUBLIC', 'nothing is granted to PUBLIC'],
  ['a table of the superuser', 'CREATE TABLE stray (id int)', 'every table belongs to the owner that cannot log in'],
  [
    'a grant on a partition',
    'CREATE TABLE parted (d date) PARTITION BY RANGE (d); CREATE TABLE parted_1 PARTITION OF parted DEFAULT; GRANT SELECT ON parted_1 TO pf_app',
    'partitions carry grants of the worker alone, none that it has not through the parent',
  ],
  [
    'a right of the worker on a day that it has on no other',
    'GRANT DELETE ON message_default TO pf_worker',
    'partitions carry grants of the worker alone, none that it has not through the parent',
  ],
  [
    'a policy of a customer on a day',
    'CREATE POLICY own ON message_default TO pf_app USING (true)',
    'partitions have policies for the worker alone',
  ],
  [
    'a partition that is open to whoever may read it',
    'ALTER TABLE message_default NO FORCE ROW LEVEL SECURITY',
    'partitions have row-level security, forced, so that nobody reads one directly',
  ],
  [
    'a view with its owner’s rights',
    'CREATE VIEW everything AS SELECT * FROM message',
    'views run with the rights of whoever asks, and none is materialised',
  ],
  [
    'a materialised view',
    'CREATE MATERIALIZED VIEW copy AS SELECT * FROM message',
    'views run with the rights of whoever asks, and none is materialised',
  ],
  [
    'a function with its owner’s rights',
    'CREATE FUNCTION all_messages() RETURNS SETOF message LANGUAGE sql SECURITY DEFINER AS $$ SELECT * FROM message $$',
    'functions that run as their owner are on the list and fix their search path',
  ],
  [
    'a foreign key without the tenant',
    `CREATE UNIQUE INDEX message_id_only ON message (id); CREATE TABLE child (tenant_id uuid, message_id uuid REFERENCES message (id))`,
    'foreign keys between tenant tables carry the tenant',
  ],
  ['a cascade', 'CREATE TABLE child (plan_id uuid REFERENCES plan (id) ON DELETE CASCADE)', 'no foreign key cascades'],
  [
    'uniqueness across tenants',
    'CREATE UNIQUE INDEX oracle ON suppression (address)',
    'unique indexes of tenant tables carry the tenant, except the listed',
  ],
  ['a float', 'ALTER TABLE rate ADD COLUMN amount double precision', 'no column holds a float'],
  ['a time without zone', 'ALTER TABLE plan ADD COLUMN seen timestamp', 'every time has its zone'],
];

describe('the security rules of the migrated database', () => {
  let database: TestDatabase;
  let client: Client;

  beforeAll(async () => {
    database = await createTestDatabase();
    client = new Client({ connectionString: database.superuserUrl });
    await client.connect();
  });

  afterAll(async () => {
    await client.end();
    await database.drop();
  });

  it('hold', async () => {
    expect(await lintCatalogue(client)).toEqual([]);
  });

  it.each(PITFALLS)('find %s', async (_what, sql, rule) => {
    await client.query('BEGIN');
    try {
      await client.query(sql);
      expect((await lintCatalogue(client)).filter((found) => found.startsWith(`${rule}:`))).not.toEqual([]);
    } finally {
      await client.query('ROLLBACK');
    }
  });

  it('are all seen red', () => {
    expect(new Set(PITFALLS.map(([, , rule]) => rule))).toEqual(new Set(CATALOGUE_RULES.map((rule) => rule.name)));
  });
});
