import { createDataSource, DatabaseModule, UnitOfWork } from '@libs/database';
import { defineJob, JobQueue, Outbox, QueueingModule } from '@libs/queueing';
import { Test, type TestingModule } from '@nestjs/testing';
import type { DataSource } from 'typeorm';
import { z } from 'zod';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { createTestRedis, type TestRedis } from '../support/redis';
import { waitFor } from '../support/wait-for';

const job = defineJob({ name: 'test.count', queue: 'control', payload: z.object({ n: z.number() }) });

describe('the outbox', () => {
  let database: TestDatabase;
  let redis: TestRedis;
  let source: DataSource;
  let module: TestingModule;
  let uow: UnitOfWork;
  let outbox: Outbox;

  beforeAll(async () => {
    [database, redis] = await Promise.all([createTestDatabase(), createTestRedis()]);
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
    await Promise.all([database.drop(), redis.close()]);
  });

  it('tells whoever listens once a row is committed, and never of one that was rolled back', async () => {
    let heard = 0;
    const stop = outbox.listen(() => {
      heard += 1;
    });
    const add = (n: number) => uow.forSystem(() => outbox.add(job, { n }));
    // Until the listener is connected, what is published is lost.
    await waitFor(
      async () => {
        await add(0);
        return heard > 0;
      },
      { what: 'the listener to hear' },
    );
    await outbox.drain([job as never]);
    // What the last of these told may still be on its way.
    await new Promise((resolve) => setTimeout(resolve, 100));
    heard = 0;

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
