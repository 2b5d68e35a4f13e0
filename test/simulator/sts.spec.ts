import { ManualClock } from '@libs/kernel';
import { GetAccountCommand } from '@aws-sdk/client-sesv2';
import { AssumeRoleCommand, GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import {
  ACCOUNT,
  EXTERNAL_ID,
  HUB,
  HUB_USER,
  mailTo,
  OWNER,
  refusal,
  ROLE,
  SimulatedFleet,
  realTime,
} from './simulated-fleet';

describe('STS of the simulator, asked by the AWS SDK', () => {
  let fleet: SimulatedFleet;
  beforeAll(async () => {
    fleet = await SimulatedFleet.start();
    await fleet.verifiedDomain();
  });
  afterAll(() => fleet.close());

  it('gives temporary credentials to the principal that the role trusts', async () => {
    const answer = await fleet.sts().send(
      new AssumeRoleCommand({
        RoleArn: ROLE,
        RoleSessionName: 'pf-test',
        ExternalId: EXTERNAL_ID,
        DurationSeconds: 900,
      }),
    );
    expect(answer.Credentials?.AccessKeyId).toMatch(/^ASIA/);
    expect(answer.Credentials!.Expiration!.getTime() - realTime.nowMs()).toBeGreaterThan(890_000);
    expect(answer.AssumedRoleUser?.Arn).toBe(`arn:aws:sts::${ACCOUNT}:assumed-role/fleet-send/pf-test`);
  });

  it('tells a session and a user who they are', async () => {
    const session = await fleet.assume();
    await expect(fleet.sts(session).send(new GetCallerIdentityCommand({}))).resolves.toMatchObject({
      Account: ACCOUNT,
      Arn: `arn:aws:sts::${ACCOUNT}:assumed-role/fleet-send/pf-test`,
    });
    await expect(fleet.sts().send(new GetCallerIdentityCommand({}))).resolves.toMatchObject({
      Account: HUB,
      Arn: `arn:aws:iam::${HUB}:user/postfleet-hub`,
    });
  });

  it.each([
    ['a wrong external id', { ExternalId: 'somebody-elses' }],
    ['no external id', { ExternalId: undefined }],
    ['a session name the trust does not allow', { RoleSessionName: 'other' }],
    ['a role that does not exist', { RoleArn: `arn:aws:iam::${ACCOUNT}:role/postfleet/none` }],
  ])('refuses %s with AWS’s AccessDenied', async (_what, change) => {
    const { name, status, message } = await refusal(fleet.assume(change));
    expect({ name, status }).toEqual({ name: 'AccessDenied', status: 403 });
    expect(message).toContain(
      `User: arn:aws:iam::${HUB}:user/postfleet-hub is not authorized to perform: sts:AssumeRole on resource:`,
    );
  });

  it('refuses a principal that the role does not trust', async () => {
    const input = { RoleArn: ROLE, RoleSessionName: 'pf-test', ExternalId: EXTERNAL_ID };
    await expect(refusal(fleet.sts(OWNER).send(new AssumeRoleCommand(input)))).resolves.toMatchObject({
      name: 'AccessDenied',
    });
  });

  it.each([
    ['below 15 minutes', { DurationSeconds: 899 }, 'ValidationError'],
    ['above the role’s own maximum', { DurationSeconds: 7201 }, 'ValidationError'],
    ['a session policy that is no policy', { Policy: '{"Statement":"x"}' }, 'MalformedPolicyDocument'],
    ['a session policy over 2,048 characters', { Policy: ' '.repeat(2049) }, 'ValidationError'],
  ])('refuses a request with %s', async (_what, change, name) => {
    const found = await refusal(fleet.assume(change));
    expect(found.name.replace('Exception', '')).toBe(name);
    expect(found.status).toBe(400);
  });

  it.each([
    ['sts', 'InvalidClientTokenId'],
    ['ses', 'UnrecognizedClientException'],
  ])('refuses an unknown key at %s as %s', async (service, name) => {
    const nobody = { accessKeyId: 'AKIANOBODY0000000001', secretAccessKey: 'x' };
    const call =
      service === 'sts'
        ? fleet.sts(nobody).send(new GetCallerIdentityCommand({}))
        : fleet.ses(nobody).send(new GetAccountCommand({}));
    await expect(refusal(call)).resolves.toMatchObject({ name, status: 403 });
  });

  it('refuses a wrong secret, at every service', async () => {
    const forged = { ...HUB_USER, secretAccessKey: 'wrong' };
    await expect(refusal(fleet.sts(forged).send(new GetCallerIdentityCommand({})))).resolves.toMatchObject({
      name: 'SignatureDoesNotMatch',
      status: 403,
    });
    await expect(
      refusal(fleet.ses({ ...OWNER, secretAccessKey: 'wrong' }).send(new GetAccountCommand({}))),
    ).resolves.toMatchObject({ name: 'InvalidSignatureException', status: 403 });
  });

  it('refuses a session whose token is missing or another', async () => {
    const { accessKeyId, secretAccessKey } = await fleet.assume();
    for (const sessionToken of [undefined, 'forged']) {
      const credentials = { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) };
      await expect(refusal(fleet.ses(credentials).send(new GetAccountCommand({})))).resolves.toMatchObject({
        name: 'UnrecognizedClientException',
      });
    }
  });

  it('refuses unsigned requests and requests changed after signing', async () => {
    const unsigned = await fetch(`${fleet.simulator.endpoint}/v2/email/account`);
    expect([unsigned.status, unsigned.headers.get('x-amzn-errortype')]).toEqual([
      403,
      'MissingAuthenticationTokenException',
    ]);
    const tampered = fleet.ses();
    tampered.middlewareStack.add(
      (next) => (args) => {
        const request = args.request as { body: Uint8Array };
        const text = new TextDecoder().decode(request.body);
        request.body = new TextEncoder().encode(text.replace('ann@example.com', 'eve@example.com'));
        return next(args);
      },
      { step: 'finalizeRequest', priority: 'low' },
    );
    await expect(refusal(tampered.send(mailTo('ann@example.com')))).resolves.toMatchObject({
      name: 'InvalidSignatureException',
    });
  });

  it('intersects the role with the session policy: From, identity and configuration set', async () => {
    const policy = (FromAddress: string, resource = 'identity/tenant.example'): string =>
      JSON.stringify({
        Version: '2012-10-17',
        Statement: [
          {
            Effect: 'Allow',
            Action: ['ses:SendEmail', 'ses:SendRawEmail'],
            Resource: [`arn:aws:ses:us-east-1:${ACCOUNT}:${resource}`],
            Condition: { StringLike: { 'ses:FromAddress': FromAddress } },
          },
        ],
      });
    const allowed = fleet.ses(await fleet.assume({ Policy: policy('*@tenant.example') }));
    await expect(allowed.send(mailTo('bob@example.com'))).resolves.toMatchObject({
      MessageId: expect.any(String) as string,
    });
    const other = fleet.ses(await fleet.assume({ Policy: policy('*@other.example') }));
    const { name, status, message } = await refusal(other.send(mailTo('bob@example.com')));
    expect({ name, status }).toEqual({ name: 'AccessDeniedException', status: 403 });
    expect(message).toContain('because no session policy allows the ses:SendEmail action');
    const elsewhere = fleet.ses(await fleet.assume({ Policy: policy('*@tenant.example', 'identity/other.example') }));
    await expect(refusal(elsewhere.send(mailTo('bob@example.com')))).resolves.toMatchObject({
      name: 'AccessDeniedException',
    });
    await expect(
      refusal(allowed.send(mailTo('bob@example.com', { ConfigurationSetName: 'pf-none' }))),
    ).resolves.toMatchObject({ name: 'AccessDeniedException' });
    await expect(refusal(allowed.send(new GetAccountCommand({})))).resolves.toMatchObject({
      name: 'AccessDeniedException',
    });
  });

  it('asks for SendRawEmail when the content is Raw', async () => {
    const policy = JSON.stringify({
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Action: 'ses:SendEmail', Resource: '*' }],
    });
    const ses = fleet.ses(await fleet.assume({ Policy: policy }));
    const raw = Buffer.from('From: ann@tenant.example\r\nTo: bob@example.com\r\nSubject: Hi\r\n\r\nHi.');
    const { name, message } = await refusal(ses.send(mailTo('bob@example.com', { Content: { Raw: { Data: raw } } })));
    expect(name).toBe('AccessDeniedException');
    expect(message).toContain('ses:SendRawEmail');
  });
});

describe('credentials of the simulator', () => {
  it('expire in real time, with the name each service uses', async () => {
    const clock = new ManualClock(realTime.nowMs());
    const fleet = await SimulatedFleet.start({ clock });
    const session = await fleet.assume({ DurationSeconds: 900 });
    clock.advance(901_000);
    const late = (client: { config: { systemClockOffset: number } }): void => {
      client.config.systemClockOffset = 901_000;
    };
    const ses = fleet.ses(session);
    const sts = fleet.sts(session);
    late(ses);
    late(sts);
    await expect(refusal(ses.send(new GetAccountCommand({})))).resolves.toMatchObject({
      name: 'ExpiredTokenException',
      status: 403,
    });
    await expect(refusal(sts.send(new GetCallerIdentityCommand({})))).resolves.toMatchObject({
      name: expect.stringMatching(/^ExpiredToken/) as string,
      status: 403,
    });
    const behind = fleet.ses(OWNER);
    behind.config.systemClockOffset = 0;
    await expect(refusal(behind.send(new GetAccountCommand({})))).resolves.toMatchObject({
      name: 'InvalidSignatureException',
    });
    await fleet.close();
  });
});
