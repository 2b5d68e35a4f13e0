import { newId, newIdAt } from '@libs/kernel';
import { openOwner, runMigrations } from '@libs/database';
import { Client } from 'pg';
import { migrations } from '../../migrations';
import { MessageTags1764000600000 } from '../../migrations/1764000600000-message-tags';
import { createTestDatabase, type TestDatabase } from '../support/database';

const LONG_AGO = Date.parse('2020-05-01T12:00:00Z');

describe('the tags of messages, one by one', () => {
  let database: TestDatabase;
  let client: Client;
  const rows = async (sql: string) => (await client.query<Record<string, unknown>>(sql)).rows;

  beforeAll(async () => {
    database = await createTestDatabase();
    client = new Client({ connectionString: database.superuserUrl });
    await client.connect();
    const source = await openOwner(database.urls.migrate, migrations);
    for (let left = migrations.length; left > migrations.indexOf(MessageTags1764000600000); left -= 1) {
      await source.undoLastMigration({ transaction: 'each' });
    }
    await source.destroy();
  });
  afterAll(async () => {
    await client.end();
    await database.drop();
  });

  it('are those of messages that were there before, on the days that messages have', async () => {
    const tenant = newId();
    await client.query(`SELECT create_day_partitions('2020-05-01', 1)`);
    await client.query('DROP TABLE message_body_p20200501');
    const tagged = [newIdAt(LONG_AGO, 1), newId(), newIdAt(0, 2)];
    const tags = [
      { name: 'campaign', value: 'spring' },
      { name: 'kind', value: 'news' },
    ];
    for (const [id, list] of [...tagged.map((one) => [one, tags] as const), [newId(), []] as const]) {
      await client.query(
        `INSERT INTO message (tenant_id, id, mode, stream, n_rcpt, bytes, from_address, subject, tags, idempotency_key, created_at,
                              expires_at, sending_account_id, lane_id, state)
         VALUES ($1, $2, 'LIVE', 'MARKETING', 1, 10, 'a@b.example', 'S', $3, 'k', now(), now(), $1, $1, 'SENT')`,
        [tenant, id, JSON.stringify(list)],
      );
    }
    await runMigrations(database.urls.migrate, migrations);
    expect(await rows('SELECT tenant_id, message_id, name, value FROM message_tag ORDER BY message_id, name')).toEqual(
      [...tagged].sort().flatMap((message_id) => tags.map((tag) => ({ tenant_id: tenant, message_id, ...tag }))),
    );
    const days = (table: string) =>
      rows(`SELECT right(c.relname, 8) AS day FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
             WHERE i.inhparent = '${table}'::regclass AND c.relname ~ '_p[0-9]{8}$' ORDER BY 1`);
    expect(await days('message_tag')).toEqual(await days('message'));
    expect(await days('message_body')).not.toContainEqual({ day: '20200501' });
    expect(
      await rows(`SELECT tableoid::regclass::text AS part FROM message_tag WHERE message_id = '${tagged[0]}'`),
    ).toEqual(tags.map(() => ({ part: 'message_tag_p20200501' })));
    expect(await rows(`SELECT relforcerowsecurity AS forced FROM pg_class WHERE relname = 'message'`)).toEqual([
      { forced: true },
    ]);
  });

  it('are made, and dropped, day by day like messages', async () => {
    await client.query(`SELECT create_day_partitions('2020-06-01', 1)`);
    expect(await rows(`SELECT drop_day_partitions('message_tag', '2020-06-02') AS dropped`)).toEqual([{ dropped: 2 }]);
  });
});
