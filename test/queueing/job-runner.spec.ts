import { defineJob, JobQueue, JobRunner, QueueingModule } from '@libs/queueing';
import { createDataSource, DatabaseModule } from '@libs/database';
import { Test, type TestingModule } from '@nestjs/testing';
import { Redis } from 'ioredis';
import type { DataSource } from 'typeorm';
import { z } from 'zod';
import { BULL_QUEUES, type BullQueues } from '../../libs/queueing/src/job-queue';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { createTestRedis, type TestRedis } from '../support/redis';
import { waitFor } from '../support/wait-for';

const known = defineJob({ name: 'test.known', queue: 'control', payload: z.object({ n: z.number() }) });
/** The same job as a later version puts it on the queue, and a job that only that version has. */
const changed = defineJob({ name: known.name, queue: 'control', payload: z.object({ n: z.string() }) });
const added = defineJob({
  name: 'test.added',
  queue: 'control',
  payload: z.object({ n: z.number() }),
  id: () => 'one',
});

describe('jobs that several workers take from one queue', () => {
  let database: TestDatabase;
  let redis: TestRedis;
  let source: DataSource;
  const versions: TestingModule[] = [];
  const version = async () => {
    const module = await Test.createTestingModule({
      imports: [DatabaseModule.forRoot({ worker: source }), QueueingModule.forRoot({ redisUrl: redis.url })],
    }).compile();
    versions.push(module);
    return module;
  };

  beforeAll(async () => {
    [database, redis] = await Promise.all([createTestDatabase(), createTestRedis()]);
    source = await createDataSource({ url: database.urls.worker, applicationName: 'test', poolSize: 2 }).initialize();
  });
  afterAll(async () => {
    for (const module of versions) await module.close();
    await source.destroy();
    await Promise.all([database.drop(), redis.close()]);
  });

  it('are lost by no version that cannot run them', async () => {
    const before = await version();
    const [ranBefore, left, ranAfter]: string[][] = [[], [], []];
    const run = (ran: string[], name: string) => (payload: { n: unknown }) => {
      ran.push(`${name} ${JSON.stringify(payload.n)}`);
      return Promise.resolve();
    };
    before
      .get(JobRunner)
      .start([{ job: known as never, concurrency: 1, run: run(ranBefore!, 'known') }], ({ job }) => left!.push(job));

    const queue = before.get(JobQueue);
    await queue.enqueue(known, { n: 1 });
    await queue.enqueue(changed, { n: 'two' });
    await queue.enqueue(added, { n: 3 });
    await waitFor(() => ranBefore!.length === 1 && left!.length >= 2, { what: 'the version from before to see all' });
    expect(ranBefore).toEqual(['known 1']);
    expect(new Set(left)).toEqual(new Set(['test.known', 'test.added']));
    await before.get(JobRunner).drain();

    const after = await version();
    after.get(JobRunner).start(
      [
        { job: changed as never, concurrency: 1, run: run(ranAfter!, 'changed') },
        { job: added as never, concurrency: 1, run: run(ranAfter!, 'added') },
      ],
      () => undefined,
    );
    await waitFor(() => ranAfter!.length === 2, { what: 'the later version to run them' });
    expect([...ranAfter!].sort()).toEqual(['added 3', 'changed "two"']);
    await after.get(JobRunner).drain();
  });

  it('come again after longer and longer where no version can run them', async () => {
    const last = await version();
    const left: string[] = [];
    last
      .get(JobRunner)
      .start([{ job: known as never, concurrency: 1, run: () => Promise.resolve() }], ({ job }) => left.push(job));
    await last.get(JobQueue).enqueue(added, { n: 1 });
    const control = last.get<BullQueues>(BULL_QUEUES).get('control')!;
    const pauses: unknown[] = [];
    for (let times = 1; times <= 9; times += 1) {
      await waitFor(() => left.length === times, { what: `the job to be left ${String(times)} times` });
      const [job] = await control.getDelayed();
      pauses.push((job!.opts.delay ?? 0) / 1_000);
      await job!.promote();
    }
    expect(pauses).toEqual([5, 10, 20, 40, 80, 160, 300, 300, 300]);
    await last.get(JobRunner).drain();
    await control.empty();
  });

  it('runs a job again although several workers have died with it', async () => {
    const long = defineJob({ name: 'test.long', queue: 'billing', payload: z.object({}), id: () => 'one' });
    const last = await version();
    await last.get(JobQueue).enqueue(long, {});
    // As three workers leave it that were killed: taken, without a lock, and counted.
    const client = new Redis(redis.url);
    await client.rpoplpush('bull:{billing}:billing:wait', 'bull:{billing}:billing:active');
    await client.hset('bull:{billing}:billing:test.long:one', 'stalledCounter', 3);
    client.disconnect();
    let runs = 0;
    const failed: string[] = [];
    const run = () => Promise.resolve(void (runs += 1));
    last.get(JobRunner).start([{ job: long as never, concurrency: 1, run }], ({ error }) => failed.push(error.message));
    await waitFor(() => runs > 0 || failed.length > 0, { what: 'the job to end' });
    expect({ runs, failed }).toEqual({ runs: 1, failed: [] });
  });
});
