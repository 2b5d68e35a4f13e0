import { startApi, type Answer, type ApiUnderTest } from './api-under-test';
import { givenFleet, type GivenFleet, type GivenTenant } from './given';

interface Problem {
  readonly code: string;
  readonly path: readonly string[] | null;
  readonly message: string;
  readonly docsUrl: string;
}

let api: ApiUnderTest;
let fleet: GivenFleet;
let acme: GivenTenant;
let other: GivenTenant;
let keys = 0;

beforeAll(async () => {
  api = await startApi({ publicUrl: 'https://mail.example.com/' });
  fleet = await givenFleet(api);
  acme = await fleet.tenant('Acme', 'acme.example');
  other = await fleet.tenant('Other', 'other.example');
});
afterAll(() => api.close());

const SEND = `mutation ($input: SendEmailInput!) { sendEmail(input: $input) {
  message { id state } replayed userErrors { code message path docsUrl retryAt } } }`;
const SEND_MANY = `mutation ($input: SendEmailsInput!) { sendEmails(input: $input) {
  results { index message { id } userErrors { code path message docsUrl } } replayed userErrors { code message path docsUrl } } }`;

const goodEmail = (change: object = {}) => ({
  from: { email: 'hi@acme.example', name: 'Acme' },
  to: [{ email: 'ann@example.com' }],
  content: { inline: { subject: 'Hello', text: 'Hello' } },
  ...change,
});
const nextKey = () => `key-${(keys += 1)}`;
const send = (change: object, more: object = {}) =>
  api.customer(acme.liveKey, SEND, { input: { idempotencyKey: nextKey(), email: goodEmail(change), ...more } });

function payload<T>(answer: Answer, field: string): T {
  if (!answer.data) throw new Error(`no data: ${answer.text}`);
  return (answer.data as unknown as Record<string, T>)[field] as T;
}

const problemsOf = (answer: Answer, field = 'sendEmail') =>
  payload<{ userErrors: Problem[] }>(answer, field).userErrors;
const messages = async () => Number((await api.sql<{ n: string }>('SELECT count(*)::text AS n FROM message'))[0]?.n);

/** Every refused value has a twin that differs in that value alone and is accepted: see the first test. */
const REFUSED: readonly (readonly [string, object, string, string])[] = [
  ['an unverified From domain', { from: { email: 'hi@elsewhere.example' } }, 'DOMAIN_NOT_VERIFIED', 'input.email.from'],
  ["another tenant's From domain", { from: { email: 'hi@other.example' } }, 'DOMAIN_NOT_VERIFIED', 'input.email.from'],
  ['a malformed recipient', { to: [{ email: 'ann@' }] }, 'INVALID_INPUT', 'input.email.to.0.email'],
  [
    'a recipient with a display name inside',
    { to: [{ email: 'Ann <ann@example.com>' }] },
    'INVALID_INPUT',
    'input.email.to.0.email',
  ],
  [
    'a recipient that injects a header',
    { to: [{ email: 'ann@example.com\r\nBcc: x@example.com' }] },
    'INVALID_INPUT',
    'input.email.to.0.email',
  ],
  [
    'a malformed copy',
    { cc: [{ email: 'ok@example.com' }, { email: 'a b@example.com' }] },
    'INVALID_INPUT',
    'input.email.cc.1.email',
  ],
  ['a malformed sender', { from: { email: 'nobody' } }, 'INVALID_INPUT', 'input.email.from.email'],
  [
    'a display name that injects a header',
    { from: { email: 'hi@acme.example', name: 'Acme\r\nBcc: x@example.com' } },
    'INVALID_INPUT',
    'input.email.from.name',
  ],
  [
    'a subject that injects a header',
    { content: { inline: { subject: 'Hi\r\nBcc: x@example.com', text: 'x' } } },
    'INVALID_INPUT',
    'input.email.content.inline.subject',
  ],
  [
    'an empty subject',
    { content: { inline: { subject: '', text: 'x' } } },
    'INVALID_INPUT',
    'input.email.content.inline.subject',
  ],
  ['empty content', { content: { inline: { subject: 'Hi' } } }, 'INVALID_INPUT', 'input.email.content.inline'],
  [
    '51 recipients',
    { to: Array.from({ length: 51 }, (_, i) => ({ email: `r${i}@example.com` })) },
    'TOO_MANY_RECIPIENTS',
    'input.email.to',
  ],
  ['no recipient', { to: [] }, 'INVALID_INPUT', 'input.email.to'],
  [
    'a message over the size limit',
    {
      content: {
        raw: {
          mime: `From: hi@acme.example\r\nTo: ann@example.com\r\nSubject: Hi\r\n\r\n${'x'.repeat(76).concat('\r\n').repeat(140_000)}`,
        },
      },
    },
    'MESSAGE_TOO_LARGE',
    'input.email.content',
  ],
  [
    'attachments over 1 MB',
    { attachments: [{ filename: 'a.txt', source: { base64: Buffer.alloc(1_200_000, 'a').toString('base64') } }] },
    'ATTACHMENT_TOO_LARGE',
    'input.email.attachments',
  ],
  [
    'an attachment that is not base64',
    { attachments: [{ filename: 'a.txt', source: { base64: '***' } }] },
    'INVALID_INPUT',
    'input.email.attachments.0.source.base64',
  ],
  ['a stream the plan does not have', { stream: 'MARKETING' }, 'FORBIDDEN_BY_PLAN', 'input.email.stream'],
  [
    'a reserved header',
    { headers: [{ name: 'X-SES-CONFIGURATION-SET', value: 'x' }] },
    'INVALID_INPUT',
    'input.email.headers.0.name',
  ],
  [
    'a header that injects another',
    { headers: [{ name: 'X-Note', value: 'a\r\nBcc: x@example.com' }] },
    'INVALID_INPUT',
    'input.email.headers.0.value',
  ],
  ['a reserved tag', { tags: [{ name: 'attempt', value: 'x' }] }, 'INVALID_INPUT', 'input.email.tags.0.name'],
  ['a region that is none', { region: 'the moon' }, 'INVALID_INPUT', 'input.email.region'],
];

describe('sendEmail', () => {
  it('accepts what is right, from the domain, from below it, in live and in test mode', async () => {
    for (const key of [acme.liveKey, acme.testKey]) {
      for (const email of ['hi@acme.example', 'hi@news.acme.example']) {
        const input = { idempotencyKey: nextKey(), email: goodEmail({ from: { email } }) };
        const answer = await api.customer(key, SEND, { input });
        expect(payload<object>(answer, 'sendEmail')).toMatchObject({
          message: { state: 'QUEUED' },
          replayed: false,
          userErrors: [],
        });
      }
    }
  });

  it.each(REFUSED)('refuses %s, naming the field, and keeps nothing', async (_what, change, code, path) => {
    const before = await messages();
    const answer = await send(change);
    expect(answer.status).toBe(200);
    expect(payload<{ message: unknown }>(answer, 'sendEmail').message).toBeNull();
    const problem = problemsOf(answer).find((one) => one.code === code);
    expect(problem?.path?.join('.').startsWith(path)).toBe(true);
    expect(problem?.docsUrl).toBe(`https://mail.example.com/docs/errors/${code}`);
    expect(problem?.message.length).toBeGreaterThan(10);
    expect(await messages()).toBe(before);
  });

  it('lists everything that is wrong at once', async () => {
    const answer = await send({
      to: [{ email: 'a@' }, { email: 'b@' }],
      content: { inline: { subject: 'x\ny', text: 'x' } },
      tags: [{ name: 'a b', value: '' }],
    });
    const paths = problemsOf(answer).map((problem) => problem.path?.join('.'));
    for (const path of [
      'input.email.to.0.email',
      'input.email.to.1.email',
      'input.email.content.inline.subject',
      'input.email.tags.0.name',
    ]) {
      expect(paths).toContain(path);
    }
  });

  it.each([
    ['an unknown stream', { stream: 'BULK' }, 'input.email.stream'],
    ['a number for an address', { to: [{ email: 5 }] }, 'input.email.to.0.email'],
    ['a time that is none', { scheduledAt: 'tomorrow' }, 'input.email.scheduledAt'],
    ['a field that does not exist', { subjet: 'Hi' }, 'input.email.subjet'],
    ['a missing field', { from: undefined }, 'input.email.from'],
    [
      'two kinds of content',
      { content: { inline: { subject: 'Hi', text: 'x' }, raw: { mime: 'x' } } },
      'input.email.content',
    ],
    ['no kind of content', { content: {} }, 'input.email.content'],
  ])('refuses %s before it runs, naming variable and field', async (_what, change, field) => {
    const answer = await send(change);
    expect(answer.status).toBe(400);
    expect(answer.errors[0]?.extensions).toMatchObject({
      code: 'INVALID_INPUT',
      variable: 'input',
      field,
      requestId: answer.headers.get('request-id'),
    });
    expect(answer.text).not.toContain('Did you mean');
  });

  it('answers the first result again for the same key and body, and refuses another body', async () => {
    const input = { idempotencyKey: nextKey(), email: goodEmail() };
    const first = payload<{ message: { id: string } }>(await api.customer(acme.liveKey, SEND, { input }), 'sendEmail');
    const again = payload<object>(await api.customer(acme.liveKey, SEND, { input }), 'sendEmail');
    expect(again).toMatchObject({ message: { id: first.message.id }, replayed: true, userErrors: [] });
    const changed = await api.customer(acme.liveKey, SEND, {
      input: { ...input, email: goodEmail({ to: [{ email: 'bob@example.com' }] }) },
    });
    expect(problemsOf(changed)[0]).toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED', path: ['input', 'idempotencyKey'] });
    // Keys belong to a tenant: another one may use the same.
    const elsewhere = { ...input, email: goodEmail({ from: { email: 'hi@other.example' } }) };
    expect(problemsOf(await api.customer(other.liveKey, SEND, { input: elsewhere }))).toEqual([]);
  });

  it('takes the header Idempotency-Key as an alias and refuses two that differ', async () => {
    const input = { idempotencyKey: nextKey(), email: goodEmail() };
    const same = await api.customer(acme.liveKey, SEND, { input }, { 'idempotency-key': input.idempotencyKey });
    expect(problemsOf(same)).toEqual([]);
    const differs = await api.customer(acme.liveKey, SEND, { input }, { 'idempotency-key': 'another' });
    expect(problemsOf(differs)[0]).toMatchObject({ code: 'INVALID_INPUT', path: ['input', 'idempotencyKey'] });
  });

  it('writes nothing on a dry run and finds the same problems', async () => {
    const before = await messages();
    const good = payload<object>(await send({}, { dryRun: true }), 'sendEmail');
    expect(good).toMatchObject({ message: null, userErrors: [] });
    expect(problemsOf(await send({ to: [{ email: 'a@' }] }, { dryRun: true }))[0]?.code).toBe('INVALID_INPUT');
    expect(await messages()).toBe(before);
  });

  it('refuses a paused tenant and lets a resumed one go on', async () => {
    const change = (name: string, input: object) =>
      api.admin(
        fleet.operatorKey,
        `mutation ($input: ${name.charAt(0).toUpperCase()}${name.slice(1)}Input!) { ${name}(input: $input) { tenant { state } userErrors { code path } } }`,
        { input },
      );
    await change('pauseTenant', { tenantId: acme.id, reason: 'complaints above 0.3 %' });
    const refused = await send({});
    expect(problemsOf(refused)[0]).toMatchObject({ code: 'TENANT_PAUSED' });
    expect(problemsOf(refused)[0]?.message).toContain('complaints above 0.3 %');
    await change('resumeTenant', { tenantId: acme.id });
    expect(problemsOf(await send({}))).toEqual([]);
  });
});

describe('sendEmails', () => {
  it('refuses 1,001 messages as a whole and accepts 1,000', async () => {
    const batch = (count: number) => ({
      idempotencyKey: nextKey(),
      emails: Array.from({ length: count }, () => goodEmail()),
      dryRun: true,
    });
    const refused = await api.customer(acme.liveKey, SEND_MANY, { input: batch(1_001) });
    expect(payload<{ results: unknown[] }>(refused, 'sendEmails').results).toEqual([]);
    expect(problemsOf(refused, 'sendEmails')[0]).toMatchObject({ code: 'BATCH_TOO_LARGE', path: ['input', 'emails'] });
    expect(problemsOf(await api.customer(acme.liveKey, SEND_MANY, { input: batch(1_000) }), 'sendEmails')).toEqual([]);
    expect(problemsOf(await api.customer(acme.liveKey, SEND_MANY, { input: batch(0) }), 'sendEmails')[0]?.code).toBe(
      'INVALID_INPUT',
    );
  });

  it('accepts the valid entries and says of the others why not', async () => {
    const emails = [goodEmail(), goodEmail({ to: [{ email: 'a@' }] }), goodEmail()];
    const answer = await api.customer(acme.liveKey, SEND_MANY, { input: { idempotencyKey: nextKey(), emails } });
    const { results } = payload<{ results: { index: number; message: object | null; userErrors: Problem[] }[] }>(
      answer,
      'sendEmails',
    );
    expect(results.map((result) => result.message !== null)).toEqual([true, false, true]);
    expect(results[1]?.userErrors[0]?.path).toEqual(['input', 'emails', '1', 'to', '0', 'email']);
  });
});

describe('cancelMessages', () => {
  const CANCEL =
    'mutation ($input: CancelMessagesInput!) { cancelMessages(input: $input) { canceledCount userErrors { code path } } }';

  it('takes exactly one of ids and filter', async () => {
    for (const input of [{}, { ids: ['x'], filter: {} }]) {
      const answer = await api.customer(acme.liveKey, CANCEL, { input });
      expect([answer.status, answer.errors[0]?.extensions.code]).toEqual([400, 'INVALID_INPUT']);
    }
  });

  it('takes back what waits and names each id that it cannot', async () => {
    const { message } = payload<{ message: { id: string } }>(await send({}), 'sendEmail');
    const sent = payload<{ message: { id: string } }>(await send({}), 'sendEmail').message;
    await api.sql(`UPDATE message SET state = 'SENT' WHERE id = (SELECT id FROM message ORDER BY id DESC LIMIT 1)`);
    const answer = await api.customer(acme.liveKey, CANCEL, { input: { ids: [message.id, sent.id, 'msg_nothing'] } });
    expect(answer.data).toEqual({
      cancelMessages: {
        canceledCount: 1,
        userErrors: [
          { code: 'TOO_LATE_TO_CANCEL', path: ['input', 'ids', '1'] },
          { code: 'NOT_FOUND', path: ['input', 'ids', '2'] },
        ],
      },
    });
  });
});

describe('a condition that is empty, or that nothing can meet', () => {
  const CONDITIONS: readonly (readonly [object, string])[] = [
    [{ to: '' }, 'filter.to'],
    [{ state: [] }, 'filter.state'],
    [{ tag: { name: '', value: 'spring' } }, 'filter.tag.name'],
    [{ tag: { name: 'campaign', value: 'a\u0000' } }, 'filter.tag.value'],
    [{ tag: { name: 'campaign', value: '\ud800' } }, 'filter.tag.value'],
    [{ idempotencyKey: '' }, 'filter.idempotencyKey'],
    [{ idempotencyKey: 'a\u0000' }, 'filter.idempotencyKey'],
  ];

  it.each(CONDITIONS)('never takes back more than was meant: %j', async (condition, path) => {
    const { message } = payload<{ message: { id: string } }>(await send({}), 'sendEmail');
    const answer = await api.customer(
      acme.liveKey,
      'mutation ($input: CancelMessagesInput!) { cancelMessages(input: $input) { canceledCount userErrors { code path message docsUrl } } }',
      { input: { filter: { ...condition, stream: 'TRANSACTIONAL' } } },
    );
    expect(payload(answer, 'cancelMessages')).toMatchObject({
      canceledCount: 0,
      userErrors: [{ code: 'INVALID_INPUT', path: ['input', ...path.split('.')] }],
    });
    const state = await api.customer(acme.liveKey, 'query ($id: ID!) { message(id: $id) { state } }', message);
    expect(payload(state, 'message')).toEqual({ state: 'QUEUED' });
  });

  it.each([
    ...CONDITIONS.map(([filter, path]) => ['messages', 'MessageFilter', filter, path] as const),
    ['suppressions', 'SuppressionFilter', { address: '' }, 'filter.address'] as const,
    ['suppressions', 'SuppressionFilter', { address: 'a\u0000@example.com' }, 'filter.address'] as const,
    ['suppressions', 'SuppressionFilter', { reason: '' }, 'filter.reason'] as const,
    ['suppressions', 'SuppressionFilter', { reason: 'a\u0000' }, 'filter.reason'] as const,
  ])('is named instead of listing %s of %s %j', async (list, type, filter, path) => {
    const query = `query ($filter: ${type}) { ${list}(filter: $filter) { nodes { id } } }`;
    const answer = await api.customer(acme.liveKey, query, { filter });
    expect(answer.errors[0]?.extensions).toMatchObject({ code: 'INVALID_INPUT', field: path });
  });

  it.each(['', ' ', 'a\u0000', '\ud800'])('is no reason to suppress for either: %j', async (reason) => {
    const answer = await api.customer(
      acme.liveKey,
      'mutation ($input: SuppressRecipientsInput!) { suppressRecipients(input: $input) { added userErrors { code path } } }',
      { input: { addresses: ['ann@example.com'], reason } },
    );
    expect(payload(answer, 'suppressRecipients')).toEqual({
      added: 0,
      userErrors: [{ code: 'INVALID_INPUT', path: ['input', 'reason'] }],
    });
  });
});

describe('operators', () => {
  const run = (name: string, input: object, selection: string) =>
    api.admin(
      fleet.operatorKey,
      `mutation ($input: ${name.charAt(0).toUpperCase()}${name.slice(1)}Input!) { ${name}(input: $input) { ${selection} userErrors { code path message docsUrl } } }`,
      { input },
    );
  const unknownPlan = 'plan_00000000000000000000000000';

  it.each([
    [
      'createTenant',
      { name: 'X', planId: unknownPlan, domains: [] },
      'tenant { id }',
      'NOT_FOUND',
      ['input', 'planId'],
    ],
    ['createTenant', { name: 'X', planId: 'nonsense', domains: [] }, 'tenant { id }', 'NOT_FOUND', ['input', 'planId']],
    [
      'createPlan',
      { code: 'gold', name: 'Gold', tier: 'platinum', streams: ['MARKETING'] },
      'plan { id }',
      'INVALID_INPUT',
      ['input', 'tier'],
    ],
    [
      'createPlan',
      { code: 'a\u0000b', name: 'Gold', tier: 'growth', streams: ['MARKETING'] },
      'plan { id }',
      'INVALID_INPUT',
      ['input', 'code'],
    ],
    [
      'createPlan',
      { code: 'growth', name: 'Again', tier: 'growth', streams: ['MARKETING'] },
      'plan { id }',
      'CONFLICT',
      ['input', 'code'],
    ],
    [
      'createPlan',
      { code: 'gold', name: 'Gold', tier: 'growth', streams: ['MARKETING'], baseFee: '0.12345678' },
      'plan { id }',
      'INVALID_INPUT',
      ['input', 'baseFee'],
    ],
    [
      'createPlan',
      { code: 'gold', name: 'Gold', tier: 'growth', streams: ['MARKETING'], minimum: '-1' },
      'plan { id }',
      'INVALID_INPUT',
      ['input', 'minimum'],
    ],
    [
      'createPlan',
      {
        code: 'gold',
        name: 'Gold',
        tier: 'growth',
        streams: ['MARKETING'],
        overage: [
          { from: '0', price: '0.4', per: '1000' },
          { from: '10', price: '-0.1' },
        ],
      },
      'plan { id }',
      'INVALID_INPUT',
      ['input', 'overage', '1', 'price'],
    ],
    [
      'publishPlanPrice',
      { planId: unknownPlan, validFrom: '2999-01-01T00:00:00Z', source: 'list' },
      'planPrice { id }',
      'NOT_FOUND',
      ['input', 'planId'],
    ],
    [
      'registerAwsAccount',
      { accountId: '123', name: 'X', tier: 'growth', regions: ['us-east-1'] },
      'awsAccount { id }',
      'INVALID_INPUT',
      ['input', 'accountId'],
    ],
    [
      'registerAwsAccount',
      { accountId: '111111111111', name: 'X', tier: 'growth', regions: ['us-east-1'] },
      'awsAccount { id }',
      'CONFLICT',
      ['input', 'accountId'],
    ],
    [
      'registerAwsAccount',
      { accountId: '222222222222', name: 'X', tier: 'gold', regions: ['us-east-1'] },
      'awsAccount { id }',
      'INVALID_INPUT',
      ['input', 'tier'],
    ],
    [
      'registerAwsAccount',
      { accountId: '222222222222', name: 'X', tier: 'growth', regions: ['moon-1'] },
      'awsAccount { id }',
      'INVALID_INPUT',
      ['input', 'regions', '0'],
    ],
    ['retryAwsAccountVerification', { id: 'acc_nothing' }, 'awsAccount { id }', 'NOT_FOUND', ['input', 'id']],
    [
      'createTenantApiKey',
      { tenantId: 'ten_nothing', name: 'X', mode: 'LIVE', scopes: ['send'] },
      'id',
      'NOT_FOUND',
      ['input', 'tenantId'],
    ],
    ['pauseTenant', { tenantId: 'ten_nothing', reason: 'x' }, 'tenant { id }', 'NOT_FOUND', ['input', 'tenantId']],
    [
      'changeTenantPlan',
      { tenantId: 'ten_nothing', planId: unknownPlan },
      'tenant { id }',
      'NOT_FOUND',
      ['input', 'tenantId'],
    ],
    [
      'moveTenant',
      { tenantId: 'ten_nothing', sendingAccountId: 'sac_nothing' },
      'placements { id }',
      'NOT_FOUND',
      ['input', 'tenantId'],
    ],
    [
      'setTierRamp',
      { tier: 'a\u0000b', rampFloor: '1', rampFactor: '1' },
      'tier { code }',
      'NOT_FOUND',
      ['input', 'tier'],
    ],
    [
      'registerAwsAccount',
      { accountId: 'a\u0000b', name: 'X', tier: 'growth', regions: ['us-east-1'] },
      'awsAccount { id }',
      'INVALID_INPUT',
      ['input', 'accountId'],
    ],
    [
      'sendTestEmail',
      { sendingAccountId: 'sac_nothing', from: 'ops@ops.example' },
      'testEmail { id }',
      'NOT_FOUND',
      ['input', 'sendingAccountId'],
    ],
    [
      'sendTestEmail',
      { sendingAccountId: 'sac_nothing', from: 'nobody' },
      'testEmail { id }',
      'INVALID_INPUT',
      ['input', 'from'],
    ],
  ])('%s with %j is refused at its field', async (name, input, selection, code, path) => {
    const audits = await api.sql('SELECT id FROM audit_log');
    const answer = await run(name, input, selection);
    expect(answer.status).toBe(200);
    expect(problemsOf(answer, name)).toContainEqual(
      expect.objectContaining({ code, path, docsUrl: `https://mail.example.com/docs/errors/${code}` }),
    );
    expect(await api.sql('SELECT id FROM audit_log')).toEqual(audits);
  });

  it('find no sending account of a tier that no text can name', async () => {
    const query = 'query ($tier: String) { sendingAccounts(tier: $tier) { nodes { id } } }';
    expect((await api.admin(fleet.operatorKey, query, { tier: 'a\u0000b' })).data).toEqual({
      sendingAccounts: { nodes: [] },
    });
  });

  it('make a tenant whole or not at all, and hear of every wrong domain', async () => {
    const answer = await run(
      'createTenant',
      { name: 'Third', planId: fleet.planId, domains: ['third.example', 'not a domain', 'acme.example'] },
      'tenant { id }',
    );
    expect(problemsOf(answer, 'createTenant').map(({ code, path }) => [code, path?.join('.')])).toEqual([
      ['INVALID_INPUT', 'input.domains.1'],
      ['CONFLICT', 'input.domains.2'],
    ]);
    expect(await api.sql(`SELECT 1 FROM tenant WHERE name = 'Third'`)).toEqual([]);
    expect(await api.sql(`SELECT 1 FROM domain WHERE name = 'third.example'`)).toEqual([]);
  });

  it('leave an entry in the audit log with every change, naming who and under which request', async () => {
    const changes: [string, object, string][] = [
      ['createPlan', { code: 'audited', name: 'Audited', tier: 'growth', streams: ['TRANSACTIONAL'] }, 'plan { id }'],
      ['setTierRamp', { tier: 'growth', rampFloor: '60000', rampFactor: '2.5' }, 'tier { rampFloor rampFactor }'],
      ['createTenant', { name: 'Audited', planId: fleet.planId, domains: ['audited.example'] }, 'tenant { id }'],
      ['pauseTenant', { tenantId: other.id, reason: 'audit' }, 'tenant { id }'],
      ['resumeTenant', { tenantId: other.id }, 'tenant { id }'],
      ['createTenantApiKey', { tenantId: other.id, name: 'audit', mode: 'TEST', scopes: ['read'] }, 'id'],
      [
        'registerAwsAccount',
        { accountId: '444444444444', name: 'Audited', tier: 'growth', regions: ['us-east-1'] },
        'awsAccount { state }',
      ],
      ['retryAwsAccountVerification', { id: fleet.awsAccountId }, 'awsAccount { state }'],
    ];
    for (const [name, input, selection] of changes) {
      const answer = await run(name, input, selection);
      expect([name, problemsOf(answer, name)]).toEqual([name, []]);
      const requestId = answer.headers.get('request-id');
      const entries = await api.sql<{ actor: string }>('SELECT actor FROM audit_log WHERE request_id = $1', [
        requestId,
      ]);
      expect([name, entries.length > 0 && entries.every(({ actor }) => actor.startsWith('operator:opr_'))]).toEqual([
        name,
        true,
      ]);
    }
  });
});
