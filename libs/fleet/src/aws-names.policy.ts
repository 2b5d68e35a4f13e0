import type { Stream, TenantId } from '@libs/kernel';

/** Prefix of everything that Postfleet makes in SES; what the topic's policy and the send role match. */
export const SET_PATTERN = 'pf-*';
export const EVENT_TOPIC = 'postfleet-events';
/** AWS's name for "no dedicated pool": always said, because a set without a pool may use unassigned IPs (aws-facts 1.5). */
export const SHARED_POOL = 'ses-shared-pool';

const SUFFIX = { TRANSACTIONAL: 'tx', MARKETING: 'mk' } as const satisfies Record<Stream, string>;

/** The random half of the tenant's uuid v7: 62 random bits, where the first half is mostly a time that neighbours share. */
function shortTenant(tenant: TenantId): string {
  return tenant.replaceAll('-', '').slice(-16);
}

/** `pf-<16 hex>-tx` or `-mk`: one per tenant and stream, so that one stream can be switched off alone. */
export function configurationSetName(tenant: TenantId, stream: Stream): string {
  return `pf-${shortTenant(tenant)}-${SUFFIX[stream]}`;
}

/** Shows in CloudTrail and in events; the send role trusts names that begin with `pf-` only. */
export function sendSessionName(tenant: TenantId): string {
  return `pf-${shortTenant(tenant)}`;
}

export const MANAGE_SESSION = 'pf-manage';
export const VERIFY_SESSION = 'pf-verify';
