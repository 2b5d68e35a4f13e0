import { BillingModule, CostPolicyService } from '@libs/billing';
import { startApiProcess, type ApiProcess } from '../tenancy/api-process';

const by = { actor: 'operator:test' };

describe('what is agreed about fees and idle capacity', () => {
  let process: ApiProcess;
  let policies: CostPolicyService;

  beforeAll(async () => {
    process = await startApiProcess([BillingModule]);
    policies = process.module.get(CostPolicyService);
  });
  afterAll(() => process.close());

  it('is fees by volume and idle for the platform until something else is agreed, from a month on', async () => {
    const first = { fees: 'BY_VOLUME', idle: 'PLATFORM' } as const;
    const second = { fees: 'EVEN', idle: 'TENANTS' } as const;
    expect(await policies.of('2026-11')).toEqual(first);
    await policies.set('2026-12', second, by);
    expect(await policies.of('2026-11')).toEqual(first);
    expect(await policies.of('2026-12')).toEqual(second);
    expect(await policies.of('2027-08')).toEqual(second);
    const entries = await process.uow.forSystem(() =>
      process.uow.query('SELECT action, actor, detail FROM audit_log ORDER BY at'),
    );
    expect(entries).toEqual([
      { action: 'cost-policy.set', actor: 'operator:test', detail: { from: first, to: second } },
    ]);
  });

  it.each([
    ['final', ['2026-12', '2027-01', '2027-02'], `'FINAL', NULL, now()`],
    ['being invoiced', ['2027-02', '2027-03', '2027-04'], `'PROVISIONAL', 'FINALISE_INVOICES', NULL`],
  ] as const)('stays as it was for months that are %s', async (_, [before, month, after], state) => {
    await process.uow.forSystem(() =>
      process.uow.query(`INSERT INTO billing_period (period, state, step, final_at) VALUES ('${month}', ${state})`),
    );
    const policy = { fees: 'PLATFORM', idle: 'PLATFORM' } as const;
    const refused = { issues: [{ code: 'CONFLICT', path: ['period'] }] };
    await expect(policies.set(before, policy, by)).rejects.toMatchObject(refused);
    await expect(policies.set(month, policy, by)).rejects.toMatchObject(refused);
    await expect(policies.set(after, policy, by)).resolves.toEqual(policy);
    await expect(async () => policies.set('2027', policy, by)).rejects.toMatchObject({
      issues: [{ path: ['period'] }],
    });
  });
});
