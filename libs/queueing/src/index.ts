export { EngineRedis, openEngineRedis } from './engine-redis';
export { defineJob } from './job-definition';
export type { JobDefinition } from './job-definition';
export { JobQueue } from './job-queue';
export { JobRunner } from './job-runner';
export { Outbox } from './outbox.service';
export { QueueingModule } from './queueing.module';
export { checkRedis, RedisUnusable } from './redis-check';
