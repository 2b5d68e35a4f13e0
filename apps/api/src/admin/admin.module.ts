import { Module } from '@nestjs/common';
import { AdminLoaderFactory } from './admin.loaders';
import { AwsAccountResolver } from './aws-account/aws-account.resolver';
import { AdviceResolver } from './billing/advice.resolver';
import { CostPolicyResolver } from './billing/cost-policy.resolver';
import { InvoiceRegisterResolver } from './billing/invoice-register.resolver';
import { InvoiceResolver } from './billing/invoice.resolver';
import { PeriodResolver } from './billing/period.resolver';
import { RateResolver } from './billing/rate.resolver';
import { ReportResolver } from './billing/report.resolver';
import { UsageDayResolver } from './billing/usage-day.resolver';
import { CostResolver } from './cost/cost.resolver';
import { FleetOverviewResolver } from './fleet-overview/fleet-overview.resolver';
import { MoveUtilisationResolver, PlacementResolver, TenantMoveResolver } from './placement/placement.resolver';
import { PlanPriceResolver } from './plan/plan-price.resolver';
import { PlanResolver } from './plan/plan.resolver';
import { SendingAccountResolver } from './sending-account/sending-account.resolver';
import { TenantResolver } from './tenant/tenant.resolver';
import { OperationsTenant } from './test-email/operations-tenant';
import { TestEmailResolver } from './test-email/test-email.resolver';
import { TestEmailService } from './test-email/test-email.service';

/** The operators' endpoint: the fleet, its tenants and its money. */
export const adminResolvers = [
  AdviceResolver,
  AwsAccountResolver,
  CostPolicyResolver,
  CostResolver,
  FleetOverviewResolver,
  InvoiceRegisterResolver,
  InvoiceResolver,
  MoveUtilisationResolver,
  PeriodResolver,
  PlacementResolver,
  PlanResolver,
  PlanPriceResolver,
  RateResolver,
  ReportResolver,
  SendingAccountResolver,
  TenantMoveResolver,
  TenantResolver,
  TestEmailResolver,
  UsageDayResolver,
];

@Module({
  providers: [...adminResolvers, AdminLoaderFactory, OperationsTenant, TestEmailService],
  exports: [AdminLoaderFactory],
})
export class AdminModule {}
