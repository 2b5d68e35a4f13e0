import { Module } from '@nestjs/common';
import { PlacementModule } from './placement.module';
import { ProvisioningService } from './provisioning.service';

/** What the worker does to make decisions true. Needs FleetEngineModule. */
@Module({ imports: [PlacementModule], providers: [ProvisioningService], exports: [ProvisioningService] })
export class PlacementEngineModule {}
