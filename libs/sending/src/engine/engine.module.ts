import { AuditModule } from '@libs/audit';
import { FleetModule } from '@libs/fleet';
import { SystemTimers, Timers } from '@libs/kernel';
import { PlacementEngineModule } from '@libs/placement';
import { QuotaModule } from '@libs/quota';
import { Module, type DynamicModule } from '@nestjs/common';
import { AcceptRepository } from '../accept.repository';
import { ReadyOffers } from '../backlog-offer.service';
import { BacklogRepository } from '../backlog.repository';
import { BacklogService } from '../backlog.service';
import { OfferLimits } from '../offer-limits.service';
import { RampModule } from '../upkeep/ramp.module';
import { AccountIncidents } from './account-incidents.service';
import { Answers } from './answers.service';
import { BatchSettler } from './batch-settler.service';
import { ClaimRepository } from './claim.repository';
import { ClaimService } from './claim.service';
import { ClockWatch } from './clock-watch.service';
import { DayTables } from './day-tables.service';
import { Departures } from './departures.service';
import { Dispatcher } from './dispatcher.service';
import { EngineAccounts } from './engine-accounts.service';
import { EngineGate } from './engine-gate';
import { EngineReactions } from './engine-reactions.service';
import { EngineSettings, type EngineOptions } from './engine.settings';
import { Expirer } from './expirer.service';
import { ExpirerRepository } from './expirer.repository';
import { Failpoints } from './failpoints';
import { FeedLines } from './feed-lines.service';
import { FairnessMeter } from './fairness-meter.service';
import { Feeder } from './feeder.service';
import { FeederRepository } from './feeder.repository';
import { FlightRecorder } from './flight-recorder.service';
import { HeldBatches } from './held-batches';
import { LeaseKeeper } from './lease-keeper.service';
import { LedgerKeeper } from './ledger-keeper.service';
import { LedgerKeeperRepository } from './ledger-keeper.repository';
import { NewerVersion } from './newer-version.service';
import { OfferListener } from './offer-listener.service';
import { OutcomeRepository } from './outcome.repository';
import { OutcomeSifter } from './outcome-sifter.service';
import { OutcomeWriter } from './outcome-writer.service';
import { Pump } from './pump.service';
import { RecoveryService } from './recovery.service';
import { Rerouter } from './rerouter.service';
import { RerouterRepository } from './rerouter.repository';
import { Resolver } from './resolver.service';
import { ResolverRepository } from './resolver.repository';
import { SendEngine } from './send-engine.service';
import { StrandedRoutesRepository } from './stranded-routes.repository';
import { StrandedRoutes } from './stranded-routes.service';
import { Sweeper } from './sweeper.service';

/** The engine, for the worker alone. Needs AwsModule, FleetEngineModule, QueueingModule, ObservabilityModule (global). */
@Module({})
export class EngineModule {
  static forRoot(options: EngineOptions): DynamicModule {
    return {
      module: EngineModule,
      imports: [AuditModule, FleetModule, PlacementEngineModule, QuotaModule, RampModule],
      providers: [
        { provide: EngineSettings, useValue: new EngineSettings(options) },
        { provide: Failpoints, useValue: options.failpoints ?? new Failpoints() },
        { provide: Timers, useClass: SystemTimers },
        AcceptRepository,
        AccountIncidents,
        Answers,
        BacklogRepository,
        BacklogService,
        BatchSettler,
        ClaimRepository,
        ClaimService,
        ClockWatch,
        DayTables,
        Departures,
        Dispatcher,
        EngineAccounts,
        EngineGate,
        EngineReactions,
        Expirer,
        ExpirerRepository,
        FeedLines,
        FairnessMeter,
        Feeder,
        FeederRepository,
        FlightRecorder,
        HeldBatches,
        LeaseKeeper,
        LedgerKeeper,
        LedgerKeeperRepository,
        NewerVersion,
        OfferLimits,
        OfferListener,
        OutcomeRepository,
        OutcomeSifter,
        OutcomeWriter,
        Pump,
        ReadyOffers,
        RecoveryService,
        Rerouter,
        RerouterRepository,
        Resolver,
        ResolverRepository,
        SendEngine,
        StrandedRoutes,
        StrandedRoutesRepository,
        Sweeper,
      ],
      exports: [ClockWatch, NewerVersion, SendEngine],
    };
  }
}
