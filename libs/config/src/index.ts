export { apiConfig, operatorKeyConfig } from './api.config';
export type { ApiConfig } from './api.config';
export { ConfigInvalid, loadConfig } from './load-config';
export { clockScaleOf } from './parts';
export { simulatorConfig } from './simulator.config';
export { workerConfig } from './worker.config';
export type { WorkerConfig } from './worker.config';
