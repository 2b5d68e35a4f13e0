import { AuditModule } from '@libs/audit';
import { UnitOfWork } from '@libs/database';
import { EngineClock, SystemClock } from '@libs/kernel';
import { JobQueue, Outbox } from '@libs/queueing';
import { Module, type DynamicModule } from '@nestjs/common';
import { NotificationRepository } from './notification.repository';
import { NotificationService } from './notification.service';
import { SigningCertificates, type TrustedSimulator } from './signing-certificate.service';
import { SnsVerifier } from './sns-verifier.service';
import { SnsWebhookService } from './sns-webhook.service';
import { SuppressionRepository } from './suppression.repository';
import { SuppressionService } from './suppression.service';

export interface DeliverabilityOptions {
  /** Believed beside Amazon SNS; only where the configuration allows it, never in production. */
  readonly simulator?: TrustedSimulator;
}

/** Suppression and stored notifications. `forRoot` adds the webhook, for the process that receives it. */
@Module({
  imports: [AuditModule],
  providers: [NotificationRepository, NotificationService, SuppressionRepository, SuppressionService],
  exports: [NotificationService, SuppressionService],
})
export class DeliverabilityModule {
  static forRoot(options: DeliverabilityOptions = {}): DynamicModule {
    return {
      module: DeliverabilityModule,
      providers: [
        {
          provide: SnsWebhookService,
          inject: [NotificationRepository, UnitOfWork, Outbox, JobQueue, EngineClock],
          useFactory: (
            rows: NotificationRepository,
            uow: UnitOfWork,
            outbox: Outbox,
            queue: JobQueue,
            clock: EngineClock,
          ) => {
            const real = new SystemClock();
            const verifier = new SnsVerifier(new SigningCertificates(real, options.simulator));
            return new SnsWebhookService(verifier, rows, uow, outbox, queue, clock, real);
          },
        },
      ],
      exports: [SnsWebhookService],
    };
  }
}
