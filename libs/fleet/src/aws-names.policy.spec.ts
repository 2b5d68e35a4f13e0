import { newId, type TenantId } from '@libs/kernel';
import { configurationSetName, sendSessionName } from './aws-names.policy';

describe('names on AWS', () => {
  it('are legal for SES and STS, and say tenant and stream', () => {
    const tenant = '0198c1d2-aaaa-7bbb-8ccc-0123456789ab' as TenantId;
    expect(configurationSetName(tenant, 'TRANSACTIONAL')).toBe('pf-8ccc0123456789ab-tx');
    expect(configurationSetName(tenant, 'MARKETING')).toBe('pf-8ccc0123456789ab-mk');
    expect(sendSessionName(tenant)).toMatch(/^pf-[\w+=,.@-]{2,61}$/);
  });

  it('differ between tenants that were made in the same millisecond', () => {
    const names = Array.from({ length: 1_000 }, () => configurationSetName(newId<TenantId>(), 'MARKETING'));
    expect(new Set(names).size).toBe(1_000);
  });
});
