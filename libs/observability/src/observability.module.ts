import { Module, type DynamicModule } from '@nestjs/common';
import { Log } from './log';
import { Metrics } from './metrics';

/** Gives every lib the log and the metrics of this process. */
@Module({})
export class ObservabilityModule {
  static forRoot(log: Log, metrics: Metrics): DynamicModule {
    return {
      module: ObservabilityModule,
      global: true,
      providers: [
        { provide: Log, useValue: log },
        { provide: Metrics, useValue: metrics },
      ],
      exports: [Log, Metrics],
    };
  }
}
