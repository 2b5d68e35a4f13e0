export { PlacementEngineModule } from './placement-engine.module';
export { moveTenant, placementChanged, provisionTenant } from './placement.jobs';
export { PlacementModule } from './placement.module';
export type { Placement } from './placement.repository';
export { PlacementService } from './placement.service';
export { ProvisioningService } from './provisioning.service';
export type { TenantMove } from './tenant-move.repository';
