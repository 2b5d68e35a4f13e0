import { NotificationService, SuppressionService } from '@libs/deliverability';
import { SendingAccountService } from '@libs/fleet';
import { type AttemptId, type TenantId } from '@libs/kernel';
import { AcceptService, EventApplier, MessageService, type Message } from '@libs/sending';
import { Metrics } from '@libs/observability';
import { NOON, SendingProcess, type AccountRow } from './sending-process';

let process: SendingProcess;
let account: AccountRow;
let applier: EventApplier;
let serial = 0;

beforeAll(async () => {
  process = await SendingProcess.start();
  applier = process.worker.get(EventApplier);
  account = await process.account();
});
afterAll(() => process.close());

const counted = async (name: string) => {
  const { text } = await process.worker.get(Metrics).render();
  return Number(new RegExp(`^postfleet_${name}\\{[^}]*\\} (\\d+)`, 'm').exec(text)?.[1]);
};
const duplicates = () => counted('message_duplicates_total');

async function message(to = ['ann@example.com'], mode: 'LIVE' | 'TEST' = 'LIVE', tenant?: TenantId): Promise<Message> {
  serial += 1;
  const tenantId = tenant ?? (await process.tenant(account, { mode }));
  const { result } = await process.api.get(AcceptService).acceptOne(
    { tenantId, mode },
    {
      idempotencyKey: `k${String(serial)}`,
      email: {
        from: { email: `hi@${await process.domainOf(tenantId)}` },
        to: to.map((email) => ({ email })),
        content: { inline: { subject: 'Hello', text: 'Hello' } },
      },
    },
  );
  if (!('message' in result)) throw new Error(JSON.stringify(result));
  return result.message;
}

interface Happening {
  readonly message: Message;
  readonly attempt: AttemptId;
  readonly sesId?: string;
  readonly accountId?: string;
  readonly through?: AccountRow;
}

/** What SES would publish, as the webhook stores it. Answers the notification's id. */
async function happens(eventType: string, part: object, what: Happening): Promise<string> {
  serial += 1;
  const id = `sns-${String(serial)}`;
  const source = what.through ?? account;
  const event = {
    eventType,
    mail: {
      timestamp: '2026-11-22T12:00:01.000Z',
      messageId: what.sesId ?? `ses-${what.attempt}`,
      sendingAccountId: what.accountId ?? source.accountId,
      destination: what.message.recipients.filter((one) => one.state !== 'SUPPRESSED').map((one) => one.email),
      tags: { tenant: [what.message.tenantId], message: [what.message.id], attempt: [what.attempt] },
    },
    ...part,
  };
  const body = {
    Type: 'Notification',
    MessageId: id,
    TopicArn: source.topicArn,
    Message: JSON.stringify(event),
    Timestamp: '2026-11-22T12:00:02.000Z',
    SignatureVersion: '2',
    Signature: 'checked before it was stored',
    SigningCertURL: 'https://sns.us-east-1.amazonaws.com/x',
  };
  await process.query(
    `INSERT INTO notification (id, sending_account_id, topic_arn, type, body, received_at, state) VALUES ($1, $2, $3, 'Notification', $4, $5, 'STORED')`,
    [id, source.id, source.topicArn, JSON.stringify(body), NOON],
  );
  return id;
}
const send = (what: Happening) => happens('Send', { send: {} }, what);
const delivery = (what: Happening, recipient = 'ann@example.com') =>
  happens(
    'Delivery',
    { delivery: { timestamp: '2026-11-22T12:00:03.000Z', recipients: [recipient], smtpResponse: '250 ok' } },
    what,
  );
const bounce = (what: Happening, over: object = {}) =>
  happens(
    'Bounce',
    {
      bounce: {
        bounceType: 'Permanent',
        bounceSubType: 'General',
        bouncedRecipients: [{ emailAddress: 'ANN@example.com', diagnosticCode: '550 no such user' }],
        timestamp: '2026-11-22T12:00:04.000Z',
        feedbackId: 'f1',
        ...over,
      },
    },
    what,
  );
const complaint = (what: Happening, complaintFeedbackType = 'abuse') =>
  happens(
    'Complaint',
    {
      complaint: {
        complainedRecipients: [{ emailAddress: 'ann@example.com' }],
        feedbackId: 'f2',
        complaintFeedbackType,
      },
    },
    what,
  );

const now = (sent: Message) => process.worker.get(MessageService).get(sent.tenantId, sent.id);
const types = async (sent: Message) =>
  (await process.worker.get(MessageService).timeline(sent.tenantId, sent.id, { limit: 50 })).rows.map(
    (event) => event.type,
  );
const attemptRow = async (id: AttemptId) =>
  (await process.query('SELECT state, ses_message_id, send_event_at, ended_at FROM attempt WHERE id = $1', [id]))[0];
const engineState = async (sent: Message) =>
  (await process.query<{ state: string }>('SELECT state FROM message WHERE id = $1', [sent.id]))[0]?.state;
const verdict = async (id: string) =>
  (await process.query('SELECT state, reason FROM notification WHERE id = $1', [id]))[0];
const suppressed = async (tenant: TenantId) =>
  (await process.api.get(SuppressionService).list(tenant, { limit: 10 })).rows.map(
    (row) => `${row.reason} ${row.address}`,
  );

describe('the events of a message that was sent', () => {
  it('make its timeline and move it forward, whatever their order', async () => {
    const sent = await message();
    const what = { message: sent, attempt: await process.attempt(sent, 'SENT', { account }) };
    await delivery(what);
    await send(what);
    expect(await applier.applyStored()).toEqual({ taken: 2, applied: 2, rejected: 0 });
    expect(await now(sent)).toMatchObject({
      state: 'DELIVERED',
      recipients: [{ state: 'DELIVERED', detail: '250 ok' }],
    });
    expect(await types(sent)).toEqual(['message.queued', 'message.sent', 'message.delivered']);
    await bounce(what);
    await applier.applyStored();
    await delivery(what);
    await applier.applyStored();
    expect((await now(sent)).state).toBe('BOUNCED');
  });

  it('are counted as deliveries of SNS, each notification once, by tenant, account and day', async () => {
    const sent = await message(['ann@example.com', 'bob@example.com']);
    const what = { message: sent, attempt: await process.attempt(sent, 'SENT', { account }) };
    const counted = async () =>
      await process.query(
        `SELECT day::text AS day, sending_account_id, sum(deliveries)::int AS deliveries FROM event_delivery WHERE tenant_id = $1 GROUP BY 1, 2`,
        [sent.tenantId],
      );
    await send(what);
    await delivery(what, 'ann@example.com');
    await applier.applyStored();
    await delivery(what, 'bob@example.com');
    await applier.applyStored();
    await applier.applyStored();
    expect(await counted()).toEqual([{ day: '2026-11-22', sending_account_id: account.id, deliveries: 3 }]);
  });

  it('change nothing when they come again', async () => {
    const sent = await message();
    const what = { message: sent, attempt: await process.attempt(sent, 'SENT', { account }) };
    for (let round = 0; round < 3; round += 1) {
      for (const happening of [send, delivery, bounce]) await happening(what);
      await applier.applyStored();
    }
    expect(await types(sent)).toEqual(['message.queued', 'message.sent', 'message.delivered', 'message.bounced']);
    expect(await suppressed(sent.tenantId)).toEqual(['bounce ann@example.com']);
  });

  it('count once although many workers apply them at the same time', async () => {
    const tenant = await process.tenant(account);
    const all: Message[] = [];
    for (let i = 0; i < 20; i += 1) {
      const sent = await message(['ann@example.com'], 'LIVE', tenant);
      const what = { message: sent, attempt: await process.attempt(sent, 'SENT', { account }) };
      for (const happening of [send, send, delivery, delivery, bounce]) await happening(what);
      all.push(sent);
    }
    let waiting = 1;
    for (let round = 0; round < 20 && waiting > 0; round += 1) {
      await Promise.all([1, 2, 3, 4].map(() => applier.applyStored(7)));
      waiting = await process.worker.get(NotificationService).waiting();
    }
    expect(waiting).toBe(0);
    for (const sent of all) {
      expect((await now(sent)).state).toBe('BOUNCED');
      expect((await types(sent)).filter((type) => type !== 'message.queued').sort()).toEqual([
        'message.bounced',
        'message.delivered',
        'message.sent',
      ]);
    }
  });

  it("tell each recipient's own story", async () => {
    const sent = await message(['ann@example.com', 'bob@example.com']);
    const what = { message: sent, attempt: await process.attempt(sent, 'SENT', { account }) };
    await delivery(what, 'bob@example.com');
    await bounce(what);
    await applier.applyStored();
    const after = await now(sent);
    expect(after.recipients.map((one) => one.state)).toEqual(['BOUNCED', 'DELIVERED']);
    expect(after.state).toBe('DELIVERED');
  });

  it('are applied although a mail server answered with what no database takes', async () => {
    const [message1, message2] = [await message(), await message()];
    const attempts = [
      await process.attempt(message1, 'SENT', { account }),
      await process.attempt(message2, 'SENT', { account }),
    ];
    await bounce(
      { message: message1, attempt: attempts[0]! },
      { bouncedRecipients: [{ emailAddress: 'ann@example.com', diagnosticCode: '550 \0 \ud83d no' }] },
    );
    await delivery({ message: message2, attempt: attempts[1]! });
    expect(await applier.applyStored()).toMatchObject({ applied: 2, rejected: 0 });
  });

  it('never wait for one that cannot be applied: that one is set aside, with the reason', async () => {
    await process.query(
      `ALTER TABLE message_event ADD CONSTRAINT unforeseen CHECK (recipient IS DISTINCT FROM 'poison@example.com')`,
    );
    const [bad, good] = [await message(['poison@example.com']), await message()];
    const what = { message: bad, attempt: await process.attempt(bad, 'SENT', { account }) };
    const ids = [
      await delivery({ message: good, attempt: await process.attempt(good, 'SENT', { account }) }),
      await delivery(what, 'poison@example.com'),
      await send(what),
    ];
    expect(await applier.applyStored()).toEqual({ taken: 3, applied: 2, rejected: 1 });
    await process.query('ALTER TABLE message_event DROP CONSTRAINT unforeseen');
    expect((await now(good)).state).toBe('DELIVERED');
    expect(await Promise.all(ids.map(verdict))).toMatchObject([
      { state: 'DONE' },
      { state: 'REJECTED', reason: expect.stringMatching(/could not be applied: .*unforeseen/) as unknown },
      { state: 'DONE' },
    ]);
  });

  it('stay for the next run while the outcome of the attempt is being written', async () => {
    const sent = await message();
    const what = { message: sent, attempt: await process.attempt(sent, 'INTENT', { account }) };
    const id = await send(what);
    await process.query('BEGIN');
    await process.query('UPDATE attempt SET bytes = bytes WHERE id = $1', [what.attempt]);
    expect(await applier.applyStored()).toEqual({ taken: 0, applied: 0, rejected: 0 });
    await process.query('COMMIT');
    expect(await applier.applyStored()).toEqual({ taken: 1, applied: 1, rejected: 0 });
    expect(await verdict(id)).toEqual({ state: 'DONE', reason: null });
  });
});

describe('suppression by events', () => {
  it('follows hard bounces and complaints, with the event as the cause', async () => {
    const sent = await message();
    const what = { message: sent, attempt: await process.attempt(sent, 'SENT', { account }) };
    await bounce(what);
    await applier.applyStored();
    const [entry] = (await process.api.get(SuppressionService).list(sent.tenantId, { limit: 10 })).rows;
    const [cause] = await process.api.get(MessageService).events(sent.tenantId, [entry?.causeEventId ?? '']);
    expect(entry).toMatchObject({ address: 'ann@example.com', reason: 'bounce' });
    expect(cause).toMatchObject({ type: 'message.bounced', messageId: sent.id });
    const next = await message(['ann@example.com'], 'LIVE', sent.tenantId);
    expect(next.state).toBe('SUPPRESSED');
  });

  it.each([
    ['a complaint', complaint, ['complaint ann@example.com']],
    ['a praise', (what: Happening) => complaint(what, 'not-spam'), []],
    [
      'a full mailbox',
      (what: Happening) => bounce(what, { bounceType: 'Transient', bounceSubType: 'MailboxFull' }),
      [],
    ],
    ['a bounce off a list', (what: Happening) => bounce(what, { bounceSubType: 'OnAccountSuppressionList' }), []],
  ])('by %s', async (_what, happening, expected) => {
    const sent = await message();
    await happening({ message: sent, attempt: await process.attempt(sent, 'SENT', { account }) });
    await applier.applyStored();
    expect(await suppressed(sent.tenantId)).toEqual(expected);
  });

  it('does not come from test mode for real addresses', async () => {
    const sent = await message(['ann@example.com'], 'TEST');
    await bounce({ message: sent, attempt: await process.attempt(sent, 'SENT', { account }) });
    await applier.applyStored();
    expect((await now(sent)).state).toBe('BOUNCED');
    expect(await suppressed(sent.tenantId)).toEqual([]);
  });
});

describe('an attempt in doubt', () => {
  it.each(['IN_DOUBT', 'INTENT'] as const)('is settled as sent by its Send event: %s', async (state) => {
    const sent = await message();
    const attempt = await process.attempt(sent, state, { account });
    await send({ message: sent, attempt });
    await applier.applyStored();
    expect(await attemptRow(attempt)).toMatchObject({
      state: 'SENT',
      ses_message_id: `ses-${attempt}`,
      send_event_at: new Date('2026-11-22T12:00:01.000Z'),
      ended_at: new Date('2026-11-22T12:00:01.000Z'),
    });
    expect(await engineState(sent)).toBe('SENT');
    expect((await now(sent)).state).toBe('SENT');
  });

  it('is settled by a bounce too, which proves as much', async () => {
    const sent = await message();
    const attempt = await process.attempt(sent, 'IN_DOUBT', { account });
    await bounce({ message: sent, attempt });
    await applier.applyStored();
    expect(await attemptRow(attempt)).toMatchObject({ state: 'SENT', send_event_at: null });
    expect([await engineState(sent), (await now(sent)).state]).toEqual(['SENT', 'BOUNCED']);
  });

  it('that was taken back is not sent again when its event comes after all', async () => {
    const sent = await message();
    const attempt = await process.attempt(sent, 'NOT_SENT', { account, messageState: 'READY' });
    await send({ message: sent, attempt });
    await applier.applyStored();
    expect([await engineState(sent), (await now(sent)).state]).toEqual(['SENT', 'SENT']);
  });

  it('whose second attempt is on its way leaves that one alone, and the pair is called a duplicate once both are sent', async () => {
    const sent = await message();
    const first = await process.attempt(sent, 'NOT_SENT', { account });
    const second = await process.attempt(sent, 'INTENT', { account, no: 2 });
    await send({ message: sent, attempt: first });
    await applier.applyStored();
    expect(await engineState(sent)).toBe('INTENT');
    expect(await types(sent)).not.toContain('message.duplicate');
    await send({ message: sent, attempt: second });
    await send({ message: sent, attempt: second });
    await applier.applyStored();
    expect(await engineState(sent)).toBe('SENT');
    expect((await types(sent)).filter((type) => type === 'message.duplicate')).toHaveLength(1);
  });

  it('that SES took twice under two ids is called a duplicate', async () => {
    const sent = await message();
    const attempt = await process.attempt(sent, 'SENT', { account });
    await send({ message: sent, attempt });
    await send({ message: sent, attempt, sesId: 'another' });
    const before = await duplicates();
    await applier.applyStored();
    expect(await types(sent)).toContain('message.duplicate');
    expect((await duplicates()) - before).toBe(1);
  });
});

describe('mail that SES could not render', () => {
  it('is rejected, with what SES said, and counted once for operators', async () => {
    const sent = await message();
    const what = { message: sent, attempt: await process.attempt(sent, 'SENT', { account }) };
    const failure = { templateName: 'inline', errorMessage: "Attribute 'html' is not present in the rendering data." };
    const before = await counted('rendering_failures_total');
    await happens('Rendering Failure', { failure }, what);
    await applier.applyStored();
    await happens('Rendering Failure', { failure }, what);
    await applier.applyStored();
    expect((await now(sent)).state).toBe('REJECTED');
    expect(await types(sent)).toContain('message.rejected');
    expect((await counted('rendering_failures_total')) - before).toBe(1);
  });

  it('sends the mail of an account one by one for ten minutes after SES could not render what shared a request there', async () => {
    const [failing, other] = [await process.account(), await process.account()];
    const sent = await message(undefined, 'LIVE', await process.tenant(failing));
    const attempt = await process.attempt(sent, 'SENT', { account: failing });
    const failure = { templateName: 'inline', errorMessage: 'It cannot be rendered.' };
    await happens('Rendering Failure', { failure }, { message: sent, attempt, through: failing });
    await applier.applyStored();
    const accounts = process.worker.get(SendingAccountService, { strict: false });
    const found = await accounts.findByIds([failing.id, other.id]);
    const until = new Date(process.clock.nowMs() + 600_000);
    expect(new Map(found.map(({ id, apartUntil }) => [id, apartUntil]))).toEqual(
      new Map([
        [failing.id, until],
        [other.id, null],
      ]),
    );
  });
});

describe('an event that cannot be believed', () => {
  it.each<[string, (what: Happening, other: AccountRow) => Promise<string>, RegExp]>([
    [
      'comes through the topic of another account',
      (what, other) => send({ ...what, through: other }),
      /another sending account/,
    ],
    ['names another account of AWS', (what) => send({ ...what, accountId: '999999999999' }), /account 999999999999/],
    ['names an attempt that is none', (what) => send({ ...what, attempt: what.message.id as never }), /does not exist/],
    [
      'names the attempt of another message',
      async (what) => send({ ...what, message: { ...what.message, id: (await message()).id } }),
      /does not exist/,
    ],
    [
      'carries no tags',
      (what) => happens('Send', { mail: { messageId: 'm' } }, what),
      /no tenant, message and attempt tags/,
    ],
    ['is not an event', (what) => happens('Send', { mail: 'x' }, what), /not an event of SES/],
  ])('is set aside when it %s', async (_what, happening, reason) => {
    const sent = await message();
    const attempt = await process.attempt(sent, 'IN_DOUBT', { account });
    const id = await happening({ message: sent, attempt }, await process.account());
    expect(await applier.applyStored()).toEqual({ taken: 1, applied: 0, rejected: 1 });
    expect(await verdict(id)).toEqual({ state: 'REJECTED', reason: expect.stringMatching(reason) as unknown });
    expect(await engineState(sent)).toBe('IN_DOUBT');
    expect(await types(sent)).toEqual(['message.queued']);
  });
});
