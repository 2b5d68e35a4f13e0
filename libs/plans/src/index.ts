export type { NewPlan, Plan, Tier } from './new-plan.policy';
export type { NewPlanPrice, PlanPrice, PriceTerms } from './plan-price.policy';
export { PlanPriceService } from './plan-price.service';
export { PlanService } from './plan.service';
export { PlansModule } from './plans.module';
