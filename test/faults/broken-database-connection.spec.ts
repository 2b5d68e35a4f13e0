import { createDataSource, UnitOfWork } from '@libs/database';
import type { DataSource } from 'typeorm';
import { TcpProxy } from '../../faults/tcp-proxy';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { waitFor } from '../support/wait-for';

describe('a connection to a PostgreSQL that has died without a word', () => {
  let database: TestDatabase;
  let proxy: TcpProxy;
  let source: DataSource;
  let uow: UnitOfWork;
  const one = () => uow.forSystem(() => uow.query<{ n: number }>('SELECT 1 AS n'));

  beforeAll(async () => {
    database = await createTestDatabase();
    const url = new URL(database.urls.worker);
    proxy = await TcpProxy.start(Number(url.port));
    url.hostname = '127.0.0.1';
    url.port = String(proxy.port);
    source = createDataSource({ url: url.href, applicationName: 'test', poolSize: 4, statementTimeoutMs: 500 });
    await source.initialize();
    uow = new UnitOfWork({ worker: source });
  });
  afterAll(async () => {
    await source.destroy();
    await proxy.close();
    await database.drop();
  });

  it('is given up: what was asked fails, and what comes later goes over a new one', async () => {
    expect(await Promise.all([one(), one()])).toEqual([[{ n: 1 }], [{ n: 1 }]]);
    proxy.set({ kind: 'half-open' });
    const asked = [one(), uow.look('SELECT 1 AS n')];
    for (const lost of asked) await expect(lost).rejects.toThrow('PostgreSQL does not answer any more');
    proxy.set({ kind: 'pass' });
    await waitFor(one, { what: 'a new connection' });
  });

  it('is waited for as long as a statement may take that was allowed more', async () => {
    const slept = uow.forSystem(async () => {
      await uow.allowStatements(20);
      return uow.query<{ n: number }>('SELECT 1 AS n FROM pg_sleep(6)');
    });
    expect(await slept).toEqual([{ n: 1 }]);
    await expect(uow.forSystem(() => uow.query('SELECT pg_sleep(6)'))).rejects.toThrow('statement timeout');
  });
});
