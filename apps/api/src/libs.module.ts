import { readFileSync } from 'node:fs';
import { AuditModule } from '@libs/audit';
import {
  BillingAdviceModule,
  BillingModule,
  BillingPeriodsModule,
  InvoicingModule,
  TenantBillingModule,
} from '@libs/billing';
import { clockScaleOf, invoicingOf, type ApiConfig } from '@libs/config';
import { DatabaseModule, type Pools } from '@libs/database';
import { DeliverabilityModule } from '@libs/deliverability';
import { FleetModule } from '@libs/fleet';
import { EngineClock, SystemClock } from '@libs/kernel';
import { ObservabilityModule, type Log, type Metrics } from '@libs/observability';
import { PlacementModule } from '@libs/placement';
import { PlansModule } from '@libs/plans';
import { QueueingModule } from '@libs/queueing';
import { QuotaModule } from '@libs/quota';
import { SendingModule } from '@libs/sending';
import { TenancyModule } from '@libs/tenancy';
import { Global, Module, type DynamicModule } from '@nestjs/common';

/** What a process opens before Nest starts, and closes after it. */
export interface Resources {
  readonly pools: Pools;
  readonly log: Log;
  readonly metrics: Metrics;
  /** A test's own clock; the configured scale otherwise. */
  readonly clock?: EngineClock;
}

@Global()
@Module({})
class ClockModule {
  static forRoot(clock: EngineClock): DynamicModule {
    return { module: ClockModule, providers: [{ provide: EngineClock, useValue: clock }], exports: [EngineClock] };
  }
}

/** Every lib this process uses, once, for the resolvers of both endpoints. */
@Global()
@Module({})
export class LibsModule {
  static forRoot(config: ApiConfig, resources: Resources): DynamicModule {
    const origin = config.SNS_TRUSTED_SIMULATOR_ORIGIN;
    const caFile = config.SNS_TRUSTED_SIMULATOR_CA_FILE;
    const invoicing = InvoicingModule.forRoot(invoicingOf(config));
    const capabilities = [
      AuditModule,
      TenancyModule.forRoot({ pepper: config.API_KEY_PEPPER }),
      PlansModule,
      FleetModule.forRoot({}),
      PlacementModule,
      QuotaModule,
      DeliverabilityModule.forRoot(
        origin !== undefined && caFile !== undefined
          ? { simulator: { origin, caPem: readFileSync(caFile, 'utf8') } }
          : {},
      ),
      SendingModule.forRoot(),
      BillingModule,
      TenantBillingModule,
      invoicing,
      BillingPeriodsModule,
      BillingAdviceModule.forRoot(invoicing),
    ];
    return {
      module: LibsModule,
      imports: [
        ClockModule.forRoot(resources.clock ?? new EngineClock(new SystemClock(), clockScaleOf(config))),
        DatabaseModule.forRoot(resources.pools),
        ObservabilityModule.forRoot(resources.log, resources.metrics),
        QueueingModule.forRoot({ redisUrl: config.REDIS_URL }),
        ...capabilities,
      ],
      exports: capabilities,
    };
  }
}
