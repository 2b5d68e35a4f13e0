import { AuditModule } from '@libs/audit';
import { Module } from '@nestjs/common';
import { CostService } from './cost/cost.service';
import { EstimateService } from './estimate/estimate.service';
import { RateCardService } from './rates/rate-card.service';
import { RateRepository } from './rates/rate.repository';
import { UsageRepository } from './usage/usage.repository';

@Module({
  imports: [AuditModule],
  providers: [RateRepository, UsageRepository, CostService, EstimateService, RateCardService],
  exports: [CostService, EstimateService, RateCardService],
})
export class BillingModule {}
