import { AuditModule } from '@libs/audit';
import { FleetModule } from '@libs/fleet';
import { PlansModule } from '@libs/plans';
import { TenancyModule } from '@libs/tenancy';
import { Module } from '@nestjs/common';
import { CapacityService } from './capacity.service';
import { PlacementRepository } from './placement.repository';
import { PlacementService } from './placement.service';
import { TenantMoveRepository } from './tenant-move.repository';

/** Decisions, for the api and the worker. Talks to AWS never. */
@Module({
  imports: [AuditModule, TenancyModule, PlansModule, FleetModule],
  providers: [PlacementRepository, TenantMoveRepository, CapacityService, PlacementService],
  exports: [PlacementRepository, TenantMoveRepository, PlacementService],
})
export class PlacementModule {}
