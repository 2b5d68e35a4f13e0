import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AccountVerification, AwsAccountService, SendingAccountService, SubscriptionService } from '@libs/fleet';
import { UnitOfWork } from '@libs/database';
import { newId, type AwsAccountId, type DomainError } from '@libs/kernel';
import { waitFor } from '../support/wait-for';
import { by, FleetProcesses } from './fleet-processes';

/** Stands where the api's webhook stands, and keeps what SNS posts. */
class Webhook {
  readonly bodies: { Type: string; TopicArn: string; Token: string }[] = [];
  private server!: Server;
  origin = '';

  async start(): Promise<void> {
    this.server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        if (request.url === '/webhooks/sns') this.bodies.push(JSON.parse(Buffer.concat(chunks).toString()) as never);
        response.end();
      });
    });
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    this.origin = `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

describe('an AWS account that joins', () => {
  let fleet: FleetProcesses;
  let accounts: AwsAccountService;
  let sending: SendingAccountService;
  let verification: AccountVerification;
  const webhook = new Webhook();

  beforeAll(async () => {
    await webhook.start();
    fleet = await FleetProcesses.start({ publicUrl: `${webhook.origin}/` });
    accounts = fleet.inApi(AwsAccountService);
    sending = fleet.inApi(SendingAccountService);
    verification = fleet.inWorker(AccountVerification);
  });
  afterAll(async () => {
    await fleet.close();
    await webhook.close();
  });

  const issuesOf = async (work: Promise<unknown>) => {
    const error = await work.then(
      () => undefined,
      (thrown: unknown) => thrown as DomainError,
    );
    return error?.issues.map(({ code, path }) => `${code} ${(path ?? []).join('.')}`);
  };

  it('is VERIFYING at once, with an external id of its own and a job that checks it', async () => {
    const account = await fleet.register({ accountId: '100000000001' });
    expect(account).toMatchObject({
      state: 'VERIFYING',
      mode: 'LIVE',
      sendRoleArn: 'arn:aws:iam::100000000001:role/postfleet/fleet-send',
      manageRoleArn: 'arn:aws:iam::100000000001:role/postfleet/fleet-manage',
    });
    const other = await fleet.register({ accountId: '100000000002' });
    expect(other.externalId).not.toBe(account.externalId);
    expect(await fleet.takeJobs()).toEqual([
      { job: 'fleet.verify-aws-account', payload: { awsAccountId: account.id } },
      { job: 'fleet.verify-aws-account', payload: { awsAccountId: other.id } },
    ]);
    expect(await fleet.audited('aws-account.register')).toEqual(['operator:test', 'operator:test']);
  });

  it('is refused with every wrong field at once, and a known one as a conflict', async () => {
    const wrong = fleet.register({
      accountId: '12',
      name: '',
      tier: 'gold',
      regions: ['mars-1'],
      sendRoleArn: 'arn:aws:iam::111122223333:role/x',
    });
    expect(await issuesOf(wrong)).toEqual([
      'INVALID_INPUT accountId',
      'INVALID_INPUT name',
      'INVALID_INPUT tier',
      'INVALID_INPUT regions.0',
      'INVALID_INPUT sendRoleArn',
    ]);
    await fleet.register({ accountId: '100000000003' });
    expect(await issuesOf(fleet.register({ accountId: '100000000003' }))).toEqual(['CONFLICT accountId']);
    expect(await issuesOf(accounts.get(newId<AwsAccountId>()))).toEqual(['NOT_FOUND awsAccountId']);
  });

  it('fails at the step that failed and says the fix, then heals when it is mended and verified again', async () => {
    const account = await fleet.register({ accountId: '100000000004' });
    const failed = await verification.verify(account.id);
    expect(failed).toMatchObject({ state: 'FAILED', failedStep: 'ASSUME_ROLE' });
    expect(failed.failure).toContain(
      'The role arn:aws:iam::100000000004:role/postfleet/fleet-manage cannot be assumed',
    );
    expect(failed.failure).toContain('AccessDenied');
    expect(failed.fix).toContain(account.externalId);
    expect(failed.fix).toContain('arn:aws:iam::999900000000:user/postfleet-hub');

    await fleet.grantRoles({ ...account, externalId: 'somebody-elses' });
    expect(await verification.verify(account.id)).toMatchObject({ state: 'FAILED', failedStep: 'ASSUME_ROLE' });

    await fleet.grantRoles(account);
    await fleet.takeJobs();
    expect(await accounts.retry(account.id, by)).toMatchObject({ state: 'VERIFYING', failure: null, fix: null });
    expect(await fleet.takeJobs()).toHaveLength(1);
    expect(await verification.verify(account.id)).toMatchObject({ state: 'ACTIVE', failedStep: null, failure: null });
  });

  it('fails at the region whose SES cannot be read, and names the missing permission', async () => {
    const account = await fleet.register({ accountId: '100000000005', regions: ['us-east-1', 'eu-west-1'] });
    await fleet.grantRoles(account);
    await fleet.aws.addFault({ operation: 'GetAccount', account: account.accountId, region: 'eu-west-1', kind: '500' });
    await expect(verification.verify(account.id)).rejects.toThrow();
    const failed = await accounts.get(account.id);
    expect(failed).toMatchObject({ state: 'FAILED', failedStep: 'GET_ACCOUNT' });
    expect(failed.failure).toContain('eu-west-1');
    await fleet.aws.clearFaults();
    expect(await verification.verify(account.id)).toMatchObject({ state: 'ACTIVE' });
    const { rows } = await sending.list({ limit: 10 }, { awsAccountId: account.id });
    expect(rows.map(({ region }) => region)).toEqual(['us-east-1', 'eu-west-1']);
  });

  it('has its quota, its topic, its shared lane and a confirmed subscription, and verifying twice changes nothing', async () => {
    const account = await fleet.join({ accountId: '100000000006' }, { max24HourSend: 200_000, maxSendRate: 28.5 });
    expect(account).toMatchObject({
      accountId: '100000000006',
      state: 'PRODUCTION',
      max24HourSend: 200_000n,
      maxSendRate: '28.5',
      topicArn: 'arn:aws:sns:us-east-1:100000000006:postfleet-events',
      epoch: 1n,
    });
    expect(await sending.lanes([account.id])).toMatchObject([{ kind: 'SHARED', poolName: 'ses-shared-pool', ips: [] }]);

    const posted = await waitFor(
      () =>
        webhook.bodies.find((body) => body.TopicArn === account.topicArn && body.Type === 'SubscriptionConfirmation'),
      { what: 'SNS to ask for a confirmation' },
    );
    const subscriptions = fleet.inWorker(SubscriptionService);
    await expect(subscriptions.confirm(account.id, 'arn:aws:sns:us-east-1:1:foreign', posted.Token)).rejects.toThrow(
      'is not the topic',
    );
    await subscriptions.confirm(account.id, posted.TopicArn, posted.Token);
    const confirmed = await sending.get(account.id);
    expect(confirmed.subscriptionArn).toContain('arn:aws:sns:us-east-1:100000000006:postfleet-events:');

    await verification.verify(account.awsAccountId);
    expect(await sending.get(account.id)).toEqual({ ...confirmed });
    expect(await sending.lanes([account.id])).toHaveLength(1);
  });

  it('has its events subscribed anew while unconfirmed, and when the address of the webhook has changed', async () => {
    const account = await fleet.join({ accountId: '100000000016' });
    const subscriptions = fleet.inWorker(SubscriptionService);
    const own = <Row extends { TopicArn: string }>(row: Row) => row.TopicArn.includes(':100000000016:');
    const asked = () => webhook.bodies.filter(own).length;
    const askedAnew = async (times: number) => {
      await waitFor(() => Promise.resolve(asked() >= times), { what: 'SNS to ask for a confirmation' });
      expect(asked()).toBe(times);
    };
    const confirm = async () => {
      const posted = webhook.bodies.filter(own).at(-1)!;
      await subscriptions.confirm(account.id, posted.TopicArn, posted.Token);
    };
    await askedAnew(1);
    // The first request for a confirmation was lost: nobody confirmed.
    await subscriptions.followAddress();
    await askedAnew(2);
    await confirm();
    const calls = async () =>
      (await fleet.aws.arrivals(0, 10_000)).arrivals.filter(
        (one) => one.account === '100000000016' && one.operation === 'Subscribe',
      ).length;
    const before = await calls();
    await subscriptions.followAddress();
    expect(await calls()).toBe(before);

    const uow = fleet.inWorker(UnitOfWork);
    await uow.forSystem(() =>
      uow.query('UPDATE sending_account SET webhook_url = $2 WHERE id = $1', [
        account.id,
        'http://127.0.0.1:1/webhooks/sns',
      ]),
    );
    await subscriptions.followAddress();
    expect(await calls()).toBe(before + 1);
    await subscriptions.followAddress();
    expect(await calls()).toBe(before + 1);
    expect((await sending.get(account.id)).subscriptionArn).toContain(':100000000016:');
  });

  it('goes on sending while it is verified again, and takes no new tenants meanwhile', async () => {
    const account = await fleet.join({ accountId: '100000000010', tier: 'quarantine' });
    await accounts.retry(account.awsAccountId, by);
    expect((await sending.active()).map(({ id }) => id)).toContain(account.id);
    expect(await sending.forTier('quarantine', 'LIVE')).toEqual([]);
    await verification.verify(account.awsAccountId);
    expect(await sending.forTier('quarantine', 'LIVE')).toHaveLength(1);
  });

  it('gets pools when it has dedicated IPs, and every IP is put into one at once', async () => {
    const ips = ['198.51.100.1', '198.51.100.2', '198.51.100.3', '198.51.100.4', '198.51.100.5'];
    const account = await fleet.join({ accountId: '100000000007', tier: 'premium' }, { ips });
    const lanes = await sending.lanes([account.id]);
    expect(lanes.map(({ poolName, stream, ips: own }) => [poolName, stream, own.map(({ ip }) => ip)])).toEqual([
      ['ses-shared-pool', null, []],
      ['marketing', 'MARKETING', ['198.51.100.2', '198.51.100.4']],
      ['transactional', 'TRANSACTIONAL', ['198.51.100.1', '198.51.100.3', '198.51.100.5']],
    ]);
  });

  it('answers role templates with exactly its own external id, once in each of two roles', async () => {
    const account = await fleet.register({ accountId: '100000000008' });
    const { cloudFormation, terraform } = await accounts.roleTemplates(account.id);
    expect(cloudFormation.split(account.externalId)).toHaveLength(3);
    expect(terraform.split(account.externalId)).toHaveLength(3);
  });
});
