export { Log } from './log';
export type { LogOptions } from './log';
export { Metrics } from './metrics';
export { ObservabilityModule } from './observability.module';
export { scrubSecrets } from './scrub.policy';
