import type { TenantId, TenantMoveId } from '@libs/kernel';
import { moveTenant, placementChanged, ProvisioningService, provisionTenant } from '@libs/placement';
import { BacklogService } from '@libs/sending';
import { Injectable } from '@nestjs/common';
import { Processes } from '../processing/processes.decorator';

@Injectable()
export class PlacementProcessor {
  constructor(
    private readonly provisioning: ProvisioningService,
    private readonly backlog: BacklogService,
  ) {}

  @Processes(provisionTenant, { concurrency: 2 })
  provision({ tenantId }: { tenantId: TenantId }): Promise<void> {
    return this.provisioning.provision(tenantId);
  }

  @Processes(moveTenant, { concurrency: 2 })
  move({ tenantId, moveId }: { tenantId: TenantId; moveId: TenantMoveId }): Promise<unknown> {
    return this.provisioning.runMove(tenantId, moveId);
  }

  @Processes(placementChanged, { concurrency: 2 })
  follow({ tenantId }: { tenantId: TenantId }): Promise<unknown> {
    return this.backlog.followPlacements(tenantId);
  }
}
