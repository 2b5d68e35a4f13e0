import { Module, type DynamicModule } from '@nestjs/common';
import { AccountVerification } from './account-verification.service';
import { FleetEngineSettings, type FleetEngineOptions } from './fleet.settings';
import { FleetModule } from './fleet.module';
import { IdentityService } from './identity.service';
import { LaneDiscovery } from './lane-discovery.service';
import { ObservationService } from './observation.service';
import { RouteRepository } from './route.repository';
import { RouteService } from './route.service';
import { SendRoles } from './send-roles.service';
import { SubscriptionService } from './subscription.service';

/** What the worker does to the fleet on AWS. Needs AwsModule; global, because there is one worker and one AWS. */
@Module({})
export class FleetEngineModule {
  static forRoot(options: FleetEngineOptions): DynamicModule {
    const services = [AccountVerification, ObservationService, SubscriptionService, IdentityService, RouteService];
    return {
      module: FleetEngineModule,
      global: true,
      imports: [FleetModule],
      providers: [
        { provide: FleetEngineSettings, useValue: new FleetEngineSettings(options) },
        LaneDiscovery,
        RouteRepository,
        SendRoles,
        ...services,
      ],
      exports: services,
    };
  }
}
