import { parseRedisUrl } from '@libs/config';
import { BullModule, getQueueToken } from '@nestjs/bull';
import { Inject, Module, type DynamicModule, type OnApplicationShutdown } from '@nestjs/common';
import type { Queue } from 'bull';
import { BullClients } from './bull-clients';
import { EngineRedis, openEngineRedis } from './engine-redis';
import { QUEUES, REGAINED } from './job-definition';
import { BULL_QUEUES, JobQueue, type BullQueues } from './job-queue';
import { JobRunner } from './job-runner';
import { OutboxRepository } from './outbox.repository';
import { Outbox } from './outbox.service';

/** Bull's keys carry a hash tag per queue, so that all keys of a queue live on one node of a Redis Cluster. */
const prefixOf = (queue: string) => `bull:{${queue}}`;

/**
 * So many workers may die with a job before it is given up: a deployment may kill several in a row that run the same long one, and
 * nobody else knows of it any more. Not without end, or a job that kills its worker would kill them all.
 */
const MOST_DEATHS = 5;

/** Queues, outbox and the ledger's Redis connection, for the whole process. */
@Module({})
export class QueueingModule implements OnApplicationShutdown {
  constructor(
    private readonly redis: EngineRedis,
    private readonly clients: BullClients,
    @Inject(BULL_QUEUES) private readonly queues: BullQueues,
  ) {}

  /** @param options.redisUrl one server or a cluster (libs/config, `parseRedisUrl`) */
  static forRoot(options: { readonly redisUrl: string }): DynamicModule {
    const address = parseRedisUrl(options.redisUrl);
    if (!address) throw new Error('this is no address of Redis');
    const clients = new BullClients(address);
    return {
      module: QueueingModule,
      global: true,
      imports: [
        BullModule.registerQueue(
          ...QUEUES.map((name) => ({
            name,
            createClient: clients.create,
            prefix: prefixOf(name),
            settings: {
              lockDuration: 15_000,
              stalledInterval: 5_000,
              maxStalledCount: REGAINED.has(name) ? 1 : MOST_DEATHS,
            },
          })),
        ),
      ],
      providers: [
        { provide: BullClients, useValue: clients },
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

  async onApplicationShutdown(): Promise<void> {
    await Promise.all([...this.queues.values()].map((queue) => queue.close()));
    this.clients.close();
    this.redis.disconnect();
  }
}
