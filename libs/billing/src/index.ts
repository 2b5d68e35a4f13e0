export { RateCardConflict } from './billing.errors';
export { BillingModule } from './billing.module';
export { CostService } from './cost/cost.service';
export { EstimateService } from './estimate/estimate.service';
export type { FleetCosts, TenantCostLine } from './cost/fleet-costs.policy';
export type { CardRate } from './rates/rate-card.policy';
export { RateCardService } from './rates/rate-card.service';
