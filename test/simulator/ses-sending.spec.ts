import {
  CreateConfigurationSetCommand,
  CreateEmailTemplateCommand,
  GetAccountCommand,
  PutAccountSendingAttributesCommand,
  PutConfigurationSetSendingOptionsCommand,
  SendBulkEmailCommand,
} from '@aws-sdk/client-sesv2';
import { ManualClock } from '@libs/kernel';
import { ACCOUNT, mailTo, refusal, REGION, SimulatedFleet, realTime } from './simulated-fleet';

const TEXT = { Subject: { Data: 'Hi' }, Body: { Text: { Data: 'Hi' } } };
const BYTES = Buffer.from('bytes');
const ACCEPTED = { MessageId: expect.stringMatching(/^0100[0-9a-f]{12}-[0-9a-f-]{36}-000000$/) as string };

describe('sending through the simulator', () => {
  let fleet: SimulatedFleet;
  beforeAll(async () => {
    fleet = await SimulatedFleet.start();
    await fleet.verifiedDomain();
    await fleet.ses().send(new CreateConfigurationSetCommand({ ConfigurationSetName: 'pf-plain' }));
  });
  afterAll(() => fleet.close());

  it('accepts Simple, Raw and Template content', async () => {
    const ses = fleet.ses();
    const raw = Buffer.from('From: Ann <ann@tenant.example>\r\nTo: bob@example.com\r\nSubject: Hi\r\n\r\nHi.');
    await ses.send(
      new CreateEmailTemplateCommand({ TemplateName: 'hi', TemplateContent: { Subject: 'Hi {{name}}', Text: 'Hi' } }),
    );
    await expect(ses.send(mailTo('bob@example.com'))).resolves.toMatchObject(ACCEPTED);
    await expect(
      ses.send(mailTo([], { FromEmailAddress: undefined, Content: { Raw: { Data: raw } } })),
    ).resolves.toMatchObject(ACCEPTED);
    const stored = { TemplateName: 'hi', TemplateData: '{"name":"Bob"}' };
    await expect(ses.send(mailTo('bob@example.com', { Content: { Template: stored } }))).resolves.toMatchObject(
      ACCEPTED,
    );
    const inline = { TemplateContent: { Subject: 'Hi', Text: 'Hi' }, TemplateData: '{}' };
    await expect(ses.send(mailTo('bob@example.com', { Content: { Template: inline } }))).resolves.toMatchObject(
      ACCEPTED,
    );
  });

  it('accepts a From below a verified domain, and logs what it accepted', async () => {
    const { MessageId: messageId } = await fleet.ses().send(
      mailTo(['bob@example.com', 'Eve <eve@example.com>'], {
        FromEmailAddress: 'news@mail.tenant.example',
        ConfigurationSetName: 'pf-plain',
        EmailTags: [{ Name: 'message', Value: 'm-1' }],
      }),
    );
    const { arrivals } = await fleet.admin.arrivals(0, 10_000);
    expect(arrivals.find((one) => one.messageId === messageId)).toMatchObject({
      account: ACCOUNT,
      region: REGION,
      operation: 'SendEmail',
      verdict: 'accepted',
      recipients: ['bob@example.com', 'eve@example.com'],
      nRecipients: 2,
      tags: { message: 'm-1' },
      configurationSet: 'pf-plain',
      pool: 'ses-shared-pool',
      from: 'news@mail.tenant.example',
    });
  });

  it.each([
    [
      'an unverified From',
      { FromEmailAddress: 'ann@stranger.example' },
      'MessageRejected',
      'Email address is not verified. The following identities failed the check in region US-EAST-1: ann@stranger.example',
    ],
    [
      '51 recipients',
      { Destination: { ToAddresses: Array.from({ length: 51 }, (_, i) => `r${i}@example.com`) } },
      'BadRequestException',
      'Recipient count exceeds 50.',
    ],
    ['no recipient', { Destination: {} }, 'BadRequestException', "Missing required header 'To'."],
    [
      'a malformed address',
      { Destination: { ToAddresses: ['nobody'] } },
      'BadRequestException',
      "Missing final '@domain'",
    ],
    [
      'a header in an address',
      { Destination: { ToAddresses: ['a@example.com\r\nBcc: b@example.com'] } },
      'BadRequestException',
      'control',
    ],
    [
      'a tag value SES does not allow',
      { EmailTags: [{ Name: 'm', Value: 'a b' }] },
      'BadRequestException',
      'Invalid tag value',
    ],
    [
      'a tag name SES does not allow',
      { EmailTags: [{ Name: 'm.n', Value: 'a' }] },
      'BadRequestException',
      'Invalid tag name',
    ],
    [
      'a header without a value',
      { Content: { Simple: { ...TEXT, Headers: [{ Name: 'X-A', Value: '' }] } } },
      'BadRequestException',
      'Invalid value of header <X-A>',
    ],
    [
      'an attachment whose content id is too long',
      {
        Content: {
          Simple: { ...TEXT, Attachments: [{ FileName: 'a.png', RawContent: BYTES, ContentId: 'x'.repeat(79) }] },
        },
      },
      'BadRequestException',
      'Invalid ContentId of an attachment',
    ],
    [
      'a configuration set that does not exist',
      { ConfigurationSetName: 'pf-none' },
      'NotFoundException',
      'Configuration set <pf-none> does not exist.',
    ],
  ])('refuses %s with the name and words of SES', async (_what, change, name, words) => {
    const found = await refusal(fleet.ses().send(mailTo('bob@example.com', change)));
    expect(found).toMatchObject({ name, status: name === 'NotFoundException' ? 404 : 400 });
    expect(found.message).toContain(words);
    const log = await fleet.admin.arrivals((await fleet.admin.arrivals()).total - 1);
    expect(log.arrivals[0]).toMatchObject({ operation: 'SendEmail', verdict: name });
  });

  it('refuses a message over 40 MB', async () => {
    const attachment = { FileName: 'a.bin', RawContent: Buffer.alloc(31_500_000) };
    const content = { Simple: { Subject: { Data: 'x' }, Body: { Text: { Data: 'x' } }, Attachments: [attachment] } };
    const found = await refusal(fleet.ses().send(mailTo('bob@example.com', { Content: content })));
    expect(found.message).toContain('Message length is more than 41943040 bytes long');
  });

  it('refuses while the account or its configuration set is paused, and when it is suspended', async () => {
    const ses = fleet.ses();
    const viaSet = mailTo('bob@example.com', { ConfigurationSetName: 'pf-plain' });
    const pauseSet = (SendingEnabled: boolean): Promise<unknown> =>
      ses.send(new PutConfigurationSetSendingOptionsCommand({ ConfigurationSetName: 'pf-plain', SendingEnabled }));
    await pauseSet(false);
    await expect(refusal(ses.send(viaSet))).resolves.toMatchObject({ name: 'SendingPausedException', status: 400 });
    await pauseSet(true);
    await ses.send(new PutAccountSendingAttributesCommand({ SendingEnabled: false }));
    await expect(refusal(ses.send(viaSet))).resolves.toMatchObject({ name: 'SendingPausedException', status: 400 });
    await ses.send(new PutAccountSendingAttributesCommand({ SendingEnabled: true }));
    await fleet.admin.putAccount(ACCOUNT, { regions: { [REGION]: { enforcementStatus: 'SHUTDOWN' } } });
    await expect(refusal(ses.send(viaSet))).resolves.toMatchObject({ name: 'SendingPausedException' });
    await expect(
      refusal(ses.send(new PutAccountSendingAttributesCommand({ SendingEnabled: true }))),
    ).resolves.toMatchObject({ status: 400 });
    await fleet.admin.putAccount(ACCOUNT, { regions: { [REGION]: { enforcementStatus: 'HEALTHY', suspended: true } } });
    await expect(refusal(ses.send(viaSet))).resolves.toMatchObject({ name: 'AccountSuspendedException', status: 400 });
    await fleet.admin.putAccount(ACCOUNT, { regions: { [REGION]: { suspended: false } } });
    await expect(ses.send(viaSet)).resolves.toMatchObject(ACCEPTED);
  });

  it('answers an operation it does not know at once, as AWS does', async () => {
    const { name, status } = await refusal(
      fleet
        .ses()
        .send(mailTo('bob@example.com'))
        .then(async () => {
          const { ListContactListsCommand } = await import('@aws-sdk/client-sesv2');
          return fleet.ses().send(new ListContactListsCommand({}));
        }),
    );
    expect({ name, status }).toEqual({ name: 'UnknownOperationException', status: 404 });
  });

  it.each([
    ['iam', { 'content-type': 'application/x-www-form-urlencoded' }, 400, '<Code>InvalidAction</Code>'],
    ['dynamodb', { 'x-amz-target': 'DynamoDB_20120810.ListTables' }, 400, '"__type":"UnknownOperationException"'],
  ])('refuses the service %s in the protocol its clients speak', async (service, headers, status, text) => {
    const authorization = `AWS4-HMAC-SHA256 Credential=AKIA/20260101/us-east-1/${service}/aws4_request, SignedHeaders=host, Signature=${'0'.repeat(64)}`;
    const answer = await fetch(fleet.simulator.endpoint, {
      method: 'POST',
      headers: { ...headers, authorization },
      body: 'Action=ListUsers&Version=2010-05-08',
    });
    expect(answer.status).toBe(status);
    expect(await answer.text()).toContain(text);
  });

  it('logs a SendBulkEmail that it refuses as a whole', async () => {
    const entries = Array.from({ length: 51 }, (_, i) => ({ Destination: { ToAddresses: [`r${i}@example.com`] } }));
    const bulk = new SendBulkEmailCommand({
      FromEmailAddress: 'ann@tenant.example',
      DefaultContent: { Template: { TemplateName: 'bulk', TemplateData: '{}' } },
      BulkEmailEntries: entries,
    });
    await expect(refusal(fleet.ses().send(bulk))).resolves.toMatchObject({ name: 'BadRequestException' });
    const { arrivals } = await fleet.admin.arrivals(0, 10_000);
    expect(arrivals.at(-1)).toMatchObject({ operation: 'SendBulkEmail', verdict: 'BadRequestException' });
  });

  it('reports SendBulkEmail per entry with the names of its enum', async () => {
    const ses = fleet.ses();
    await ses.send(
      new CreateEmailTemplateCommand({ TemplateName: 'bulk', TemplateContent: { Subject: 'Hi', Text: 'Hi' } }),
    );
    const bulk = (
      TemplateName: string,
    ): Promise<{ BulkEmailEntryResults?: { Status?: string | undefined }[] | undefined }> =>
      ses.send(
        new SendBulkEmailCommand({
          FromEmailAddress: 'ann@tenant.example',
          DefaultContent: { Template: { TemplateName, TemplateData: '{}' } },
          BulkEmailEntries: [
            { Destination: { ToAddresses: ['a@example.com'] } },
            { Destination: { ToAddresses: ['nobody'] } },
          ],
        }),
      );
    expect((await bulk('bulk')).BulkEmailEntryResults?.map((one) => one.Status)).toEqual([
      'SUCCESS',
      'INVALID_PARAMETER',
    ]);
    expect((await bulk('none')).BulkEmailEntryResults?.map((one) => one.Status)).toEqual([
      'TEMPLATE_NOT_FOUND',
      'INVALID_PARAMETER',
    ]);
  });

  it('renders the template of each entry with its own data, and tells the name that has none by an event', async () => {
    const entry = (address: string, data?: object) => ({
      Destination: { ToAddresses: [address] },
      ReplacementEmailContent: data && { ReplacementTemplate: { ReplacementTemplateData: JSON.stringify(data) } },
    });
    const { BulkEmailEntryResults: results = [] } = await fleet.ses().send(
      new SendBulkEmailCommand({
        FromEmailAddress: 'ann@tenant.example',
        DefaultContent: {
          Template: {
            TemplateContent: { Subject: 'Hi {{{name}}}', Html: '<p>{{name}}</p>{{{html}}}' },
            TemplateData: '{"name":"all","html":"<hr>"}',
          },
        },
        BulkEmailEntries: [
          entry('a@example.com'),
          entry('b@example.com', { name: 'R&D', html: '{{name}}' }),
          entry('c@example.com', { name: 'nobody' }),
        ],
      }),
    );
    expect(results.map(({ Status }) => Status)).toEqual(['SUCCESS', 'SUCCESS', 'SUCCESS']);
    const [first, second, third] = results.map(({ MessageId: id = '' }) => fleet.admin.mail(id));
    expect(await first).toEqual({ subject: 'Hi all', html: '<p>all</p><hr>' });
    expect(await second).toEqual({ subject: 'Hi R&D', html: '<p>R&amp;D</p>{{name}}' });
    await expect(third).rejects.toThrow('404');
  });

  it.each([
    ['a template that does more than put data in', { Subject: 'Hi', Text: '{{#if x}}y{{/if}}' }, {}],
    ['more than 1 MB around its template', { Subject: 'Hi', Text: '{{{x}}}' }, { x: 'x'.repeat(200_000) }],
  ])('refuses SendBulkEmail with %s as a whole', async (_, TemplateContent, data) => {
    const own = { ReplacementTemplate: { ReplacementTemplateData: JSON.stringify(data) } };
    const bulk = new SendBulkEmailCommand({
      FromEmailAddress: 'ann@tenant.example',
      DefaultContent: { Template: { TemplateContent, TemplateData: '{"x":""}' } },
      BulkEmailEntries: Array.from({ length: 6 }, (_entry, i) => ({
        Destination: { ToAddresses: [`r${i}@example.com`] },
        ReplacementEmailContent: own,
      })),
    });
    await expect(refusal(fleet.ses().send(bulk))).resolves.toMatchObject({ name: 'BadRequestException', status: 400 });
  });

  it('refuses some entries of SendBulkEmail and sends the others when asked to fail so', async () => {
    await fleet.admin.addFault({ operation: 'SendBulkEmail', kind: '429-entries', count: 1 });
    const { BulkEmailEntryResults: results = [] } = await fleet.ses().send(
      new SendBulkEmailCommand({
        FromEmailAddress: 'ann@tenant.example',
        DefaultContent: { Template: { TemplateContent: { Subject: 'Hi', Text: 'Hi' }, TemplateData: '{}' } },
        BulkEmailEntries: ['a', 'b', 'c'].map((name) => ({ Destination: { ToAddresses: [`${name}@example.com`] } })),
      }),
    );
    expect(results.map(({ Status }) => Status)).toEqual(['ACCOUNT_THROTTLED', 'SUCCESS', 'ACCOUNT_THROTTLED']);
    const { arrivals } = await fleet.admin.arrivals(0, 10_000);
    const rows = arrivals.slice(-3).map(({ verdict, injected }) => [verdict, injected]);
    const throttled = ['TooManyRequestsException', '429-entries'];
    expect(rows).toEqual([throttled, ['accepted', undefined], throttled]);
  });

  it('gives an entry of SendBulkEmail its own headers, in place of those of the template', async () => {
    const bulk = (shared: string, own: string) =>
      fleet.ses().send(
        new SendBulkEmailCommand({
          FromEmailAddress: 'ann@tenant.example',
          DefaultContent: {
            Template: {
              TemplateContent: { Subject: 'Hi', Text: 'Hi' },
              TemplateData: '{}',
              Headers: [{ Name: 'X-Campaign', Value: shared }],
            },
          },
          BulkEmailEntries: [
            { Destination: { ToAddresses: ['a@example.com'] } },
            {
              Destination: { ToAddresses: ['b@example.com'] },
              ReplacementHeaders: [{ Name: 'x-campaign', Value: own }],
            },
          ],
        }),
      );
    const statuses = async (shared: string, own: string) =>
      (await bulk(shared, own)).BulkEmailEntryResults?.map((one) => one.Status);
    expect(await statuses('one', 'two\r\nthree')).toEqual(['SUCCESS', 'INVALID_PARAMETER']);
    expect(await statuses('one\r\nthree', 'two')).toEqual(['INVALID_PARAMETER', 'SUCCESS']);
  });
});

describe('limits of one account and region', () => {
  let fleet: SimulatedFleet;
  let clock: ManualClock;
  beforeEach(async () => {
    clock = new ManualClock(realTime.nowMs());
    fleet = await SimulatedFleet.start({ clock });
    await fleet.verifiedDomain();
  });
  afterEach(() => fleet.close());

  const limit = (region: object): Promise<unknown> =>
    fleet.admin.putAccount(ACCOUNT, { regions: { [REGION]: region } });
  const many = (n: number): string[] => Array.from({ length: n }, (_, i) => `r${i}@example.com`);

  it('counts recipients over a rolling 24 hours and refuses the one too many', async () => {
    await limit({ max24HourSend: 10 });
    const ses = fleet.ses();
    await ses.send(mailTo(many(6)));
    await fleet.admin.moveClock({ advanceMs: 3_600_000 });
    await expect(refusal(ses.send(mailTo(many(5))))).resolves.toEqual({
      name: 'TooManyRequestsException',
      status: 429,
      message: 'Daily message quota exceeded.',
    });
    await ses.send(mailTo(many(4)));
    await expect(refusal(ses.send(mailTo('one@example.com')))).resolves.toMatchObject({
      message: 'Daily message quota exceeded.',
    });
    await expect(ses.send(new GetAccountCommand({}))).resolves.toMatchObject({
      SendQuota: { Max24HourSend: 10, SentLast24Hours: 10 },
    });
    await fleet.admin.moveClock({ advanceMs: 23 * 3_600_000 });
    await expect(ses.send(mailTo(many(6)))).resolves.toMatchObject(ACCEPTED);
    const [meter] = (await fleet.admin.meters()).map((one) => one.meter);
    expect(meter).toMatchObject({ overQuota: 2, overRate: 0, acceptedRecipients: 16, offeredRecipients: 22 });
    expect(meter?.worstDayAccepted).toMatchObject({ recipients: 10, limit: 10 });
    expect(meter?.refused).toEqual({ TooManyRequestsException: 2 });
  });

  it('admits while a token is left and lets further recipients go into debt', async () => {
    await limit({ max24HourSend: 1000, maxSendRate: 2 });
    const ses = fleet.ses();
    await ses.send(mailTo(many(4)));
    await expect(refusal(ses.send(mailTo('one@example.com')))).resolves.toEqual({
      name: 'TooManyRequestsException',
      status: 429,
      message: 'Maximum sending rate exceeded.',
    });
    clock.advance(1499);
    await expect(refusal(ses.send(mailTo('one@example.com')))).resolves.toMatchObject({
      message: 'Maximum sending rate exceeded.',
    });
    clock.advance(1);
    await expect(ses.send(mailTo('one@example.com'))).resolves.toMatchObject(ACCEPTED);
    const [reading] = await fleet.admin.meters();
    expect(reading?.meter).toMatchObject({ overRate: 2, overQuota: 0 });
  });

  it('knows no quota of -1, and none for mailbox simulator addresses, which are rate limited all the same', async () => {
    await limit({ max24HourSend: 0, maxSendRate: 1 });
    const ses = fleet.ses();
    await ses.send(mailTo('success+label@simulator.amazonses.com'));
    await expect(refusal(ses.send(mailTo('delivered@postfleet.test')))).resolves.toMatchObject({
      message: 'Maximum sending rate exceeded.',
    });
    await expect(ses.send(new GetAccountCommand({}))).resolves.toMatchObject({ SendQuota: { SentLast24Hours: 0 } });
    await limit({ max24HourSend: -1, maxSendRate: 1000 });
    clock.advance(1000);
    await expect(ses.send(mailTo('one@example.com'))).resolves.toMatchObject(ACCEPTED);
    expect((await fleet.admin.meters())[0]?.meter).toMatchObject({ overQuota: 0, acceptedSimulatorRecipients: 1 });
  });

  it('lets a sandbox send to verified recipients and the mailbox simulator only', async () => {
    await limit({ productionAccess: false });
    const ses = fleet.ses();
    const found = await refusal(ses.send(mailTo(['bob@example.com', 'own@tenant.example'])));
    expect(found).toMatchObject({ name: 'MessageRejected' });
    expect(found.message).toMatch(/region US-EAST-1: bob@example\.com$/);
    const both = await refusal(ses.send(mailTo(['bob@example.com'], { FromEmailAddress: 'ann@stranger.example' })));
    expect(both.message).toMatch(/region US-EAST-1: ann@stranger\.example, bob@example\.com$/);
    await expect(ses.send(mailTo(['own@tenant.example', 'bounce@simulator.amazonses.com']))).resolves.toMatchObject(
      ACCEPTED,
    );
  });

  it('gives an account region that nobody set up the limits of the sandbox', async () => {
    await expect(fleet.ses(undefined, 'eu-west-1').send(new GetAccountCommand({}))).resolves.toMatchObject({
      ProductionAccessEnabled: false,
      SendingEnabled: true,
      EnforcementStatus: 'HEALTHY',
      SendQuota: { Max24HourSend: 200, MaxSendRate: 1, SentLast24Hours: 0 },
    });
  });

  it('throttles the throttled@ test address twice, counted apart, then delivers', async () => {
    const ses = fleet.ses();
    const send = (): Promise<unknown> => ses.send(mailTo('throttled+a@postfleet.test'));
    await expect(refusal(send())).resolves.toMatchObject({ message: 'Maximum sending rate exceeded.', status: 429 });
    await expect(refusal(send())).resolves.toMatchObject({ message: 'Maximum sending rate exceeded.' });
    await expect(send()).resolves.toMatchObject(ACCEPTED);
    expect((await fleet.admin.meters())[0]?.meter).toMatchObject({
      overRate: 0,
      refused: {},
      injected: { TooManyRequestsException: 2 },
      acceptedRequests: 1,
    });
  });
});
