export { apiConfig, operatorKeyConfig } from './api.config';
export type { ApiConfig } from './api.config';
export { ConfigInvalid, loadConfig } from './load-config';
export { clockScaleOf } from './parts';
export { parseRedisUrl, redisHosts } from './redis-url';
export type { RedisAddress } from './redis-url';
export { simulatorConfig } from './simulator.config';
export { workerConfig } from './worker.config';
export type { WorkerConfig } from './worker.config';
