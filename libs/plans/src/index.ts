export type { NewPlan, Plan, Tier } from './new-plan.policy';
export { PlanService } from './plan.service';
export { PlansModule } from './plans.module';
