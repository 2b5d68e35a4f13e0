import { BullModule, getQueueToken } from '@nestjs/bull';
import { Module, type DynamicModule, type OnApplicationShutdown } from '@nestjs/common';
import type { Queue } from 'bull';
import { EngineRedis, openEngineRedis } from './engine-redis';
import { QUEUES } from './job-definition';
import { BULL_QUEUES, JobQueue } from './job-queue';
import { JobRunner } from './job-runner';
import { OutboxRepository } from './outbox.repository';
import { Outbox } from './outbox.service';

/** Bull's keys carry a hash tag per queue, so that all keys of a queue live on one node of a Redis Cluster. */
const prefixOf = (queue: string) => `bull:{${queue}}`;

/** Queues, outbox and the ledger's Redis connection, for the whole process. */
@Module({})
export class QueueingModule implements OnApplicationShutdown {
  constructor(private readonly redis: EngineRedis) {}

  static forRoot(options: { readonly redisUrl: string }): DynamicModule {
    return {
      module: QueueingModule,
      global: true,
      imports: [
        BullModule.registerQueue(
          ...QUEUES.map((name) => ({
            name,
            url: options.redisUrl,
            prefix: prefixOf(name),
            settings: { lockDuration: 15_000, stalledInterval: 5_000, maxStalledCount: 1 },
          })),
        ),
      ],
      providers: [
        {
          provide: EngineRedis,
          useFactory: async () => {
            const redis = openEngineRedis(options.redisUrl);
            // Without a listener a lost connection would end the process; callers see their own commands fail.
            redis.on('error', () => undefined);
            await redis.connect();
            return redis;
          },
        },
        {
          provide: BULL_QUEUES,
          inject: QUEUES.map((name) => getQueueToken(name)),
          useFactory: (...queues: Queue[]) => new Map(QUEUES.map((name, i) => [name, queues[i]])),
        },
        JobQueue,
        JobRunner,
        OutboxRepository,
        Outbox,
      ],
      exports: [EngineRedis, JobQueue, JobRunner, Outbox],
    };
  }

  onApplicationShutdown(): void {
    this.redis.disconnect();
  }
}
