import { createDataSource, DatabaseModule, UnitOfWork } from '@libs/database';
import { defineJob, JobQueue, Outbox, QueueingModule } from '@libs/queueing';
import { Test, type TestingModule } from '@nestjs/testing';
import { Redis } from 'ioredis';
import type { DataSource } from 'typeorm';
import { z } from 'zod';
import { temporaryFolder } from '../stack/fixtures';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { startRedis } from '../support/redis-cluster';
import { waitFor } from '../support/wait-for';

const job = defineJob({ name: 'test.count', queue: 'control', payload: z.object({ n: z.number() }) });

describe('the outbox', () => {
  let database: TestDatabase;
  /** A server of its own: what is published is heard in all logical databases of a server, those of other tests too. */
  let redis: Awaited<ReturnType<typeof startRedis>>;
  let source: DataSource;
  let module: TestingModule;
  let uow: UnitOfWork;
  let outbox: Outbox;

  beforeAll(async () => {
    [database, redis] = await Promise.all([
      createTestDatabase(),
      startRedis(temporaryFolder(), ['maxmemory-policy noeviction']),
    ]);
    source = await createDataSource({
      url: database.urls.worker,
      applicationName: 'test-outbox',
      poolSize: 2,
    }).initialize();
    module = await Test.createTestingModule({
      imports: [DatabaseModule.forRoot({ worker: source }), QueueingModule.forRoot({ redisUrl: redis.url })],
    }).compile();
    uow = module.get(UnitOfWork);
    outbox = module.get(Outbox);
  });
  afterAll(async () => {
    await module.close();
    await source.destroy();
    await Promise.all([database.drop(), redis.stop()]);
  });

  it('tells whoever listens once a row is committed, and never of one that was rolled back', async () => {
    let heard = 0;
    const stop = outbox.listen(() => {
      heard += 1;
    });
    // Until the listener is connected, what is published is lost.
    const direct = new Redis(redis.url);
    const listeners = async () => ((await direct.pubsub('NUMSUB', 'pf:outbox')) as [string, number])[1];
    await waitFor(async () => (await listeners()) === 1, { what: 'the listener to be connected' });
    direct.disconnect();

    const undone = uow.forSystem(async () => {
      await outbox.add(job, { n: 1 });
      throw new Error('undone');
    });
    await expect(undone).rejects.toThrow('undone');
    await uow.forSystem(() => outbox.addAll(job, []));
    let beforeCommit = -1;
    await uow.forSystem(async () => {
      await outbox.addAll(job, [{ n: 2 }, { n: 3 }]);
      beforeCommit = heard;
    });
    await waitFor(() => Promise.resolve(heard > 0), { what: 'the commit to be told' });
    expect(beforeCommit).toBe(0);
    expect(heard).toBe(1);
    expect(await outbox.drain([job as never])).toBe(2);
    expect((await module.get(JobQueue).counts('control')).waiting).toBeGreaterThanOrEqual(2);
    stop();
  });

  it('hands on what it knows, however much stands before it that only another version can read', async () => {
    const insert = (name: string, payload: string, count: number) =>
      uow.forSystem(() =>
        uow.query('INSERT INTO outbox (job, payload) SELECT $1, $2::jsonb FROM generate_series(1, $3::int)', [
          name,
          payload,
          count,
        ]),
      );
    const left = () =>
      uow.forSystem(() =>
        uow.query<{ job: string; n: number }>(
          'SELECT job, count(*)::int AS n FROM outbox GROUP BY job, payload ORDER BY n',
        ),
      );
    await insert('test.of-tomorrow', '{}', 450);
    expect(await outbox.drain([job as never])).toBe(0);
    await uow.forSystem(() => outbox.addAll(job, [{ n: 4 }, { n: 5 }]));
    expect(await outbox.drain([job as never])).toBe(2);

    await insert(job.name, '{"n":"six"}', 430);
    await uow.forSystem(() => outbox.addAll(job, [{ n: 7 }]));
    const before = (await module.get(JobQueue).counts('control')).waiting;
    await expect(outbox.drain([job as never])).rejects.toThrow(/430 rows .* cannot read: \d+ \(test\.count\)/);
    expect((await module.get(JobQueue).counts('control')).waiting).toBe(before + 1);
    expect(await left()).toEqual([
      { job: job.name, n: 430 },
      { job: 'test.of-tomorrow', n: 450 },
    ]);
  });
});
