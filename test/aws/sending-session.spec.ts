import { DeleteConfigurationSetCommand, SESv2Client } from '@aws-sdk/client-sesv2';
import { CredentialCache, SesSender, type BulkOutcome, type FleetRole, type OutgoingMail } from '@libs/aws';
import { UnitOfWork } from '@libs/database';
import { DomainService, RouteService, type SendingAccount } from '@libs/fleet';
import type { TenantId } from '@libs/kernel';
import { PlacementService, ProvisioningService } from '@libs/placement';
import { by, FleetProcesses } from '../fleet/fleet-processes';

describe('a tenant’s sending session, against the simulator', () => {
  let fleet: FleetProcesses;
  let sender: SesSender;
  let account: SendingAccount;
  let own: TenantId;
  let role: FleetRole;
  let mail: OutgoingMail;

  async function arrive(domain: string): Promise<TenantId> {
    const plan = await fleet.plan();
    const tenant = await fleet.inApi(UnitOfWork).forSystem(async () => {
      const id = await fleet.tenant(plan);
      await fleet.inApi(DomainService).add(id, [domain], by);
      await fleet.inApi(PlacementService).placeTenant(id, by);
      return id;
    });
    await fleet.inWorker(ProvisioningService).provision(tenant);
    return tenant;
  }
  const setOf = async (tenant: TenantId) => (await fleet.inWorker(RouteService).list(tenant))[0]!.configurationSet;

  beforeAll(async () => {
    fleet = await FleetProcesses.start();
    sender = fleet.inWorker(SesSender);
    account = await fleet.join({ accountId: '400000000001' }, { maxSendRate: 100 });
    own = await arrive('own.example');
    role = await fleet.inWorker(RouteService).sendRole(account.id, own);
    mail = {
      from: { email: 'hi@own.example', name: 'Own' },
      to: [{ email: 'ann@example.com' }],
      cc: [],
      bcc: [],
      replyTo: [],
      content: { subject: 'Hello', text: 'Hi', headers: [], attachments: [] },
      configurationSet: await setOf(own),
      tags: { message: 'm-1', attempt: 'a-1' },
    };
  });
  afterAll(() => fleet.close());
  afterEach(() => fleet.aws.clearFaults());

  const arrivalsOf = async (attempt: string) => {
    const { arrivals } = await fleet.aws.arrivals();
    return arrivals.filter((arrival) => arrival.tags?.['attempt'] === attempt);
  };

  it('sends its tenant’s mail, plain, from a subdomain, and raw', async () => {
    expect(await sender.send(role, mail, 5_000)).toMatchObject({ kind: 'sent' });
    const news = { ...mail, from: { email: 'a@news.own.example' } };
    expect(await sender.send(role, news, 5_000)).toMatchObject({ kind: 'sent' });
    const raw = Buffer.from('From: hi@own.example\r\nTo: ann@example.com\r\nSubject: R\r\n\r\nHi');
    expect(await sender.send(role, { ...mail, content: { raw } }, 5_000)).toMatchObject({ kind: 'sent' });
  });

  it('cannot send as another tenant of the same account, nor through its configuration set', async () => {
    const other = await arrive('other.example');
    const asOther = { ...mail, from: { email: 'hi@other.example' } };
    expect(await sender.send(role, asOther, 5_000)).toMatchObject({ kind: 'denied', httpStatus: 403 });
    const through = { ...mail, configurationSet: await setOf(other) };
    expect(await sender.send(role, through, 5_000)).toMatchObject({ kind: 'denied' });
    const otherRole = await fleet.inWorker(RouteService).sendRole(account.id, other);
    const rightly = { ...asOther, configurationSet: await setOf(other) };
    expect(await sender.send(otherRole, rightly, 5_000)).toMatchObject({ kind: 'sent' });
  });

  const together = (as: FleetRole, first: OutgoingMail) =>
    new Promise<BulkOutcome>((resolve) => {
      const second = { ...first, to: [{ email: 'bob@example.com' }], tags: { message: 'm-2', attempt: 'a-2' } };
      sender.postTogether(as, [first, second], 5_000, resolve);
    });

  it('sends mail that shares a request as its own tenant only, and through its own configuration set', async () => {
    expect(await together(role, mail)).toMatchObject([{ kind: 'sent' }, { kind: 'sent' }]);
    const other = await arrive('third.example');
    const asOther = { ...mail, from: { email: 'hi@third.example' } };
    // Each in a session of its own: what was denied once is not asked for again.
    const fresh = (name: string) => ({ ...role, sessionName: `pf-${name}` });
    expect(await together(fresh('from'), asOther)).toMatchObject({ kind: 'denied', httpStatus: 403 });
    const through = { ...mail, configurationSet: await setOf(other) };
    expect(await together(fresh('through'), through)).toMatchObject({ kind: 'denied' });
  });

  it.each([
    ['429', 'rate', 1],
    ['500', 'in-doubt', 1],
    ['503', 'in-doubt', 1],
    ['accept-then-reset', 'in-doubt', 1],
    ['accept-then-500', 'in-doubt', 1],
  ] as const)('asks once and only once when the answer is %s, which is %s', async (kind, outcome, times) => {
    const attempt = `fault-${kind}`;
    await fleet.aws.addFault({ operation: 'SendEmail', kind });
    const tagged = { ...mail, tags: { message: 'm', attempt } };
    expect((await sender.send(role, tagged, 5_000)).kind).toBe(outcome);
    expect(await arrivalsOf(attempt)).toHaveLength(times);
  });

  it('gives up at its deadline and calls what hangs in doubt', async () => {
    await fleet.aws.addFault({ operation: 'SendEmail', kind: 'hang', count: 2 });
    // Long enough that both are on the wire by then: what is not is not in doubt.
    const patient = sender.send(role, mail, 3_000).then((outcome) => ({ ...outcome, who: 'patient' }));
    const hasty = sender.send(role, mail, 1_500).then((outcome) => ({ ...outcome, who: 'hasty' }));
    expect(await Promise.race([patient, hasty])).toMatchObject({ kind: 'in-doubt', who: 'hasty' });
    expect(await patient).toMatchObject({ kind: 'in-doubt' });
  });

  it('goes on with the session it has while STS is down, and waits no longer than its deadline for one it has not', async () => {
    await sender.send(role, mail, 5_000);
    await fleet.aws.addFault({ operation: 'AssumeRole', kind: 'hang' });
    expect(await sender.send(role, mail, 5_000)).toMatchObject({ kind: 'sent' });
    const fresh = { ...role, sessionName: 'pf-fresh' };
    const tagged = { ...mail, tags: { message: 'm', attempt: 'no-sts' } };
    // Both ask for the same session, which never comes.
    const patient = sender.send(fresh, tagged, 2_000).then((outcome) => ({ ...outcome, who: 'patient' }));
    const hasty = sender.send(fresh, tagged, 300).then((outcome) => ({ ...outcome, who: 'hasty' }));
    expect(await Promise.race([patient, hasty])).toMatchObject({
      kind: 'unsent',
      code: 'DeadlinePassed',
      who: 'hasty',
    });
    expect(await patient).toMatchObject({ kind: 'unsent', code: 'DeadlinePassed' });
    expect(await arrivalsOf('no-sts')).toEqual([]);
  });

  it('does not send at all after its deadline', async () => {
    const tagged = { ...mail, tags: { message: 'm', attempt: 'late' } };
    expect(await sender.send(role, tagged, 0)).toMatchObject({ kind: 'unsent', code: 'DeadlinePassed' });
    expect(await arrivalsOf('late')).toEqual([]);
  });

  it('tells drift, identity and quota apart in AWS’s own words', async () => {
    const wide = { ...role };
    delete (wide as { sessionPolicy?: string }).sessionPolicy;
    expect(await sender.send(wide, { ...mail, configurationSet: 'pf-gone' }, 5_000)).toMatchObject({ kind: 'drift' });
    const unverified = { ...mail, from: { email: 'a@unknown.example' } };
    expect(await sender.send(wide, unverified, 5_000)).toMatchObject({ kind: 'identity', code: 'MessageRejected' });
    await fleet.aws.putAccount(account.accountId, { regions: { 'us-east-1': { max24HourSend: 1 } } });
    expect(await sender.send(role, mail, 5_000)).toMatchObject({ kind: 'daily-quota', httpStatus: 429 });
    await fleet.aws.putAccount(account.accountId, { regions: { 'us-east-1': { max24HourSend: 50_000 } } });
  });

  it('tells the same apart of mail that shares a request, entry by entry', async () => {
    const wide = { ...role };
    delete (wide as { sessionPolicy?: string }).sessionPolicy;
    const both = (kind: string) => [{ kind }, { kind }];
    expect(await together(wide, { ...mail, configurationSet: 'pf-gone' })).toMatchObject(both('drift'));
    expect(await together(wide, { ...mail, from: { email: 'a@unknown.example' } })).toMatchObject(both('identity'));
    const region = (change: object) => fleet.aws.putAccount(account.accountId, { regions: { 'us-east-1': change } });
    await region({ max24HourSend: 1 });
    expect(await together(role, mail)).toMatchObject(both('daily-quota'));
    await region({ max24HourSend: 50_000, sendingEnabled: false });
    expect(await together(role, mail)).toMatchObject(both('paused'));
    await region({ sendingEnabled: true, suspended: true });
    expect(await together(role, mail)).toMatchObject(both('suspended'));
    await region({ suspended: false });
    expect(await together(role, mail)).toMatchObject(both('sent'));
  });

  it('calls a configuration set that AWS lost drift, and sends again once it was provisioned again', async () => {
    const manage = {
      ...role,
      roleArn: role.roleArn.replace('fleet-send', 'fleet-manage'),
      sessionName: 'pf-test',
    };
    delete (manage as { sessionPolicy?: string }).sessionPolicy;
    const credentials = await fleet.inWorker(CredentialCache).get(manage);
    const client = new SESv2Client({ endpoint: fleet.simulator.endpoint, region: account.region, credentials });
    await client.send(new DeleteConfigurationSetCommand({ ConfigurationSetName: mail.configurationSet }));
    client.destroy();
    expect(await sender.send(role, mail, 5_000)).toMatchObject({ kind: 'drift' });
    await fleet.inWorker(ProvisioningService).reprovision(own, account.id);
    await fleet.inWorker(ProvisioningService).advance();
    expect(await sender.send(role, mail, 5_000)).toMatchObject({ kind: 'sent' });
  });

  it('does not send when no session can be had, and sends again once the trust is back', async () => {
    const cache = fleet.inWorker(CredentialCache);
    const stranger = { ...role, externalId: 'not-ours' };
    const tagged = { ...mail, tags: { message: 'm', attempt: 'no-session' } };
    expect(await sender.send(stranger, tagged, 5_000)).toMatchObject({ kind: 'denied', code: 'AccessDenied' });
    expect(await arrivalsOf('no-session')).toEqual([]);
    cache.forget(role);
    expect(await sender.send(role, mail, 5_000)).toMatchObject({ kind: 'sent' });
  });
});
