import { AuditModule } from '@libs/audit';
import { Module } from '@nestjs/common';
import { CostService } from './cost/cost.service';
import { EstimateService } from './estimate/estimate.service';
import { RateCardService } from './rates/rate-card.service';
import { RateRepository } from './rates/rate.repository';
import { CostPolicyRepository } from './cost/cost-policy.repository';
import { CostPolicyService } from './cost/cost-policy.service';
import { RollUpRepository } from './usage/roll-up.repository';
import { UsageFactsService } from './usage/usage-facts.service';
import { UsageRollUpService } from './usage/usage-roll-up.service';
import { UsageRepository } from './usage/usage.repository';

@Module({
  imports: [AuditModule],
  providers: [
    RateRepository,
    UsageRepository,
    RollUpRepository,
    CostPolicyRepository,
    CostPolicyService,
    UsageFactsService,
    UsageRollUpService,
    CostService,
    EstimateService,
    RateCardService,
  ],
  exports: [
    CostPolicyService,
    CostService,
    EstimateService,
    RateCardService,
    RateRepository,
    UsageFactsService,
    UsageRollUpService,
  ],
})
export class BillingModule {}
