import { openOwner, runMigrations } from '@libs/database';
import { newId } from '@libs/kernel';
import { Client } from 'pg';
import { migrations } from '../../migrations';
import { MessageKeys1764000700000 } from '../../migrations/1764000700000-message-keys';
import { createTestDatabase, type TestDatabase } from '../support/database';

describe('the way from idempotency keys to messages', () => {
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

  /** Days of messages, and those among them that can be looked up by a key. */
  const days = async () => {
    const { rows } = await client.query<{ day: string; byKey: boolean }>(
      `SELECT t.relid::text AS day, EXISTS (SELECT FROM pg_index i JOIN pg_inherits h ON h.inhrelid = i.indexrelid
                WHERE i.indrelid = t.relid AND i.indisvalid AND h.inhparent = to_regclass('message_by_key')) AS "byKey"
         FROM pg_partition_tree('message') t WHERE t.isleaf ORDER BY 1`,
    );
    return { all: rows.length, byKey: rows.filter((row) => row.byKey).length };
  };

  it('is made for messages that are there, and for days to come, and taken back', async () => {
    const source = await openOwner(database.urls.migrate, migrations);
    for (let left = migrations.length; left > migrations.indexOf(MessageKeys1764000700000); left -= 1) {
      await source.undoLastMigration({ transaction: 'each' });
    }
    await source.destroy();
    const before = await days();
    expect(before).toEqual({ all: expect.any(Number) as number, byKey: 0 });
    const tenant = newId();
    for (const key of ['a', 'a', 'b']) {
      await client.query(
        `INSERT INTO message (tenant_id, id, mode, stream, n_rcpt, bytes, from_address, subject, idempotency_key, created_at, expires_at,
                              sending_account_id, lane_id, state)
         VALUES ($1, $2, 'LIVE', 'MARKETING', 1, 10, 'a@b.example', 'S', $3, now(), now(), $1, $1, 'SENT')`,
        [tenant, newId(), key],
      );
    }
    await runMigrations(database.urls.migrate, migrations);
    expect(await days()).toEqual({ all: before.all, byKey: before.all });
    await client.query(`SELECT create_day_partitions('2020-06-01', 2)`);
    expect(await days()).toEqual({ all: before.all + 2, byKey: before.all + 2 });
    await client.query('SET enable_seqscan = off; SET enable_bitmapscan = off');
    const { rows } = await client.query<{ n: number }>(
      `SELECT count(*)::int AS n FROM message WHERE tenant_id = $1 AND idempotency_key = 'a'`,
      [tenant],
    );
    expect(rows).toEqual([{ n: 2 }]);
  });
});
