import { createDataSource, DatabaseModule } from '@libs/database';
import { defineJob, JobQueue, QueueingModule } from '@libs/queueing';
import { Test, type TestingModule } from '@nestjs/testing';
import { Redis } from 'ioredis';
import type { DataSource } from 'typeorm';
import { z } from 'zod';
import { BULL_QUEUES, type BullQueues } from '../../libs/queueing/src/job-queue';
import { LongLocks } from '../../libs/queueing/src/long-locks';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { createTestRedis, type TestRedis } from '../support/redis';

const HOUR_MS = 3_600_000;
const job = defineJob({
  name: 'test.verify',
  queue: 'control',
  payload: z.object({ n: z.number() }),
  id: ({ n }) => String(n),
});

describe('locks of Bull that were taken while the clock of Redis was ahead', () => {
  let database: TestDatabase;
  let redis: TestRedis;
  let source: DataSource;
  let module: TestingModule;
  let direct: Redis;

  beforeAll(async () => {
    [database, redis] = await Promise.all([createTestDatabase(), createTestRedis()]);
    source = await createDataSource({ url: database.urls.worker, applicationName: 'test', poolSize: 1 }).initialize();
    module = await Test.createTestingModule({
      imports: [DatabaseModule.forRoot({ worker: source }), QueueingModule.forRoot({ redisUrl: redis.url })],
    }).compile();
    direct = new Redis(redis.url);
  });
  afterAll(async () => {
    direct.disconnect();
    await module.close();
    await source.destroy();
    await Promise.all([database.drop(), redis.close()]);
  });

  it('are taken away at the second look, those of jobs and of the look for stalled ones; others stay', async () => {
    const queues = module.get<BullQueues>(BULL_QUEUES);
    const control = queues.get('control')!;
    for (const n of [1, 2]) await module.get(JobQueue).enqueue(job, { n });
    const [dead, alive] = [await control.getNextJob(), await control.getNextJob()];
    const lockOf = (id: unknown) => `${control.toKey(String(id))}:lock`;
    await direct.pexpire(lockOf(dead?.id), HOUR_MS);
    await direct.set(control.toKey('stalled-check'), '1', 'PX', HOUR_MS);

    const locks = new LongLocks(queues);
    expect(await locks.release()).toBe(0);
    expect(await direct.exists(lockOf(dead?.id))).toBe(1);
    expect(await locks.release()).toBe(2);
    expect(await direct.exists(lockOf(dead?.id), control.toKey('stalled-check'))).toBe(0);
    expect(await direct.exists(lockOf(alive?.id))).toBe(1);
  });

  it('are left to a worker that renews them meanwhile', async () => {
    const queues = module.get<BullQueues>(BULL_QUEUES);
    const control = queues.get('control')!;
    await module.get(JobQueue).enqueue(job, { n: 3 });
    const slow = await control.getNextJob();
    const lock = `${control.toKey(String(slow?.id))}:lock`;
    await direct.pexpire(lock, HOUR_MS);
    const locks = new LongLocks(queues);
    await locks.release();
    await direct.pexpire(lock, 15_000);
    expect(await locks.release()).toBe(0);
    expect(await direct.exists(lock)).toBe(1);
  });
});
