export { Log } from './log';
export { Metrics } from './metrics';
export { ObservabilityModule } from './observability.module';
