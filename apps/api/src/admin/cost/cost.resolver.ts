import { CostService, EstimateService, type FleetCosts, type TenantCostLine } from '@libs/billing';
import { formatUsd, toPublicId } from '@libs/kernel';
import { Args, Query, Resolver } from '@nestjs/graphql';
import { RequiresRole } from '../../auth/access.decorator';
import { CostEstimate, CostEstimateArgs, CostLine, TenantCosts } from './cost.type';

@Resolver()
export class CostResolver {
  constructor(
    private readonly costs: CostService,
    private readonly estimates: EstimateService,
  ) {}

  @RequiresRole('viewer')
  @Query(() => TenantCosts, { description: "A month's cost by tenant, provisional while the month runs." })
  async tenantCosts(
    @Args('period', { type: () => String, description: 'The month in UTC: "2026-11".' }) period: string,
  ): Promise<TenantCosts> {
    return toTenantCosts(await this.costs.tenantCosts(period));
  }

  @RequiresRole('viewer')
  @Query(() => CostEstimate, {
    description: 'What a volume would cost a month at the rates in force, for one account in one region.',
  })
  async costEstimate(@Args() input: CostEstimateArgs): Promise<CostEstimate> {
    const estimate = await this.estimates.estimate({
      recipientsPerMonth: input.recipientsPerMonth,
      dedicatedIps: BigInt(input.dedicatedIps),
      pricingPlan: input.pricingPlan,
      managedIps: input.managedIps,
      virtualDeliverabilityManager: input.virtualDeliverabilityManager,
      ...(input.attachmentBytes ? { attachmentBytes: input.attachmentBytes } : {}),
    });
    return {
      total: formatUsd(estimate.totalMicro),
      totalMicroUsd: estimate.totalMicro,
      perThousand: estimate.perThousandMicro === null ? null : formatUsd(estimate.perThousandMicro),
      lines: estimate.lines.map((line) => toCostLine(line)),
      competitors: estimate.competitors.map((offer) => ({
        ...offer,
        price: offer.monthMicro === null ? null : formatUsd(offer.monthMicro),
      })),
    };
  }
}

function toTenantCosts(costs: FleetCosts): TenantCosts {
  return {
    period: costs.period,
    fleet: formatUsd(costs.fleetMicro),
    fleetMicroUsd: costs.fleetMicro,
    idle: formatUsd(costs.idleMicro),
    idleMicroUsd: costs.idleMicro,
    platform: formatUsd(costs.platformMicro),
    platformMicroUsd: costs.platformMicro,
    tenants: costs.tenants.map((tenant) => ({
      tenantId: toPublicId('tenant', tenant.tenantId),
      recipients: tenant.recipients,
      cost: formatUsd(tenant.costMicro),
      costMicroUsd: tenant.costMicro,
      lines: tenant.lines.map((line) => toCostLine(line)),
    })),
  };
}

function toCostLine(
  line: Pick<TenantCostLine, 'quantity' | 'costMicro' | 'source'> &
    Partial<Pick<TenantCostLine, 'sendingAccountId' | 'laneId'>> & { readonly sku: string; readonly unit?: string },
): CostLine {
  return {
    sku: line.sku,
    quantity: line.quantity.toString(),
    unit: line.unit ?? null,
    cost: formatUsd(line.costMicro),
    costMicroUsd: line.costMicro,
    source: line.source,
    sendingAccountId: line.sendingAccountId ? toPublicId('sendingAccount', line.sendingAccountId) : null,
    poolId: line.laneId ? toPublicId('lane', line.laneId) : null,
  };
}
