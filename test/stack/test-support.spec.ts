import { Redis } from 'ioredis';
import { Client } from 'pg';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { createTestRedis } from '../support/redis';
import { waitFor } from '../support/wait-for';

async function query<Row extends object>(url: string, sql: string): Promise<Row[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Row>(sql)).rows;
  } finally {
    await client.end();
  }
}

describe('the database of a test file', () => {
  let first: TestDatabase;
  let second: TestDatabase;

  beforeAll(async () => {
    [first, second] = await Promise.all([createTestDatabase(), createTestDatabase()]);
  });

  afterAll(async () => {
    await Promise.all([first.drop(), second.drop()]);
  });

  it('holds the migrated tables and no rows', async () => {
    await expect(query(first.urls.worker, 'SELECT id FROM tenant')).resolves.toEqual([]);
  });

  it.each(['migrate', 'app', 'admin', 'worker'] as const)('lets the %s role in under its own name', async (role) => {
    await expect(query(first.urls[role], 'SELECT current_user AS name')).resolves.toEqual([{ name: `pf_${role}` }]);
  });

  it('shows nothing of another test file', async () => {
    await query(first.superuserUrl, 'CREATE TABLE planted (id int)');
    await expect(query(second.superuserUrl, 'SELECT id FROM planted')).rejects.toThrow('does not exist');
  });

  it('gives the rights on the database itself as a fresh installation does', async () => {
    await expect(query(first.urls.app, 'CREATE TEMPORARY TABLE mine (id int)')).rejects.toThrow('permission denied');
  });

  it('is gone after drop, although somebody is still connected', async () => {
    const extra = await createTestDatabase();
    const client = new Client({ connectionString: extra.urls.app });
    client.on('error', () => undefined);
    await client.connect();
    await extra.drop();
    const left = await query(first.superuserUrl, `SELECT datname FROM pg_database WHERE datname = '${extra.name}'`);
    expect(left).toEqual([]);
  });
});

describe('the Redis database of a test file', () => {
  it('is empty at first and not seen by another one', async () => {
    const [first, second] = await Promise.all([createTestRedis(), createTestRedis()]);
    const [a, b] = [new Redis(first.url), new Redis(second.url)];
    await a.set('planted', '1');
    await expect(b.get('planted')).resolves.toBeNull();
    await first.flush();
    await expect(a.dbsize()).resolves.toBe(0);
    a.disconnect();
    b.disconnect();
    await first.close();
    await second.close();
  });

  it('never throws keys away to make room', async () => {
    const redis = await createTestRedis();
    const client = new Redis(redis.url);
    await expect(client.config('GET', 'maxmemory-policy')).resolves.toEqual(['maxmemory-policy', 'noeviction']);
    client.disconnect();
    await redis.close();
  });
});

describe('waitFor', () => {
  it('returns the first real answer', async () => {
    let asked = 0;
    await expect(waitFor(() => (++asked < 3 ? undefined : 0), { what: 'a number', everyMs: 1 })).resolves.toBe(0);
    expect(asked).toBe(3);
  });

  it('says what it waited for and what it saw last', async () => {
    const ask = () => Promise.reject(new Error('no row yet'));
    await expect(waitFor(ask, { what: 'the message to be sent', withinMs: 20, everyMs: 5 })).rejects.toThrow(
      'waited 0.02 s for the message to be sent; the last try failed: no row yet',
    );
  });
});
