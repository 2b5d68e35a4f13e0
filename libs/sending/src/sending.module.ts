import { AuditModule } from '@libs/audit';
import { DeliverabilityModule } from '@libs/deliverability';
import { FleetModule } from '@libs/fleet';
import { SystemTimers, Timers } from '@libs/kernel';
import { QuotaModule } from '@libs/quota';
import { Module, type DynamicModule } from '@nestjs/common';
import { AcceptAdmission } from './accept-admission.service';
import { AcceptCoalescer } from './accept-coalescer.service';
import { AcceptTransaction } from './accept-transaction.service';
import { AcceptRepository } from './accept.repository';
import { AcceptService } from './accept.service';
import { AheadService } from './ahead.service';
import { ReadyOffers } from './backlog-offer.service';
import { BacklogRepository } from './backlog.repository';
import { BacklogService } from './backlog.service';
import { EventApplier } from './event-applier.service';
import { EventRepository } from './event.repository';
import { IdempotencyRepository } from './idempotency.repository';
import { IdempotencyService } from './idempotency.service';
import { LedgerLook } from './ledger-look.service';
import { LimitsRepository } from './limits.repository';
import { LimitsService } from './limits.service';
import { MessageRepository } from './message.repository';
import { MessageService } from './message.service';
import { OfferLimits } from './offer-limits.service';
import { StreamHoldModule } from './stream-hold.module';
import { SendingSettings } from './sending.settings';
import { RampModule } from './upkeep/ramp.module';
import { WaitService } from './wait.service';

/** Everything about messages but the engine that sends them (engine.module.ts). Needs the global modules of a process. */
@Module({})
export class SendingModule {
  static forRoot(options: { readonly admissionDays?: number } = {}): DynamicModule {
    return {
      module: SendingModule,
      imports: [AuditModule, DeliverabilityModule, FleetModule, QuotaModule, RampModule, StreamHoldModule],
      providers: [
        { provide: SendingSettings, useValue: new SendingSettings(options) },
        { provide: Timers, useClass: SystemTimers },
        AcceptAdmission,
        AcceptCoalescer,
        AcceptRepository,
        AcceptService,
        AcceptTransaction,
        AheadService,
        BacklogRepository,
        BacklogService,
        EventApplier,
        EventRepository,
        IdempotencyRepository,
        IdempotencyService,
        LedgerLook,
        LimitsRepository,
        LimitsService,
        MessageRepository,
        MessageService,
        OfferLimits,
        ReadyOffers,
        WaitService,
      ],
      exports: [
        AcceptService,
        BacklogService,
        EventApplier,
        IdempotencyService,
        LedgerLook,
        LimitsService,
        MessageService,
      ],
    };
  }
}
