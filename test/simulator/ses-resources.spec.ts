import {
  CreateConfigurationSetCommand,
  CreateDedicatedIpPoolCommand,
  CreateEmailIdentityCommand,
  DeleteConfigurationSetCommand,
  DeleteDedicatedIpPoolCommand,
  DeleteEmailIdentityCommand,
  DeleteSuppressedDestinationCommand,
  GetAccountCommand,
  GetConfigurationSetCommand,
  GetDedicatedIpsCommand,
  GetEmailIdentityCommand,
  GetSuppressedDestinationCommand,
  ListConfigurationSetsCommand,
  ListDedicatedIpPoolsCommand,
  ListEmailIdentitiesCommand,
  ListSuppressedDestinationsCommand,
  PutAccountDetailsCommand,
  PutAccountSuppressionAttributesCommand,
  PutConfigurationSetDeliveryOptionsCommand,
  PutConfigurationSetReputationOptionsCommand,
  PutConfigurationSetSuppressionOptionsCommand,
  PutConfigurationSetTrackingOptionsCommand,
  PutDedicatedIpInPoolCommand,
  PutDedicatedIpWarmupAttributesCommand,
  PutEmailIdentityConfigurationSetAttributesCommand,
  PutEmailIdentityDkimAttributesCommand,
  PutEmailIdentityDkimSigningAttributesCommand,
  PutEmailIdentityMailFromAttributesCommand,
  PutSuppressedDestinationCommand,
} from '@aws-sdk/client-sesv2';
import { ACCOUNT, mailTo, refusal, REGION, SimulatedFleet, realTime } from './simulated-fleet';

describe('SES resources of the simulator', () => {
  let fleet: SimulatedFleet;
  beforeAll(async () => {
    fleet = await SimulatedFleet.start();
  });
  afterAll(() => fleet.close());

  it('keeps identities with DKIM, MAIL FROM and a default configuration set', async () => {
    const ses = fleet.ses();
    const created = await ses.send(new CreateEmailIdentityCommand({ EmailIdentity: 'Kept.example' }));
    expect(created).toMatchObject({ IdentityType: 'DOMAIN', VerifiedForSendingStatus: true });
    expect(created.DkimAttributes?.Tokens).toHaveLength(3);
    await ses.send(new CreateEmailIdentityCommand({ EmailIdentity: 'ann+tag@kept.example' }));
    await ses.send(new CreateConfigurationSetCommand({ ConfigurationSetName: 'pf-default' }));
    const EmailIdentity = 'kept.example';
    await ses.send(
      new PutEmailIdentityMailFromAttributesCommand({
        EmailIdentity,
        MailFromDomain: 'bounce.kept.example',
        BehaviorOnMxFailure: 'REJECT_MESSAGE',
      }),
    );
    await ses.send(new PutEmailIdentityDkimAttributesCommand({ EmailIdentity, SigningEnabled: false }));
    await ses.send(
      new PutEmailIdentityDkimSigningAttributesCommand({ EmailIdentity, SigningAttributesOrigin: 'AWS_SES' }),
    );
    await ses.send(
      new PutEmailIdentityConfigurationSetAttributesCommand({ EmailIdentity, ConfigurationSetName: 'pf-default' }),
    );
    await expect(ses.send(new GetEmailIdentityCommand({ EmailIdentity }))).resolves.toMatchObject({
      VerificationStatus: 'SUCCESS',
      ConfigurationSetName: 'pf-default',
      DkimAttributes: { SigningEnabled: false, SigningHostedZone: 'dkim.amazonses.com', Status: 'SUCCESS' },
      MailFromAttributes: {
        MailFromDomain: 'bounce.kept.example',
        MailFromDomainStatus: 'SUCCESS',
        BehaviorOnMxFailure: 'REJECT_MESSAGE',
      },
    });
    await expect(
      ses.send(new GetEmailIdentityCommand({ EmailIdentity: 'ann+tag@kept.example' })),
    ).resolves.toMatchObject({ IdentityType: 'EMAIL_ADDRESS' });
    const { EmailIdentities: first, NextToken: next } = await ses.send(new ListEmailIdentitiesCommand({ PageSize: 1 }));
    const { EmailIdentities: second } = await ses.send(
      new ListEmailIdentitiesCommand({ PageSize: 1, NextToken: next }),
    );
    expect([first?.[0]?.IdentityName, second?.[0]?.IdentityName]).toEqual(['kept.example', 'ann+tag@kept.example']);

    await expect(refusal(ses.send(new CreateEmailIdentityCommand({ EmailIdentity })))).resolves.toMatchObject({
      name: 'AlreadyExistsException',
      status: 400,
    });
    await expect(
      refusal(
        ses.send(new PutEmailIdentityMailFromAttributesCommand({ EmailIdentity, MailFromDomain: 'elsewhere.example' })),
      ),
    ).resolves.toMatchObject({ name: 'BadRequestException' });
    await ses.send(new DeleteEmailIdentityCommand({ EmailIdentity: 'ann+tag@kept.example' }));
    await expect(
      refusal(ses.send(new GetEmailIdentityCommand({ EmailIdentity: 'ann+tag@kept.example' }))),
    ).resolves.toMatchObject({ name: 'NotFoundException', status: 404 });
  });

  it('leaves a new identity pending where verification is manual', async () => {
    const ses = fleet.ses();
    await fleet.admin.putSettings({ identityVerification: 'manual' });
    await ses.send(new CreateEmailIdentityCommand({ EmailIdentity: 'slow.example' }));
    const mail = mailTo('bob@example.com', { FromEmailAddress: 'ann@slow.example' });
    await expect(refusal(ses.send(mail))).resolves.toMatchObject({ name: 'MessageRejected' });
    await fleet.admin.verifyIdentity({ account: ACCOUNT, region: REGION, identity: 'slow.example' });
    await expect(ses.send(mail)).resolves.toHaveProperty('MessageId');
    await fleet.admin.putSettings({ identityVerification: 'auto' });
  });

  it('keeps configuration sets with all their options', async () => {
    const ses = fleet.ses();
    const ConfigurationSetName = 'pf-full';
    await ses.send(new CreateDedicatedIpPoolCommand({ PoolName: 'marketing' }));
    await ses.send(new CreateConfigurationSetCommand({ ConfigurationSetName }));
    await ses.send(
      new PutConfigurationSetDeliveryOptionsCommand({
        ConfigurationSetName,
        SendingPoolName: 'marketing',
        TlsPolicy: 'REQUIRE',
      }),
    );
    await ses.send(
      new PutConfigurationSetReputationOptionsCommand({ ConfigurationSetName, ReputationMetricsEnabled: true }),
    );
    await ses.send(
      new PutConfigurationSetSuppressionOptionsCommand({ ConfigurationSetName, SuppressedReasons: ['COMPLAINT'] }),
    );
    await ses.send(
      new PutConfigurationSetTrackingOptionsCommand({ ConfigurationSetName, CustomRedirectDomain: 't.kept.example' }),
    );
    await expect(ses.send(new GetConfigurationSetCommand({ ConfigurationSetName }))).resolves.toMatchObject({
      DeliveryOptions: { SendingPoolName: 'marketing', TlsPolicy: 'REQUIRE' },
      SendingOptions: { SendingEnabled: true },
      ReputationOptions: { ReputationMetricsEnabled: true },
      SuppressionOptions: { SuppressedReasons: ['COMPLAINT'] },
      TrackingOptions: { CustomRedirectDomain: 't.kept.example' },
    });
    expect((await ses.send(new ListConfigurationSetsCommand({}))).ConfigurationSets).toContain(ConfigurationSetName);
    await expect(
      refusal(
        ses.send(new PutConfigurationSetDeliveryOptionsCommand({ ConfigurationSetName, SendingPoolName: 'none' })),
      ),
    ).resolves.toMatchObject({ name: 'NotFoundException' });
    await expect(refusal(ses.send(new CreateConfigurationSetCommand({ ConfigurationSetName })))).resolves.toMatchObject(
      { name: 'AlreadyExistsException' },
    );
    await expect(
      refusal(ses.send(new CreateConfigurationSetCommand({ ConfigurationSetName: 'no spaces' }))),
    ).resolves.toMatchObject({ name: 'BadRequestException' });
    await ses.send(new DeleteConfigurationSetCommand({ ConfigurationSetName }));
    await expect(refusal(ses.send(new GetConfigurationSetCommand({ ConfigurationSetName })))).resolves.toMatchObject({
      name: 'NotFoundException',
    });
  });

  it('lands leased IPs in the default pool, where all mail without a pool then goes', async () => {
    const ses = fleet.ses();
    await ses.send(new CreateDedicatedIpPoolCommand({ PoolName: 'transactional' }));
    const { ips } = await fleet.admin.leaseIps(ACCOUNT, REGION, { count: 2 });
    const shown = await ses.send(new GetDedicatedIpsCommand({ PoolName: 'ses-default-dedicated-pool' }));
    expect(shown.DedicatedIps?.map((one) => one.Ip)).toEqual(ips);
    await ses.send(
      mailTo('bob@example.com', { FromEmailAddress: 'ann@kept.example', ConfigurationSetName: undefined }),
    );
    const poolOfLast = async (): Promise<string | undefined> => {
      const { arrivals } = await fleet.admin.arrivals(0, 10_000);
      return arrivals.filter((one) => one.operation === 'SendEmail').at(-1)?.pool;
    };
    await expect(poolOfLast()).resolves.toBe('ses-default-dedicated-pool');
    for (const Ip of ips) await ses.send(new PutDedicatedIpInPoolCommand({ Ip, DestinationPoolName: 'transactional' }));
    await ses.send(new PutDedicatedIpWarmupAttributesCommand({ Ip: ips[0]!, WarmupPercentage: 100 }));
    const moved = await ses.send(new GetDedicatedIpsCommand({ PoolName: 'transactional' }));
    expect(moved.DedicatedIps?.[0]).toMatchObject({
      WarmupPercentage: 100,
      WarmupStatus: 'DONE',
      PoolName: 'transactional',
    });
    await ses.send(mailTo('bob@example.com', { FromEmailAddress: 'ann@kept.example' }));
    await expect(poolOfLast()).resolves.toBe('ses-shared-pool');
    await expect(
      refusal(ses.send(new CreateDedicatedIpPoolCommand({ PoolName: 'transactional' }))),
    ).resolves.toMatchObject({ name: 'AlreadyExistsException' });
    expect((await ses.send(new ListDedicatedIpPoolsCommand({}))).DedicatedIpPools).toContain('transactional');
    await ses.send(new DeleteDedicatedIpPoolCommand({ PoolName: 'transactional' }));
    await expect(refusal(ses.send(new GetDedicatedIpsCommand({ PoolName: 'transactional' })))).resolves.toMatchObject({
      name: 'NotFoundException',
    });
  });

  it('keeps the account suppression list', async () => {
    const ses = fleet.ses();
    const EmailAddress = 'gone+1@example.com';
    await ses.send(new PutSuppressedDestinationCommand({ EmailAddress, Reason: 'BOUNCE' }));
    const { SuppressedDestination: found } = await ses.send(new GetSuppressedDestinationCommand({ EmailAddress }));
    expect(found).toMatchObject({ EmailAddress, Reason: 'BOUNCE' });
    expect(Math.abs(found!.LastUpdateTime!.getTime() - realTime.nowMs())).toBeLessThan(10_000);
    const listed = await ses.send(
      new ListSuppressedDestinationsCommand({ Reasons: ['BOUNCE'], StartDate: new Date(realTime.nowMs() - 60_000) }),
    );
    expect(listed.SuppressedDestinationSummaries).toHaveLength(1);
    expect(
      (await ses.send(new ListSuppressedDestinationsCommand({ Reasons: ['COMPLAINT'] })))
        .SuppressedDestinationSummaries,
    ).toHaveLength(0);
    await ses.send(new DeleteSuppressedDestinationCommand({ EmailAddress }));
    await expect(refusal(ses.send(new GetSuppressedDestinationCommand({ EmailAddress })))).resolves.toMatchObject({
      name: 'NotFoundException',
      status: 404,
    });
  });

  it('opens a review for production access that only AWS can decide', async () => {
    const ses = fleet.ses();
    const ask = new PutAccountDetailsCommand({
      MailType: 'MARKETING',
      WebsiteURL: 'https://tenant.example',
      ContactLanguage: 'EN',
      ProductionAccessEnabled: true,
    });
    await fleet.admin.putAccount(ACCOUNT, { regions: { [REGION]: { productionAccess: false } } });
    await ses.send(ask);
    await expect(ses.send(new GetAccountCommand({}))).resolves.toMatchObject({
      ProductionAccessEnabled: false,
      Details: { ReviewDetails: { Status: 'PENDING' } },
    });
    await expect(refusal(ses.send(ask))).resolves.toMatchObject({ name: 'ConflictException', status: 409 });
    await fleet.admin.putAccount(ACCOUNT, { regions: { [REGION]: { reviewStatus: 'GRANTED' } } });
    await ses.send(new PutAccountSuppressionAttributesCommand({ SuppressedReasons: ['COMPLAINT'] }));
    await expect(ses.send(new GetAccountCommand({}))).resolves.toMatchObject({
      ProductionAccessEnabled: true,
      Details: { ReviewDetails: { Status: 'GRANTED' } },
      SuppressionAttributes: { SuppressedReasons: ['COMPLAINT'] },
    });
  });
});
