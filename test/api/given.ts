import { newId, toPublicId, type PlanId } from '../../libs/kernel/src';
import { answered, type ApiUnderTest } from './api-under-test';

export interface GivenTenant {
  /** Public id. */
  readonly id: string;
  readonly uuid: string;
  readonly domain: string;
  readonly liveKey: string;
  readonly testKey: string;
}

export interface GivenFleet {
  readonly operatorKey: string;
  readonly awsAccountId: string;
  readonly sendingAccountId: string;
  readonly planId: string;
  tenant(name: string, domain: string): Promise<GivenTenant>;
  key(tenant: string, scopes: readonly string[], mode?: string): Promise<string>;
}

/** A fleet of one live and one test account, as verification would have left them, and tenants made through the admin API. */
export async function givenFleet(api: ApiUnderTest): Promise<GivenFleet> {
  const operatorKey = await api.operatorKey('owner');
  const live = await insertAccount(api, '111111111111', 'LIVE');
  await insertAccount(api, '999999999999', 'TEST');
  const made = await api.admin(
    operatorKey,
    `mutation ($input: CreatePlanInput!) { createPlan(input: $input) { plan { id } userErrors { code message path } } }`,
    {
      input: { code: 'growth', name: 'Growth', tier: 'growth', streams: ['TRANSACTIONAL'], recipientsPerDay: '10000' },
    },
  );
  const planId = answered<{ plan: { id: string } }>(made, 'createPlan').plan.id;

  const key = async (tenant: string, scopes: readonly string[], mode = 'LIVE'): Promise<string> => {
    const answer = await api.admin(
      operatorKey,
      `mutation ($input: CreateTenantApiKeyInput!) { createTenantApiKey(input: $input) { key userErrors { message } } }`,
      { input: { tenantId: tenant, name: 'test', mode, scopes } },
    );
    return answered<{ key: string }>(answer, 'createTenantApiKey').key;
  };
  return {
    operatorKey,
    ...live,
    planId,
    key,
    tenant: async (name, domain) => {
      const answer = await api.admin(
        operatorKey,
        `mutation ($input: CreateTenantInput!) { createTenant(input: $input) { tenant { id } userErrors { code message path } } }`,
        { input: { name, planId, domains: [domain] } },
      );
      const { tenant } = answered<{ tenant: { id: string } }>(answer, 'createTenant');
      const [row] = await api.sql<{ id: string }>(`SELECT tenant_id AS id FROM domain WHERE name = $1`, [domain]);
      // What the worker finds out from SES.
      await api.sql(`UPDATE domain SET state = 'READY' WHERE name = $1`, [domain]);
      const all = ['send', 'read', 'billing:read', 'billing:write', 'keys'];
      return {
        id: tenant.id,
        uuid: row?.id ?? '',
        domain,
        liveKey: await key(tenant.id, all),
        testKey: await key(tenant.id, all, 'TEST'),
      };
    },
  };
}

export async function insertAccount(
  api: ApiUnderTest,
  accountId: string,
  mode: string,
): Promise<{ awsAccountId: string; sendingAccountId: string }> {
  const account = newId<PlanId>();
  const sending = newId<PlanId>();
  await api.sql(
    `INSERT INTO aws_account (id, account_id, name, tier, mode, regions, external_id, send_role_arn, manage_role_arn, state, created_at, verified_at)
     VALUES ($1, $2, 'test', 'growth', $3, ARRAY['us-east-1'], 'external ' || $2::text, 'arn:send', 'arn:manage', 'ACTIVE', now(), now())`,
    [account, accountId, mode],
  );
  await api.sql(
    `INSERT INTO sending_account (id, aws_account_id, region, tier, mode, state, max_24_hour_send, max_send_rate, sent_last_24_hours, observed_at, created_at)
     VALUES ($1, $2, 'us-east-1', 'growth', $3, 'PRODUCTION', 50000, 14, 120, now(), now())`,
    [sending, account, mode],
  );
  await api.sql(
    `INSERT INTO lane (id, sending_account_id, kind, pool_name, created_at) VALUES ($1, $2, 'SHARED', 'ses-shared-pool', now())`,
    [newId<PlanId>(), sending],
  );
  await api.sql(
    `INSERT INTO account_plan (sending_account_id, pricing_plan, valid_from) SELECT id, pricing_plan, created_at FROM sending_account WHERE id = $1`,
    [sending],
  );
  return { awsAccountId: toPublicId('awsAccount', account), sendingAccountId: toPublicId('sendingAccount', sending) };
}
