import { startApi, type ApiUnderTest } from './api-under-test';
import { givenFleet, type GivenFleet, type GivenTenant } from './given';
let api: ApiUnderTest; let fleet: GivenFleet; let acme: GivenTenant;
beforeAll(async () => { api = await startApi(); fleet = await givenFleet(api); acme = await fleet.tenant('Acme', 'acme.example'); }, 60_000);
afterAll(() => api?.close());
it('works', async () => {
  const a = await api.customer(acme.liveKey, '{ viewer { tenant { id name } mode scopes sendingLimits { recipientsPer24h usedLast24h recipientsPerSecond nextFreeAt pausedReason } } }');
  console.log(a.status, a.text);
  const b = await api.customer(acme.liveKey, `mutation ($input: SendEmailInput!) { sendEmail(input: $input) { message { id state wait { limit explanation estimatedSendAt ahead } timeline { nodes { type at summary } } cost recipients { address state } } replayed userErrors { code message path docsUrl } } }`, { input: { idempotencyKey: 'k1', email: { from: { email: 'hi@acme.example' }, to: [{ email: 'ann@example.com' }], content: { inline: { subject: 'Hi', text: 'Hello' } } } } });
  console.log(b.status, b.text);
  const c = await api.admin(fleet.operatorKey, '{ fleetOverview { awsAccounts sendingAccounts tiers { tier quota used } } sendingAccounts { nodes { id quota used rate state lanes { kind poolName ips { ip } } awsAccount { accountId } } } tenants { nodes { name plan { code } domains { name state } placements { stream reason sendingAccount { accountId } lane { poolName } } moves { id } } } costEstimate(recipientsPerMonth: 1500000, dedicatedIps: 3) { total lines { sku cost } } tenantCosts(period: "2026-11") { fleet tenants { cost } } }');
  console.log(c.status, c.text);
  const d = await api.customer(acme.liveKey, '{ forecast(recipients: 1000, stream: TRANSACTIONAL) { firstAt lastAt bindingLimit cost } usage(from: "2026-11-01T00:00:00Z", to: "2026-12-01T00:00:00Z") { recipients charge } suppressions { nodes { id } } messages { nodes { id cost wait { limit } timeline { nodes { type message { id } } } } } }');
  console.log(d.status, d.text, api.log);
});
