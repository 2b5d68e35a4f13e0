import { AuditModule } from '@libs/audit';
import { Module } from '@nestjs/common';
import { CostService } from './cost.service';
import { EstimateService } from './estimate.service';
import { RateCardService } from './rate-card.service';
import { RateRepository } from './rate.repository';
import { UsageRepository } from './usage.repository';

@Module({
  imports: [AuditModule],
  providers: [RateRepository, UsageRepository, CostService, EstimateService, RateCardService],
  exports: [CostService, EstimateService, RateCardService],
})
export class BillingModule {}
