import { AuditModule } from '@libs/audit';
import { Module } from '@nestjs/common';
import { PlanRepository } from './plan.repository';
import { PlanService } from './plan.service';

@Module({ imports: [AuditModule], providers: [PlanRepository, PlanService], exports: [PlanService] })
export class PlansModule {}
