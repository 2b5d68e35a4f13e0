import type { SendingAccountId } from '@libs/kernel';
import type { Period } from '../billing-period.policy';
import type { PlanInForce } from '../rates/rate-card.policy';
import type { PoolUse } from '../usage/pool-use.policy';
import type { UsageRow } from '../usage/usage';
import type { CostPolicy } from './cost-policy';

export interface BilledAccount {
  readonly sendingAccountId: SendingAccountId;
  readonly createdAt: Date;
  /** The pricing plans it was on, oldest first. */
  readonly plans: readonly PlanInForce[];
  /** Virtual Deliverability Manager, and IPs that SES manages, are switched on. */
  readonly vdm: boolean;
  readonly managedIps: boolean;
}

export interface FleetFacts {
  readonly period: Period;
  /** Nothing later than this has happened yet. */
  readonly now: Date;
  readonly accounts: readonly BilledAccount[];
  /** Everything counted in the month but the hours of pools, and what came to light of earlier ones. */
  readonly usage: readonly UsageRow[];
  readonly pools: readonly PoolUse[];
  readonly policy: CostPolicy;
}
