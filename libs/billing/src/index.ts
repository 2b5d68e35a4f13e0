export { RateCardConflict } from './billing.errors';
export { BillingModule } from './billing.module';
export { CostService } from './cost.service';
export { EstimateService } from './estimate.service';
export type { FleetCosts, TenantCostLine } from './fleet-costs.policy';
export type { CardRate } from './rate-card.policy';
export { RateCardService } from './rate-card.service';
