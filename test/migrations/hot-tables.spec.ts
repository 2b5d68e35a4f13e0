import { openOwner, runMigrations } from '@libs/database';
import { Client } from 'pg';
import { migrations } from '../../migrations';
import { HotTables1763900000000 } from '../../migrations/1763900000000-hot-tables';
import { createTestDatabase, type TestDatabase } from '../support/database';

const TENANT = '01930000-0000-7000-8000-000000000001';
const ACCOUNT = '01930000-0000-7000-8000-000000000002';
const BATCH = '01930000-0000-7000-8000-000000000003';
const messageId = (n: number) => `01930000-0000-7000-8000-0000000001${String(n).padStart(2, '0')}`;

const STATES = ['READY', 'SCHEDULED', 'SENT', 'IN_DOUBT'] as const;
const RECIPIENT_STATES = ['QUEUED', 'SCHEDULED', 'DELIVERED', 'IN_DOUBT'] as const;

describe('moving the send path into day partitions', () => {
  let database: TestDatabase;
  let client: Client;
  const rows = async (sql: string) => (await client.query<Record<string, unknown>>(sql)).rows;
  const messages = () =>
    rows(`SELECT m.id, m.state, m.subject, r.address, r.detail, b.content, a.state AS attempt
            FROM message m JOIN recipient r ON r.message_id = m.id JOIN message_body b ON b.message_id = m.id
            LEFT JOIN attempt a ON a.message_id = m.id ORDER BY m.id`);

  /** Undoes the migration under test, and first those that came after it. */
  const takeBack = async () => {
    const source = await openOwner(database.urls.migrate, migrations);
    for (let left = migrations.length; left > migrations.indexOf(HotTables1763900000000); left -= 1) {
      await source.undoLastMigration({ transaction: 'each' });
    }
    await source.destroy();
  };

  beforeAll(async () => {
    database = await createTestDatabase();
    client = new Client({ connectionString: database.superuserUrl });
    await client.connect();
    await takeBack();
    await client.query(`
      INSERT INTO plan (id, code, name, tier, streams, weight, created_at)
        VALUES ('${TENANT}', 'p', 'P', 'free', '{TRANSACTIONAL}', 1, now());
      INSERT INTO tenant (id, name, plan_id, state, created_at) VALUES ('${TENANT}', 'T', '${TENANT}', 'ACTIVE', now());
      INSERT INTO aws_account (id, account_id, name, tier, mode, regions, external_id, send_role_arn, manage_role_arn, state, created_at)
        VALUES ('${ACCOUNT}', '123456789012', 'A', 'free', 'LIVE', '{eu-west-1}', 'x', 'x', 'x', 'ACTIVE', now());
      INSERT INTO sending_account (id, aws_account_id, region, tier, mode, state, max_24_hour_send, max_send_rate, created_at)
        VALUES ('${ACCOUNT}', '${ACCOUNT}', 'eu-west-1', 'free', 'LIVE', 'PRODUCTION', 100, 1, now());
      INSERT INTO lane (id, sending_account_id, kind, pool_name, created_at) VALUES ('${ACCOUNT}', '${ACCOUNT}', 'SHARED', 's', now());
      INSERT INTO batch (id, sending_account_id, state, worker, granted, claimed, bucket, slot_end, created_at)
        VALUES ('${BATCH}', '${ACCOUNT}', 'SETTLED', 'w', 2, 2, now(), now(), now())`);
    for (const [n, state] of STATES.entries()) {
      await client.query(
        `INSERT INTO message (tenant_id, id, mode, stream, state, sending_account_id, lane_id, n_rcpt, bytes, from_address, subject,
                              idempotency_key, created_at, expires_at, attempt_no)
         VALUES ($1, $2, 'LIVE', 'TRANSACTIONAL', $3, $4, $4, 1, 10, 'a@b.c', $3, 'k', now(), now(), $5)`,
        [TENANT, messageId(n), state, ACCOUNT, n < 2 ? 0 : 1],
      );
      await client.query(`INSERT INTO message_body VALUES ($1, $2, $3)`, [TENANT, messageId(n), { text: state }]);
      await client.query(`INSERT INTO recipient VALUES ($1, $2, 0, 'TO', $3, NULL, $4, now(), 'why')`, [
        TENANT,
        messageId(n),
        `r${String(n)}@example.com`,
        RECIPIENT_STATES[n],
      ]);
      if (n < 2) continue;
      await client.query(
        `INSERT INTO attempt (tenant_id, id, message_id, attempt_no, batch_id, sending_account_id, lane_id, mode, stream, n_rcpt, bytes, state, created_at, ended_at)
         VALUES ($1, $2, $2, 1, $3, $4, $4, 'LIVE', 'TRANSACTIONAL', 1, 10, $5, now(), now())`,
        [TENANT, messageId(n), BATCH, ACCOUNT, state],
      );
    }
  });

  afterAll(async () => {
    await client.end();
    await database.drop();
  });

  it('carries every message over, says what waits and what is in doubt, and can be taken back', async () => {
    const before = await messages();
    expect(before).toHaveLength(STATES.length);

    await runMigrations(database.urls.migrate, migrations);
    expect(await messages()).toEqual(before);
    expect(await rows('SELECT message_id, scheduled FROM backlog ORDER BY 1')).toEqual([
      { message_id: messageId(0), scheduled: false },
      { message_id: messageId(1), scheduled: true },
    ]);
    expect(await rows('SELECT message_id, attempt_no FROM in_doubt')).toEqual([
      { message_id: messageId(3), attempt_no: 1 },
    ]);
    expect(await rows('SELECT state FROM recipient ORDER BY message_id')).toEqual([
      { state: null },
      { state: null },
      { state: 'DELIVERED' },
      { state: null },
    ]);
    expect(await rows('SELECT message_ids FROM batch')).toEqual([{ message_ids: [messageId(2), messageId(3)] }]);

    await takeBack();
    expect(await messages()).toEqual(before);
    expect((await rows('SELECT state FROM recipient ORDER BY message_id')).map((row) => row['state'])).toEqual([
      ...RECIPIENT_STATES,
    ]);
    await runMigrations(database.urls.migrate, migrations);
  });

  it('puts a message into the partition of its day, and one of no known day into the default', async () => {
    const day = (await rows(`SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYYMMDD') AS day`))[0]?.['day'];
    await client.query(
      `INSERT INTO message_body (tenant_id, message_id, content)
       VALUES ('${TENANT}', uuid_floor((now() AT TIME ZONE 'UTC')::date), '{}')`,
    );
    expect(
      await rows(`SELECT tableoid::regclass::text AS part FROM message_body ORDER BY message_id DESC LIMIT 1`),
    ).toEqual([{ part: `message_body_p${String(day)}` }]);
    expect(await rows('SELECT count(*)::int AS n FROM message_default')).toEqual([{ n: STATES.length }]);
  });

  it('lets the worker make days and drop those that are over, and nothing else', async () => {
    const worker = new Client({ connectionString: database.urls.worker });
    await worker.connect();
    try {
      const made = await worker.query<{ n: number }>(`SELECT create_day_partitions('2020-01-01', 2) AS n`);
      expect(made.rows[0]?.n).toBe(14);
      const again = await worker.query<{ n: number }>(`SELECT create_day_partitions('2020-01-01', 2) AS n`);
      expect(again.rows[0]?.n).toBe(0);
      const dropped = await worker.query<{ n: number }>(`SELECT drop_day_partitions('message', '2020-01-02') AS n`);
      expect(dropped.rows[0]?.n).toBe(1);
      await expect(worker.query(`SELECT drop_day_partitions('message', '2999-01-01')`)).rejects.toThrow(/not over/);
      await expect(worker.query(`SELECT drop_day_partitions('tenant', '2020-01-02')`)).rejects.toThrow(
        /no day partitions/,
      );
      await expect(worker.query(`DROP TABLE message_p20200102`)).rejects.toThrow(/owner/);
      // What the claim does to the tables of one day by their names, and no more.
      await expect(worker.query(`SELECT * FROM message_p20200102 FOR UPDATE`)).resolves.toMatchObject({ rowCount: 0 });
      await expect(worker.query(`DELETE FROM message_p20200102`)).rejects.toThrow(/permission denied/);
      await expect(worker.query(`SELECT * FROM message_event_p20200102`)).rejects.toThrow(/permission denied/);
    } finally {
      await worker.end();
    }
  });
});
