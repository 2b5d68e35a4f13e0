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
});
