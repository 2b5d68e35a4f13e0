import { AuditModule } from '@libs/audit';
import { Module } from '@nestjs/common';
import { PlanPriceRepository } from './plan-price.repository';
import { PlanPriceService } from './plan-price.service';
import { PlanRepository } from './plan.repository';
import { PlanService } from './plan.service';

@Module({
  imports: [AuditModule],
  providers: [PlanRepository, PlanPriceRepository, PlanService, PlanPriceService],
  exports: [PlanService, PlanPriceService],
})
export class PlansModule {}
