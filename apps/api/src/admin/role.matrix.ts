import type { Role } from '../auth/access.decorator';

/**
 * Who may what at the admin endpoint, on one page: the lowest role that may use a field. Compared with the schema in
 * both directions by test/api, so that neither a new field nor a changed decorator goes unseen. Money, keys to the fleet
 * and the making of plans are the owner's; daily work is the operator's; looking is everybody's.
 */
export const ROLE_MATRIX: Readonly<Record<string, Role>> = {
  'Query.awsAccount': 'viewer',
  'Query.awsAccounts': 'viewer',
  'Query.costEstimate': 'viewer',
  'Query.fleetOverview': 'viewer',
  'Query.placements': 'viewer',
  'Query.planPrices': 'viewer',
  'Query.plans': 'viewer',
  'Query.previewMove': 'viewer',
  'Query.sendingAccount': 'viewer',
  'Query.sendingAccounts': 'viewer',
  'Query.tenant': 'viewer',
  'Query.tenantCosts': 'viewer',
  'Query.tenants': 'viewer',
  'Query.testEmail': 'viewer',
  'Query.tiers': 'viewer',
  'Mutation.changeTenantPlan': 'operator',
  'Mutation.createPlan': 'owner',
  'Mutation.createTenant': 'operator',
  'Mutation.createTenantApiKey': 'operator',
  'Mutation.moveTenant': 'operator',
  'Mutation.pauseTenant': 'operator',
  'Mutation.publishPlanPrice': 'owner',
  'Mutation.registerAwsAccount': 'owner',
  'Mutation.resumeTenant': 'operator',
  'Mutation.retryAwsAccountVerification': 'operator',
  'Mutation.sendTestEmail': 'operator',
  'Mutation.setTierRamp': 'owner',
};
