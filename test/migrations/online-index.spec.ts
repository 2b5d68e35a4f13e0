import { openOwner, runMigrations } from '@libs/database';
import { newId } from '@libs/kernel';
import { Client } from 'pg';
import { migrations } from '../../migrations';
import { MessageKeys1764000700000 } from '../../migrations/1764000700000-message-keys';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { waitFor } from '../support/wait-for';

const INDEXES = ['message_by_key', 'message_of_test'];
/** These two and what came after them. */
const undone = migrations.slice(migrations.indexOf(MessageKeys1764000700000));

describe('indexes of messages that a migration makes', () => {
  let database: TestDatabase;
  let client: Client;
  /** Has written to a day and not committed yet: what locks out writers has to wait for it, and others wait behind that. */
  let sender: Client;

  beforeEach(async () => {
    database = await createTestDatabase();
    const source = await openOwner(database.urls.migrate, migrations);
    for (let left = undone.length; left > 0; left -= 1) await source.undoLastMigration({ transaction: 'each' });
    await source.destroy();
    [client, sender] = [0, 1].map(() => new Client({ connectionString: database.superuserUrl })) as [Client, Client];
    await Promise.all([client.connect(), sender.connect()]);
    await sender.query('BEGIN');
    // By the name of the day, as workers do.
    await write(sender, 'message_default');
    await client.query(`SET lock_timeout = '2s'`);
  });
  afterEach(async () => {
    await Promise.all([client.end(), sender.end()]);
    await database.drop();
  });

  const write = (by: Client, table: string) =>
    by.query(
      `INSERT INTO ${table} (tenant_id, id, mode, stream, n_rcpt, bytes, from_address, subject, idempotency_key, created_at, expires_at,
                             sending_account_id, lane_id, state)
       VALUES ($1, $2, 'LIVE', 'MARKETING', 1, 10, 'a@b.example', 'S', 'k', now(), now(), $1, $1, 'SENT')`,
      [newId(), `01930000-0000-7000-8000-${newId().slice(-12)}`],
    );

  const migrate = () => runMigrations(database.urls.migrate, migrations);

  /** The process of the server that makes an index and waits for the sender. */
  const builder = () =>
    waitFor(
      async () => {
        const { rows } = await client.query<{ pid: number }>(
          `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'postfleet-migrate'
              AND wait_event_type = 'Lock' AND query LIKE '%INDEX%'`,
        );
        return rows[0]?.pid;
      },
      { what: 'the index to be under way' },
    );

  const valid = async () => {
    const { rows } = await client.query<{ name: string; valid: boolean; everywhere: boolean }>(
      `SELECT c.relname AS name, i.indisvalid AND i.indisready AS valid,
              (SELECT count(*)::int FROM pg_inherits h JOIN pg_index p ON p.indexrelid = h.inhrelid AND p.indisvalid WHERE h.inhparent = c.oid)
                = (SELECT count(*)::int FROM pg_partition_tree('message') WHERE isleaf) AS everywhere
         FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE c.relname = ANY($1) ORDER BY 1`,
      [INDEXES],
    );
    return rows;
  };
  const allValid = INDEXES.map((name) => ({ name, valid: true, everywhere: true }));

  it('are made while messages are accepted and sent', async () => {
    const migrated = migrate();
    await builder();
    await write(client, 'message');
    await write(client, 'message_default');
    await sender.query('COMMIT');
    await migrated;
    expect(await valid()).toEqual(allValid);
  });

  it('are made once where two processes migrate together', async () => {
    const first = migrate();
    await builder();
    const second = migrate();
    await waitFor(
      async () =>
        (
          await client.query(
            `SELECT FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%try_advisory_lock%'`,
          )
        ).rowCount === 2,
      { what: 'the second one to ask for its turn' },
    );
    await sender.query('COMMIT');
    expect(await Promise.all([first, second])).toEqual([undone.map(({ name }) => name), []]);
    expect(await valid()).toEqual(allValid);
  });

  it('are finished by the next run where one was broken off', async () => {
    const broken = expect(migrate()).rejects.toThrow(/terminat/);
    await client.query('SELECT pg_terminate_backend($1)', [await builder()]);
    await broken;
    await sender.query('COMMIT');
    await migrate();
    expect(await valid()).toEqual(allValid);
  });
});
