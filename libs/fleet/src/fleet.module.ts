import { AuditModule } from '@libs/audit';
import { PlansModule } from '@libs/plans';
import { Module, type DynamicModule } from '@nestjs/common';
import { AccountPlanRepository } from './account-plan.repository';
import { AwsAccountRepository } from './aws-account.repository';
import { AwsAccountService } from './aws-account.service';
import { DomainRepository } from './domain.repository';
import { DomainService } from './domain.service';
import { FleetSettings, type FleetOptions } from './fleet.settings';
import { LaneRepository } from './lane.repository';
import { SendingAccountRepository } from './sending-account.repository';
import { SendingAccountService } from './sending-account.service';

const rows = [AwsAccountRepository, SendingAccountRepository, LaneRepository, DomainRepository];

/**
 * The fleet as data: what the api needs, and the ground of FleetEngineModule. Talks to AWS never. Imported without
 * `forRoot` by the libs above; once with it by the process, which may know the hub's principals.
 */
@Module({
  imports: [AuditModule, PlansModule],
  providers: [AccountPlanRepository, ...rows, SendingAccountService, DomainService],
  exports: [...rows, SendingAccountService, DomainService],
})
export class FleetModule {
  static forRoot(options: FleetOptions = {}): DynamicModule {
    return {
      module: FleetModule,
      providers: [{ provide: FleetSettings, useValue: new FleetSettings(options) }, AwsAccountService],
      exports: [AwsAccountService],
    };
  }
}
