import { AuditModule } from '@libs/audit';
import { AwsModule, type AwsOptions } from '@libs/aws';
import {
  BillingCloseModule,
  BillingModule,
  CloseFailpoints,
  InvoicingModule,
  NightlyVerifyModule,
  TenantBillingModule,
} from '@libs/billing';
import { clockScaleOf, invoicingOf, type WorkerConfig } from '@libs/config';
import { DatabaseModule, type Pools } from '@libs/database';
import { FleetEngineModule } from '@libs/fleet';
import { EngineClock, SystemClock } from '@libs/kernel';
import { ObservabilityModule, type Log, type Metrics } from '@libs/observability';
import { PlacementEngineModule } from '@libs/placement';
import { QueueingModule } from '@libs/queueing';
import { EngineModule, Failpoints, SendingModule, UpkeepModule } from '@libs/sending';
import { Global, Module, type DynamicModule } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { HealthController } from './health/health.controller';
import { Readiness } from './health/readiness.service';
import { MarkedMethods } from './processing/marked-methods';
import { ProcessorRegistry } from './processing/processor-registry.service';
import { DispatchProcessor } from './processors/dispatch.processor';
import { EventsProcessor } from './processors/events.processor';
import { BillingProcessor } from './processors/billing.processor';
import { FleetProcessor } from './processors/fleet.processor';
import { InvoicingProcessor } from './processors/invoicing.processor';
import { PlacementProcessor } from './processors/placement.processor';
import { BillingTicks } from './ticks/billing.ticks';
import { EngineTicks } from './ticks/engine.ticks';
import { SpendTicks } from './ticks/spend.ticks';
import { InvoicingTicks } from './ticks/invoicing.ticks';
import { stagedCrash } from './staged-failpoints';
import { TickRegistry } from './ticks/tick-registry.service';
import { UpkeepTicks } from './ticks/upkeep.ticks';
import { UsageTicks } from './ticks/usage.ticks';
import { Worker } from './worker.service';

/** What the process opens before Nest starts, and closes after it. */
export interface Resources {
  readonly pools: Pools;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Unique for the life of this process. */
  readonly worker: string;
  /** A test's own clock; the configured scale otherwise. */
  readonly clock?: EngineClock;
  /** What a test sets about AWS beyond the configuration. */
  readonly aws?: Partial<AwsOptions>;
}

@Global()
@Module({})
class ClockModule {
  static forRoot(clock: EngineClock): DynamicModule {
    return { module: ClockModule, providers: [{ provide: EngineClock, useValue: clock }], exports: [EngineClock] };
  }
}

@Module({})
export class WorkerModule {
  static forRoot(config: WorkerConfig, resources: Resources): DynamicModule {
    const crash = config.FAILPOINT === undefined ? undefined : stagedCrash(config.FAILPOINT);
    const invoicing = InvoicingModule.forRoot(invoicingOf(config));
    return {
      module: WorkerModule,
      imports: [
        DiscoveryModule,
        ClockModule.forRoot(resources.clock ?? new EngineClock(new SystemClock(), clockScaleOf(config))),
        DatabaseModule.forRoot(resources.pools),
        ObservabilityModule.forRoot(resources.log, resources.metrics),
        QueueingModule.forRoot({ redisUrl: config.REDIS_URL }),
        AwsModule.forRoot({
          hubRegion: config.AWS_REGION,
          controlIntervalMs: config.AWS_CONTROL_INTERVAL_MS,
          ...(config.AWS_ENDPOINT_URL === undefined ? {} : { endpoint: config.AWS_ENDPOINT_URL }),
          ...(config.AWS_TEST_ENDPOINT_URL === undefined ? {} : { testEndpoint: config.AWS_TEST_ENDPOINT_URL }),
          ...resources.aws,
        }),
        AuditModule,
        BillingModule,
        FleetEngineModule.forRoot({ publicUrl: config.PUBLIC_URL }),
        PlacementEngineModule,
        SendingModule.forRoot(),
        TenantBillingModule,
        // Ids carry real time, and partitions go by ids.
        UpkeepModule.forRoot({ clock: new SystemClock(), heldSnapshotSeconds: config.HELD_SNAPSHOT_ALARM_S }),
        EngineModule.forRoot({
          worker: resources.worker,
          recorderDir: config.RECORDER_DIR,
          ...(crash ? { failpoints: new Failpoints(crash) } : {}),
          rerouteAfterMs: config.REROUTE_AFTER_MS,
          sharedRequests: config.SHARED_REQUESTS === 'on',
          inDoubtAfterMs: {
            TRANSACTIONAL: config.IN_DOUBT_AFTER_TRANSACTIONAL_MS,
            MARKETING: config.IN_DOUBT_AFTER_BULK_MS,
          },
        }),
        invoicing,
        NightlyVerifyModule,
        BillingCloseModule.forRoot({ invoicing, ...(crash ? { failpoints: new CloseFailpoints(crash) } : {}) }),
      ],
      controllers: [HealthController],
      providers: [
        Readiness,
        MarkedMethods,
        ProcessorRegistry,
        TickRegistry,
        DispatchProcessor,
        EventsProcessor,
        FleetProcessor,
        PlacementProcessor,
        InvoicingProcessor,
        BillingProcessor,
        EngineTicks,
        SpendTicks,
        UpkeepTicks,
        UsageTicks,
        InvoicingTicks,
        BillingTicks,
        Worker,
      ],
    };
  }
}
