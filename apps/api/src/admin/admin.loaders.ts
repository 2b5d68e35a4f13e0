import { UnitOfWork } from '@libs/database';
import { AwsAccountService, DomainService, SendingAccountService, type Domain as DomainRow } from '@libs/fleet';
import type { SendingAccountId, TenantId } from '@libs/kernel';
import { PlacementService } from '@libs/placement';
import { PlanService } from '@libs/plans';
import { LedgerLook } from '@libs/sending';
import { TenantService } from '@libs/tenancy';
import { Injectable } from '@nestjs/common';
import DataLoader from 'dataloader';
import { loaderById, loaderOfMany, type Loader } from '../graphql/loaders';
import type { AdminContext } from '../graphql/request.context';
import { toAwsAccount } from './aws-account/aws-account.mapping';
import type { AwsAccount } from './aws-account/aws-account.type';
import { toPlacement } from './placement/placement.mapping';
import type { Placement } from './placement/placement.type';
import { toPlan } from './plan/plan.mapping';
import type { Plan } from './plan/plan.type';
import { toLane, toSendingAccount } from './sending-account/sending-account.mapping';
import type { Lane, SendingAccount } from './sending-account/sending-account.type';
import { toDomain, toTenant } from './tenant/tenant.mapping';
import type { Domain, ManagedTenant } from './tenant/tenant.type';

export type AdminRequest = AdminContext<AdminLoaders>;

/** Everything below a list, fetched once per level; made for each request. */
export interface AdminLoaders {
  readonly awsAccounts: Loader<AwsAccount | null>;
  readonly sendingAccounts: Loader<SendingAccount | null>;
  readonly lanesOfAccount: Loader<Lane[]>;
  readonly lanes: Loader<Lane | null>;
  /** Recipients granted in the last 24 hours; 0 when the ledger cannot be asked: the observed figure stands then. */
  readonly grantedLast24h: Loader<bigint>;
  readonly plans: Loader<Plan | null>;
  readonly tenants: Loader<ManagedTenant | null>;
  readonly domainsOfTenant: Loader<Domain[]>;
  readonly placementsOfTenant: Loader<Placement[]>;
}

@Injectable()
export class AdminLoaderFactory {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly awsAccounts: AwsAccountService,
    private readonly sendingAccounts: SendingAccountService,
    private readonly domains: DomainService,
    private readonly placements: PlacementService,
    private readonly plans: PlanService,
    private readonly tenants: TenantService,
    private readonly look: LedgerLook,
  ) {}

  create(): AdminLoaders {
    return {
      awsAccounts: loaderById(
        (ids) => this.awsAccounts.findByIds(ids as never),
        (row) => row.id,
        toAwsAccount,
      ),
      sendingAccounts: loaderById(
        (ids) => this.sendingAccounts.findByIds(ids as never),
        (row) => row.id,
        toSendingAccount,
      ),
      lanesOfAccount: loaderOfMany(
        (ids) => this.sendingAccounts.lanes(ids as never),
        (row) => row.sendingAccountId,
        toLane,
      ),
      lanes: loaderById(
        (ids) => this.sendingAccounts.findLanes(ids as never),
        (row) => row.id,
        toLane,
      ),
      grantedLast24h: new DataLoader(async (ids) => {
        const stats = await this.look.statsOf(ids as SendingAccountId[]);
        return ids.map((id) => stats.get(id as SendingAccountId)?.used24h ?? 0n);
      }),
      plans: loaderById(
        (ids) => this.plans.findByIds(ids as never),
        (row) => row.id,
        toPlan,
      ),
      tenants: loaderById(
        (ids) => this.tenants.findByIds(ids as never),
        (row) => row.id,
        toTenant,
      ),
      domainsOfTenant: loaderOfMany(
        (ids) => this.domainsOf(ids),
        (row) => row.tenantId,
        toDomain,
      ),
      placementsOfTenant: loaderOfMany(
        (ids) => this.placements.currentFor(ids as never),
        (row) => row.tenantId,
        toPlacement,
      ),
    };
  }

  /** One transaction for all of them. */
  private domainsOf(tenants: readonly string[]): Promise<DomainRow[]> {
    return this.uow.forSystem(async () => {
      const found: DomainRow[] = [];
      for (const tenant of tenants) found.push(...(await this.domains.list(tenant as TenantId)));
      return found;
    });
  }
}
