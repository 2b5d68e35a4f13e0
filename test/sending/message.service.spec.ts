import { newId, type Stream, type TenantId } from '@libs/kernel';
import { Ledger } from '@libs/quota';
import {
  AcceptService,
  LimitsService,
  MessageService,
  type EmailInput,
  type Message,
  type MessageState,
} from '@libs/sending';
import { waitFor } from '../support/wait-for';
import { NOON, SendingProcess, type AccountRow } from './sending-process';

const DAY_MS = 86_400_000;
let process: SendingProcess;
let account: AccountRow;
let messages: MessageService;
let limits: LimitsService;
let serial = 0;

beforeAll(async () => {
  process = await SendingProcess.start();
  messages = process.api.get(MessageService);
  limits = process.api.get(LimitsService);
  account = await process.account({ rate: 2 });
});
afterAll(() => process.close());

async function send(tenantId: TenantId, over: readonly Partial<EmailInput>[], key?: string): Promise<Message[]> {
  serial += 1;
  const from = { email: `hi@${await process.domainOf(tenantId)}` };
  const { results } = await process.api.get(AcceptService).accept(
    { tenantId, mode: 'LIVE' },
    {
      idempotencyKey: key ?? `k${String(serial)}`,
      emails: over.map((one) => ({
        from,
        to: [{ email: 'ann@example.com' }],
        content: { inline: { subject: 'Hello', text: 'Hello' } },
        ...one,
      })),
    },
  );
  return results.map((entry) => {
    if (!('message' in entry)) throw new Error(JSON.stringify(entry));
    return entry.message;
  });
}
const ids = (list: readonly Message[]) => list.map((message) => message.id);
const by = { actor: 'key:test' };
const later = new Date(NOON.getTime() + 3_600_000);

describe('the list of messages', () => {
  it('is paged in both directions without gaps or repeats', async () => {
    const tenant = await process.tenant(account);
    const newest = ids(await send(tenant, [{}, {}, {}, {}, {}, {}, {}])).reverse();
    const first = await messages.list(tenant, { limit: 3 });
    expect([ids(first.rows), first.hasNext, first.hasPrevious]).toEqual([newest.slice(0, 3), true, false]);
    const second = await messages.list(tenant, { limit: 3, after: newest[2] ?? '' });
    expect([ids(second.rows), second.hasNext, second.hasPrevious]).toEqual([newest.slice(3, 6), true, true]);
    const third = await messages.list(tenant, { limit: 3, after: newest[5] ?? '' });
    expect([ids(third.rows), third.hasNext]).toEqual([newest.slice(6), false]);
    const back = await messages.list(tenant, { limit: 2, before: newest[3] ?? '' });
    expect([ids(back.rows), back.hasPrevious, back.hasNext]).toEqual([newest.slice(1, 3), true, true]);
    const end = await messages.list(tenant, { limit: 2, fromEnd: true });
    expect([ids(end.rows), end.hasPrevious, end.hasNext]).toEqual([newest.slice(5), true, false]);
  });

  it('is filtered by everything that is given at once', async () => {
    const tenant = await process.tenant(account);
    const tag = { name: 'campaign', value: 'spring' };
    const [plain, marketing, scheduled, both] = ids(
      await send(
        tenant,
        [
          {},
          { stream: 'MARKETING', tags: [tag] },
          { scheduledAt: later },
          { tags: [tag], to: [{ email: 'bob@example.com' }] },
        ],
        'batch',
      ),
    );
    const found = async (filter: Parameters<MessageService['list']>[2]) =>
      ids((await messages.list(tenant, { limit: 10 }, filter)).rows);
    expect(await found({ stream: 'MARKETING' })).toEqual([marketing]);
    expect(await found({ tag })).toEqual([both, marketing]);
    expect(await found({ tag, stream: 'TRANSACTIONAL' })).toEqual([both]);
    expect(await found({ to: 'bob@EXAMPLE.com' })).toEqual([both]);
    expect(await found({ state: ['SCHEDULED'] })).toEqual([scheduled]);
    expect(await found({ state: ['QUEUED', 'SCHEDULED'] })).toEqual([both, scheduled, marketing, plain]);
    expect(await found({ idempotencyKey: 'batch' })).toHaveLength(4);
    expect(await found({ idempotencyKey: 'other' })).toEqual([]);
    expect(await found({ createdAt: { gte: NOON } })).toHaveLength(4);
    expect(await found({ createdAt: { lt: NOON } })).toEqual([]);
    expect(await found({ mode: 'TEST' })).toEqual([]);
  });

  it('is paged by a tag, whatever else is asked for, without what others tagged the same', async () => {
    const [tenant, other] = [await process.tenant(account), await process.tenant(account)];
    const tags = [
      { name: 'kind', value: 'news' },
      { name: 'campaign', value: 'spring' },
    ];
    const tag = { name: 'campaign', value: 'spring' };
    await send(other, [{ tags }]);
    const [first] = await send(tenant, [{ tags }, {}, { tags: [{ name: 'campaign', value: 'autumn' }] }], 'first');
    const rest = await send(tenant, [
      { tags },
      { tags },
      { tags, to: [{ email: 'bob@example.com' }] },
      { tags: [tag] },
    ]);
    const newest = ids([first!, ...rest]).reverse();
    const page = async (request: Parameters<MessageService['list']>[1], filter: object = {}) => {
      const found = await messages.list(tenant, request, { tag, ...filter });
      return [ids(found.rows), found.hasNext, found.hasPrevious];
    };
    expect(await page({ limit: 2 })).toEqual([newest.slice(0, 2), true, false]);
    expect(await page({ limit: 2, after: newest[1]! })).toEqual([newest.slice(2, 4), true, true]);
    expect(await page({ limit: 2, before: newest[4]! })).toEqual([newest.slice(2, 4), true, true]);
    expect(await page({ limit: 2, fromEnd: true })).toEqual([newest.slice(3), false, true]);
    expect(await page({ limit: 9 }, { to: 'bob@example.com' })).toEqual([newest.slice(1, 2), false, false]);
    expect(await page({ limit: 9 }, { idempotencyKey: 'first' })).toEqual([newest.slice(4), false, false]);
    expect(await page({ limit: 9 }, { stream: 'MARKETING' })).toEqual([[], false, false]);
    expect(await page({ limit: 9 }, { createdAt: { lt: NOON } })).toEqual([[], false, false]);
    await process.query(`UPDATE recipient SET state = 'BOUNCED' WHERE message_id = $1`, [newest[2]]);
    expect(await page({ limit: 9 }, { state: ['BOUNCED'] })).toEqual([newest.slice(2, 3), false, false]);
    const queued = newest.filter((_, place) => place !== 2);
    expect(await page({ limit: 9 }, { state: ['QUEUED'] })).toEqual([queued, false, false]);
    // It is the tag that leads to them: nothing is looked for in the messages' own lists.
    await process.query(`UPDATE message SET tags = '[]' WHERE tenant_id = $1`, [tenant]);
    expect(await page({ limit: 9 })).toEqual([newest, false, false]);
    expect(await page({ limit: 9 }, { state: ['QUEUED'] })).toEqual([queued, false, false]);
  });

  it('shows the least advanced recipient, and finds a message by that', async () => {
    const tenant = await process.tenant(account);
    const [sent] = await send(tenant, [{ to: [{ email: 'ann@example.com' }, { email: 'bob@example.com' }] }]);
    await process.query(`UPDATE recipient SET state = 'DELIVERED' WHERE tenant_id = $1 AND position = 0`, [tenant]);
    await process.query(`UPDATE recipient SET state = 'SENT' WHERE tenant_id = $1 AND position = 1`, [tenant]);
    expect((await messages.get(tenant, sent?.id ?? '')).state).toBe('SENT');
    expect((await messages.list(tenant, { limit: 5 }, { state: ['DELIVERED'] })).rows).toEqual([]);
    expect((await messages.list(tenant, { limit: 5 }, { state: ['SENT'] })).rows).toHaveLength(1);
    await process.query(`UPDATE recipient SET state = 'BOUNCED' WHERE tenant_id = $1 AND position = 1`, [tenant]);
    for (const [state, found] of [
      [['DELIVERED'], 1],
      [['BOUNCED'], 0],
      [['BOUNCED', 'COMPLAINED', 'DELIVERED'], 1],
      [['BOUNCED', 'SENT', 'DELIVERED'], 1],
      [['QUEUED', 'EXPIRED'], 0],
    ] as const)
      expect([state, (await messages.list(tenant, { limit: 5 }, { state })).rows.length]).toEqual([state, found]);
  });

  it('finds messages by any states, as their recipients are', async () => {
    const tenant = await process.tenant(account);
    const to = ['ann', 'bob', 'cid'].map((name) => ({ email: `${name}@example.com` }));
    const sent = await send(tenant, Array<Partial<EmailInput>>(160).fill({ to }));
    // Some of everything: the message in one state, each recipient in another one or as its message.
    const engine = ['READY', 'INTENT', 'SENT', 'REJECTED', 'EXPIRED', 'CANCELED', 'SUPPRESSED', 'IN_DOUBT'];
    const own = [null, null, 'DELIVERED', 'BOUNCED', 'COMPLAINED', 'REJECTED', 'SUPPRESSED', 'SENT'];
    for (const [n, { id }] of sent.entries()) {
      await process.query('UPDATE message SET state = $2 WHERE id = $1', [id, engine[n % engine.length]]);
      if (n % engine.length !== 0) await process.query('DELETE FROM backlog WHERE message_id = $1', [id]);
      for (const position of [0, 1, 2]) {
        const state = own[(Math.floor(n / 8) * 3 + position * (n % 3)) % own.length];
        await process.query('UPDATE recipient SET state = $3 WHERE message_id = $1 AND position = $2', [
          id,
          position,
          state,
        ]);
      }
    }
    const all = (await messages.list(tenant, { limit: 160 })).rows;
    const sets: MessageState[][] = [
      ['BOUNCED', 'COMPLAINED', 'REJECTED', 'EXPIRED'],
      ['REJECTED'],
      ['SUPPRESSED', 'CANCELED'],
      ['QUEUED', 'DELIVERED'],
      ['SENT', 'REJECTED'],
      ['SENT'],
      ['SENT', 'SENDING', 'BOUNCED'],
      ['SENT', 'DELIVERED'],
    ];
    for (const state of sets) {
      const expected = ids(all.filter((message) => state.includes(message.state)));
      expect(expected.length).toBeGreaterThan(3);
      const found = async (request: Parameters<MessageService['list']>[1]) =>
        ids((await messages.list(tenant, request, { state })).rows);
      expect([state, await found({ limit: 160 })]).toEqual([state, expected]);
      expect([state, await found({ limit: 2, after: expected[0]! })]).toEqual([state, expected.slice(1, 3)]);
      expect([state, await found({ limit: 2, before: expected[3]! })]).toEqual([state, expected.slice(1, 3)]);
    }
  });

  it('refuses a cursor that is none', async () => {
    const list = messages.list(newId<TenantId>(), { limit: 1, after: 'x' });
    await expect(list).rejects.toMatchObject({ issues: [{ code: 'INVALID_INPUT', path: ['after'] }] });
  });

  it("never shows another tenant's message", async () => {
    const [mine, theirs] = [await process.tenant(account), await process.tenant(account)];
    const [sent] = await send(theirs, [{}]);
    const id = sent?.id ?? newId();
    await expect(messages.get(mine, id)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(messages.get(mine, 'not an id')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect((await messages.timeline(mine, id, { limit: 5 })).rows).toEqual([]);
    expect(await messages.cancel(mine, { ids: [id] }, by)).toMatchObject({
      canceled: [],
      issues: [{ code: 'NOT_FOUND', path: ['ids', '0'] }],
    });
    expect((await messages.get(theirs, id)).state).toBe('QUEUED');
  });
});

describe('canceling', () => {
  it('takes back what waits, says what was too late, and is content with what was canceled before', async () => {
    const tenant = await process.tenant(account);
    const [queued, scheduled, sending] = await send(tenant, [{}, { scheduledAt: later }, {}]);
    if (!queued || !scheduled || !sending) throw new Error('three messages expected');
    await process.attempt(sending, 'INTENT', { account });
    const call = { ids: [queued.id, sending.id, scheduled.id, 'nonsense'] };
    const { canceled, issues } = await messages.cancel(tenant, call, by);
    expect([...canceled].sort()).toEqual([queued.id, scheduled.id].sort());
    expect(issues.map((issue) => `${issue.code} ${(issue.path ?? []).join('.')}`)).toEqual([
      'TOO_LATE_TO_CANCEL ids.1',
      'NOT_FOUND ids.3',
    ]);
    expect((await messages.get(tenant, queued.id)).state).toBe('CANCELED');
    expect((await messages.timeline(tenant, queued.id, { limit: 5 })).rows.map((event) => event.type)).toEqual([
      'message.queued',
      'message.canceled',
    ]);
    expect(await messages.cancel(tenant, { ids: [queued.id] }, by)).toEqual({ canceled: [], issues: [] });
  });

  it('by a filter takes back exactly what matches', async () => {
    const tenant = await process.tenant(account);
    const [kept] = await send(tenant, [{}, { stream: 'MARKETING' }, { stream: 'MARKETING' }]);
    const { canceled } = await messages.cancel(tenant, { filter: { stream: 'MARKETING' } }, by);
    expect(canceled).toHaveLength(2);
    expect((await messages.list(tenant, { limit: 5 }, { state: ['QUEUED'] })).rows.map((one) => one.id)).toEqual([
      kept?.id,
    ]);
  });

  it('by a tag takes back what waits and carries it, and nothing of another tenant', async () => {
    const [tenant, other] = [await process.tenant(account), await process.tenant(account)];
    const tags = [{ name: 'campaign', value: 'spring' }];
    const [theirs] = await send(other, [{ tags }]);
    const [sending, , scheduled, queued] = await send(tenant, [{ tags }, {}, { tags, scheduledAt: later }, { tags }]);
    await process.attempt(sending!, 'INTENT', { account });
    // Found by the tag: what else waits is not looked through.
    await process.query(`UPDATE message SET tags = '[]' WHERE tenant_id = $1`, [tenant]);
    const { canceled } = await messages.cancel(tenant, { filter: { tag: tags[0]! } }, by);
    expect([...canceled].sort()).toEqual([scheduled!.id, queued!.id].sort());
    expect((await messages.get(other, theirs!.id)).state).toBe('QUEUED');
  });

  it('to an address takes back what waits for it, without a look at what else does', async () => {
    const [tenant, other] = [await process.tenant(account), await process.tenant(account)];
    const to = [{ email: 'cid@example.com' }, { email: 'ann@example.com' }];
    const [theirs] = await send(other, [{ to }]);
    const [sending, kept, scheduled, queued] = await send(tenant, [{ to }, {}, { cc: to, scheduledAt: later }, { to }]);
    await process.attempt(sending!, 'INTENT', { account });
    const filter = { to: 'cid@example.com' };
    const list = () => messages.list(tenant, { limit: 5 }, { ...filter, state: ['QUEUED', 'SCHEDULED'] });
    // Found by the address: what waits is not looked through.
    await process.query('DELETE FROM backlog WHERE tenant_id = $1', [tenant]);
    expect(ids((await list()).rows)).toEqual([queued!.id, scheduled!.id]);
    const { canceled } = await messages.cancel(tenant, { filter }, by);
    expect([...canceled].sort()).toEqual([scheduled!.id, queued!.id].sort());
    expect((await list()).rows).toEqual([]);
    const states = await Promise.all([messages.get(other, theirs!.id), messages.get(tenant, kept!.id)]);
    expect(states.map(({ state }) => state)).toEqual(['QUEUED', 'QUEUED']);
  });

  it('takes back a campaign of ten thousand that was handed in a moment ago', async () => {
    const tenant = await process.tenant(account);
    // Nobody counts its rows in between: what is planned by their number is planned for next to none.
    await process.query('ANALYZE message, message_event, backlog');
    for (let call = 0; call < 10; call += 1) await send(tenant, Array<Partial<EmailInput>>(1_000).fill({}));
    const { canceled } = await messages.cancel(tenant, { filter: { stream: 'TRANSACTIONAL' } }, by);
    expect(canceled).toHaveLength(10_000);
    const [left] = await process.query<{ count: number }>(
      'SELECT count(*)::int AS count FROM backlog WHERE tenant_id = $1',
      [tenant],
    );
    expect(left?.count).toBe(0);
  });

  it('by a filter without a condition is refused, and every other is audited', async () => {
    const tenant = await process.tenant(account);
    await send(tenant, [{}, {}]);
    for (const filter of [{}, { mode: 'LIVE' as const }, { state: [] }, { createdAt: {} }]) {
      await expect(messages.cancel(tenant, { filter }, by)).rejects.toMatchObject({
        issues: [{ code: 'INVALID_INPUT', path: ['filter'] }],
      });
    }
    expect((await messages.list(tenant, { limit: 5 }, { state: ['QUEUED'] })).rows).toHaveLength(2);
    await messages.cancel(tenant, { filter: { stream: 'TRANSACTIONAL', createdAt: { gte: NOON } } }, by);
    const audit = await process.query('SELECT actor, action, detail FROM audit_log WHERE tenant_id = $1', [tenant]);
    expect(audit).toEqual([
      { actor: 'key:test', action: 'message.cancel', detail: { filter: ['stream', 'createdAt'], canceled: 2 } },
    ]);
    expect(await process.query('SELECT FROM backlog WHERE tenant_id = $1', [tenant])).toEqual([]);
  });

  it('and claiming at the same time leave each message to one of the two', async () => {
    const tenant = await process.tenant(account);
    const all = ids(
      await send(
        tenant,
        Array.from({ length: 50 }, () => ({})),
      ),
    );
    const claim = process.query<{ id: string }>(
      `UPDATE message SET state = 'INTENT' WHERE id IN (
         SELECT id FROM message WHERE tenant_id = $1 AND state = 'READY' ORDER BY id LIMIT 25 FOR UPDATE SKIP LOCKED) RETURNING id`,
      [tenant],
    );
    const [{ canceled }, claimed] = await Promise.all([messages.cancel(tenant, { ids: all }, by), claim]);
    expect(new Set([...canceled, ...claimed.map((row) => row.id)]).size).toBe(canceled.length + claimed.length);
    expect(canceled.length + claimed.length).toBe(50);
  });
});

describe('the wait of a message', () => {
  const limitOf = async (tenant: TenantId, message: Message | undefined) =>
    message && (await messages.waits(tenant, [message.id])).get(message.id);

  it('counts what is ahead of it and tells when it goes', async () => {
    const tenant = await process.tenant(account);
    const all = await send(
      tenant,
      Array.from({ length: 21 }, () => ({})),
    );
    const waits = await messages.waits(
      tenant,
      [all[20]?.id, all[0]?.id, all[7]?.id].filter((id) => id !== undefined),
    );
    expect(waits.get(all[0]!.id)).toMatchObject({ limit: 'NONE', ahead: 0 });
    expect(waits.get(all[7]!.id)).toMatchObject({
      limit: 'ACCOUNT_RATE',
      ahead: 7,
      estimatedSendAt: new Date(NOON.getTime() + 4_000),
    });
    expect(waits.get(all[20]!.id)).toMatchObject({ ahead: 20, estimatedSendAt: new Date(NOON.getTime() + 10_500) });
    expect(waits.get(all[20]!.id)?.explanation).toBe(
      'Mail leaves at 2 recipients a second; 20 messages of yours are ahead.',
    );
  });

  it('counts transactional mail ahead of marketing mail, whichever was accepted first, as a forecast does', async () => {
    const tenant = await process.tenant(account);
    const marketing = await send(tenant, [{ stream: 'MARKETING' }, { stream: 'MARKETING' }]);
    const urgent = await send(
      tenant,
      Array.from({ length: 19 }, () => ({})),
    );
    await send(tenant, [{ scheduledAt: later }]);
    expect(await limitOf(tenant, marketing[1])).toMatchObject({
      limit: 'ACCOUNT_RATE',
      ahead: 20,
      estimatedSendAt: new Date(NOON.getTime() + 10_500),
    });
    expect(await limitOf(tenant, urgent[0])).toMatchObject({ limit: 'NONE', ahead: 0 });
  });

  it('counts all of a long queue, and what was handed in since', async () => {
    const tenant = await process.tenant(account);
    const line = `SELECT $1, (substr(uuid_floor(CURRENT_DATE)::text, 1, 14) || substr(md5(n::text)::uuid::text, 15))::uuid`;
    await process.query(
      `INSERT INTO backlog (tenant_id, message_id, mode, stream, sending_account_id, n_rcpt, scheduled, due_at, expires_at)
       ${line}, 'LIVE', 'MARKETING', $2, 2, false, NULL, $3 FROM generate_series(1, 120000) AS n`,
      [tenant, account.id, later],
    );
    const [first, second] = await send(tenant, [{ stream: 'MARKETING' }, { stream: 'MARKETING' }]);
    expect(await limitOf(tenant, first)).toMatchObject({ ahead: 120_000 });
    expect(await limitOf(tenant, second)).toMatchObject({ ahead: 120_001 });
    await send(tenant, [{}]);
    const [third] = await send(tenant, [{ stream: 'MARKETING' }]);
    expect(await limitOf(tenant, third)).toMatchObject({ ahead: 120_003 });
    expect(await limitOf(tenant, first)).toMatchObject({ ahead: 120_001 });
  });

  it("is the plan's daily cap once that is used, until the ledger counts it no more", async () => {
    const tenant = await process.tenant(account, { dayCap: 1 });
    // A day after the ten minutes in which it went, and the two by which the ledger is on the safe side.
    const leaves = new Date(NOON.getTime() + DAY_MS + 720_000);
    const [sent, waiting] = await send(tenant, [{}, {}]);
    if (!sent) throw new Error('a message expected');
    await process.attempt(sent, 'SENT', { account });
    expect(await limitOf(tenant, waiting)).toMatchObject({
      limit: 'PLAN_QUOTA',
      estimatedSendAt: leaves,
    });
    expect(await limitOf(tenant, sent)).toBeUndefined();
    expect(await limits.sendingLimits(tenant, 'LIVE')).toEqual({
      recipientsPer24h: 1n,
      usedLast24h: 1n,
      recipientsPerSecond: '2',
      nextFreeAt: leaves,
      pausedReason: null,
    });
    // It is over a day old, and the ledger counts it for two minutes more.
    const old = [tenant, new Date(NOON.getTime() - DAY_MS - 300_000)];
    await process.query('UPDATE attempt SET created_at = $2, ended_at = $2 WHERE tenant_id = $1', old);
    const soon = new Date(NOON.getTime() + 120_000);
    expect(await limitOf(tenant, waiting)).toMatchObject({ limit: 'PLAN_QUOTA', estimatedSendAt: soon });
    expect(await limits.sendingLimits(tenant, 'LIVE')).toMatchObject({ usedLast24h: 0n, nextFreeAt: soon });
  });

  it.each(['INTENT', 'IN_DOUBT'] as const)(
    "is the plan's daily cap also where that is used by what is %s",
    async (state) => {
      const tenant = await process.tenant(account, { dayCap: 1 });
      const leaves = new Date(NOON.getTime() + DAY_MS + 720_000);
      const [flying, waiting] = await send(tenant, [{}, {}]);
      if (!flying) throw new Error('a message expected');
      await process.attempt(flying, state, { account });
      expect(await limitOf(tenant, waiting)).toMatchObject({ limit: 'PLAN_QUOTA', estimatedSendAt: leaves });
      // Whether SES has taken it is not known.
      expect(await limits.sendingLimits(tenant, 'LIVE')).toMatchObject({ usedLast24h: 0n, nextFreeAt: leaves });
    },
  );

  it("is the plan's daily cap until there is room below it, where that was lowered below what went", async () => {
    const tenant = await process.tenant(account, { dayCap: 2 });
    const all = await send(tenant, [{}, {}, {}, {}, {}]);
    for (const [i, hours] of [5, 4, 3, 2].entries()) {
      const attempt = await process.attempt(all[i]!, 'SENT', { account });
      const at = new Date(NOON.getTime() - hours * 3_600_000);
      await process.query('UPDATE attempt SET created_at = $2, ended_at = $2 WHERE id = $1', [attempt, at]);
    }
    // The last one but one must be gone, too.
    const leaves = new Date(NOON.getTime() - 3 * 3_600_000 + DAY_MS + 720_000);
    expect(await limitOf(tenant, all[4])).toMatchObject({ limit: 'PLAN_QUOTA', estimatedSendAt: leaves });
    expect(await limits.sendingLimits(tenant, 'LIVE')).toMatchObject({ usedLast24h: 4n, nextFreeAt: leaves });
  });

  it('is the capacity that others have used up, until the oldest of that is forgotten', async () => {
    const shared = await process.account({ quota: 100 });
    const [tenant] = [await process.tenant(shared), await process.tenant(shared)];
    const [waiting] = await send(tenant, [{}]);
    expect((await limits.sendingLimits(tenant, 'LIVE')).nextFreeAt).toBeNull();
    const minute = { startMs: NOON.getTime() - 3_600_000, recipients: 100n };
    const known = { quota: 100n, rate: { num: 2, den: 1 }, sesSent: 0n };
    const ledger = process.api.get(Ledger, { strict: false });
    await ledger.rebuild(shared.id, 1n, known, [minute], new Map(), 0);
    const { nextFreeAt, usedLast24h } = await limits.sendingLimits(tenant, 'LIVE');
    expect(usedLast24h).toBe(0n);
    const inADay = NOON.getTime() - 3_600_000 + DAY_MS;
    expect(nextFreeAt?.getTime()).toBeGreaterThanOrEqual(inADay);
    expect(nextFreeAt?.getTime()).toBeLessThanOrEqual(inADay + 300_000);
    expect(await limitOf(tenant, waiting)).toMatchObject({ limit: 'ACCOUNT_DAY_QUOTA', estimatedSendAt: nextFreeAt });
    // A cap of its own that frees sooner changes nothing about it.
    const capped = await process.tenant(shared, { dayCap: 1 });
    const [sent, next] = await send(capped, [{}, {}]);
    if (!sent) throw new Error('a message expected');
    await process.attempt(sent, 'SENT', { account: shared });
    const early = [capped, new Date(NOON.getTime() - 10_800_000)];
    await process.query('UPDATE attempt SET created_at = $2, ended_at = $2 WHERE tenant_id = $1', early);
    expect((await limits.sendingLimits(capped, 'LIVE')).nextFreeAt).toEqual(nextFreeAt);
    expect(await limitOf(capped, next)).toMatchObject({ limit: 'ACCOUNT_DAY_QUOTA', estimatedSendAt: nextFreeAt });
  });

  it('is the capacity also for the last of it, which is kept back: from all mail, and more of it from marketing', async () => {
    const shared = await process.account({ quota: 50_000 });
    const tenant = await process.tenant(shared);
    const ledger = process.api.get(Ledger, { strict: false });
    const known = { quota: 50_000n, rate: { num: 2, den: 1 }, sesSent: 0n };
    const rebuild = (epoch: bigint, recipients: bigint) => {
      const minute = { startMs: NOON.getTime() - 3_600_000, recipients };
      return ledger.rebuild(shared.id, epoch, known, [minute], new Map(), 0);
    };
    // A margin of 25 for requests on their way.
    await rebuild(1n, 49_980n);
    const [urgent] = await send(tenant, [{}]);
    const { nextFreeAt } = await limits.sendingLimits(tenant, 'LIVE');
    expect(nextFreeAt).not.toBeNull();
    expect(await limitOf(tenant, urgent)).toMatchObject({ limit: 'ACCOUNT_DAY_QUOTA', estimatedSendAt: nextFreeAt });
    // At noon half of the reserve of 250 is closed to marketing, where there is transactional mail.
    await rebuild(2n, 49_900n);
    const [another, letter] = await send(tenant, [{}, { stream: 'MARKETING' }]);
    await waitFor(async () => (await ledger.stats(shared.id))?.keptBack.MARKETING === 150n, {
      what: 'the transactional mail to be offered',
    });
    expect(await limitOf(tenant, another)).toMatchObject({ limit: 'NONE' });
    expect(await limitOf(tenant, letter)).toMatchObject({ limit: 'ACCOUNT_DAY_QUOTA', estimatedSendAt: nextFreeAt });
    expect((await limits.sendingLimits(tenant, 'LIVE')).nextFreeAt).toBeNull();
  });

  it('names no time where SES allows nothing at all', async () => {
    const closed = await process.account({ quota: 0 });
    const tenant = await process.tenant(closed);
    const [waiting] = await send(tenant, [{}]);
    const allowed = () => limits.sendingLimits(tenant, 'LIVE');
    const nothing = { recipientsPer24h: 0n, nextFreeAt: null };
    expect(await allowed()).toMatchObject(nothing);
    const ledger = process.api.get(Ledger, { strict: false });
    const known = { quota: 0n, rate: { num: 2, den: 1 }, sesSent: 0n };
    await ledger.rebuild(closed.id, 1n, known, [], new Map(), 0);
    await ledger.freeze(closed.id, NOON.getTime() + 3_600_000);
    expect(await allowed()).toMatchObject(nothing);
    expect(await limitOf(tenant, waiting)).toMatchObject({
      limit: 'ACCOUNT_DAY_QUOTA',
      estimatedSendAt: null,
      explanation: expect.stringContaining('no room at all until the limit is raised') as unknown,
    });
    await ledger.observe(closed.id, 1n, { ...known, quota: 200n });
    expect((await allowed()).nextFreeAt).toEqual(new Date(NOON.getTime() + 3_600_000));
  });

  it('is the ramp, for a volume far above that of the week before', async () => {
    const tenant = await process.tenant(account, { dayCap: 1_000_000 });
    await process.query(`UPDATE tier SET ramp_floor = 2, ramp_factor = 3 WHERE code = 'growth'`);
    const [sent, also, waiting] = await send(tenant, [{}, {}, {}]);
    for (const message of [sent, also]) if (message) await process.attempt(message, 'SENT', { account });
    expect(await limitOf(tenant, waiting)).toMatchObject({
      limit: 'RAMP',
      explanation: expect.stringContaining('2 recipients today') as unknown,
    });
    expect((await limits.sendingLimits(tenant, 'LIVE')).recipientsPer24h).toBe(2n);
    // 2 today, which are used up; then 6, 18, 54.
    const volume = await limits.forecast(tenant, 'LIVE', { recipients: 23, stream: 'TRANSACTIONAL' });
    expect(volume.bindingLimit).toBe('RAMP');
    expect(Math.floor((Number(volume.lastAt) - NOON.getTime()) / DAY_MS)).toBe(2);
    await process.query(`UPDATE tier SET ramp_floor = 50000 WHERE code = 'growth'`);
  });

  it('is the pause, the schedule, the domain or the account that is paused', async () => {
    const tenant = await process.tenant(account);
    const [message, scheduled] = await send(tenant, [{}, { scheduledAt: later }]);
    expect(await limitOf(tenant, scheduled)).toMatchObject({ limit: 'SCHEDULED_FOR_LATER', estimatedSendAt: later });
    await process.query(`UPDATE domain SET state = 'PENDING' WHERE tenant_id = $1`, [tenant]);
    expect(await limitOf(tenant, message)).toMatchObject({ limit: 'DOMAIN_NOT_READY', estimatedSendAt: null });
    await process.query(`UPDATE tenant SET state = 'PAUSED', paused_reason = 'unpaid' WHERE id = $1`, [tenant]);
    expect(await limitOf(tenant, message)).toMatchObject({ limit: 'PAUSED' });
    expect((await limits.sendingLimits(tenant, 'LIVE')).pausedReason).toBe('unpaid');
  });
});

describe('a forecast', () => {
  it('follows rate, plan and what waits already', async () => {
    const tenant = await process.tenant(account, { rate: 1 });
    await send(tenant, [{}, {}]);
    expect(await limits.forecast(tenant, 'LIVE', { recipients: 10, stream: 'TRANSACTIONAL' })).toEqual({
      firstAt: new Date(NOON.getTime() + 3_000),
      lastAt: new Date(NOON.getTime() + 12_000),
      bindingLimit: 'PLAN_RATE',
    });
  });

  it('counts as waiting what goes first: not what is scheduled for later, and no marketing mail before transactional', async () => {
    const tenant = await process.tenant(account, { rate: 1 });
    await send(tenant, [{}, { stream: 'MARKETING' }, { stream: 'MARKETING' }, { scheduledAt: later }]);
    const firstAt = async (stream: Stream, startAt?: Date) => {
      const { firstAt: at } = await limits.forecast(tenant, 'LIVE', {
        recipients: 1,
        stream,
        ...(startAt ? { startAt } : {}),
      });
      return Number(at) - (startAt ?? NOON).getTime();
    };
    expect(await firstAt('TRANSACTIONAL')).toBe(2_000);
    expect(await firstAt('MARKETING')).toBe(4_000);
    await process.query(`UPDATE backlog SET n_rcpt = 50 WHERE tenant_id = $1 AND scheduled`, [tenant]);
    expect(await firstAt('MARKETING', new Date(later.getTime() - 3_599_000))).toBe(3_000);
  });

  it('refuses a stream outside the plan and a number that is none', async () => {
    const tenant = await process.tenant(account, { streams: ['TRANSACTIONAL'] });
    await expect(limits.forecast(tenant, 'LIVE', { recipients: 1, stream: 'MARKETING' })).rejects.toMatchObject({
      code: 'FORBIDDEN_BY_PLAN',
    });
    await expect(limits.forecast(tenant, 'LIVE', { recipients: 0, stream: 'MARKETING' })).rejects.toThrow('recipients');
  });
});
