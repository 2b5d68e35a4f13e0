import { newId, type TenantId } from '@libs/kernel';
import { SuppressionService } from '@libs/deliverability';
import { Ledger } from '@libs/quota';
import {
  AcceptService,
  IdempotencyService,
  MessageService,
  type AcceptedEntry,
  type EmailInput,
  type Message,
} from '@libs/sending';
import { waitFor } from '../support/wait-for';
import { NOON, SendingProcess, type AccountRow } from './sending-process';

let process: SendingProcess;
let account: AccountRow;
let accept: AcceptService;

beforeAll(async () => {
  process = await SendingProcess.start();
  accept = process.api.get(AcceptService);
  account = await process.account();
  const limits = { quota: 50_000n, rate: { num: 14, den: 1 }, sesSent: 0n };
  await process.api.get(Ledger, { strict: false }).rebuild(account.id, 1n, limits, [], new Map(), 0);
});
afterAll(() => process.close());

const mail = (domain: string, over: Partial<EmailInput> = {}): EmailInput => ({
  from: { email: `hi@${domain}` },
  to: [{ email: 'ann@example.com', name: 'Ann' }],
  content: { inline: { subject: 'Hello', text: 'Hello' } },
  ...over,
});
const live = (tenantId: TenantId) => ({ tenantId, mode: 'LIVE' as const });
const countOf = async (table: string, tenant: TenantId) =>
  Number(
    (await process.query<{ n: string }>(`SELECT count(*) AS n FROM ${table} WHERE tenant_id = $1`, [tenant]))[0]?.n,
  );
function accepted(entry: AcceptedEntry | undefined): Message {
  if (!entry || !('message' in entry)) throw new Error(JSON.stringify(entry));
  return entry.message;
}
const codes = (entry: AcceptedEntry | undefined) =>
  entry && 'issues' in entry ? entry.issues.map((issue) => `${issue.code} ${(issue.path ?? []).join('.')}`) : [];
const refusal = (code: string) => expect.objectContaining({ issues: [expect.objectContaining({ code })] }) as unknown;

describe('accepting mail', () => {
  it('writes message, body, recipients and first event in one go, and tells the ledger', async () => {
    const tenant = await process.tenant(account);
    const domain = await process.domainOf(tenant);
    const { result, replayed } = await accept.acceptOne(live(tenant), {
      idempotencyKey: 'k1',
      email: mail(domain, { cc: [{ email: 'bob@example.com' }], tags: [{ name: 'campaign', value: 'spring' }] }),
    });
    const message = accepted(result);
    expect(replayed).toBe(false);
    expect(message).toMatchObject({
      state: 'QUEUED',
      nRcpt: 2,
      subject: 'Hello',
      createdAt: NOON,
      to: [{ email: 'ann@example.com', name: 'Ann' }],
    });
    const stored = await process.api.get(MessageService).get(tenant, message.id);
    expect(stored).toEqual(message);
    const [body] = await process.query<{ content: object }>('SELECT content FROM message_body WHERE message_id = $1', [
      message.id,
    ]);
    expect(body?.content).toEqual({
      from: { email: `hi@${domain}` },
      to: [{ email: 'ann@example.com', name: 'Ann' }],
      cc: [{ email: 'bob@example.com' }],
      bcc: [],
      replyTo: [],
      subject: 'Hello',
      text: 'Hello',
      headers: [],
      attachments: [],
    });
    const timeline = await process.api.get(MessageService).timeline(tenant, message.id, { limit: 10 });
    expect(timeline.rows.map((event) => event.type)).toEqual(['message.queued']);
    const ready = () => process.api.get(Ledger, { strict: false }).stats(account.id);
    await waitFor(async () => (await ready())?.ready.some((one) => one.tenantId === tenant && one.messages === 1), {
      what: 'the message to be in the ledger',
    });
  });

  it('notes what attachments weigh, once, and nothing for mail without any', async () => {
    const tenant = await process.tenant(account);
    const domain = await process.domainOf(tenant);
    const base64 = Buffer.alloc(1_000, 'a').toString('base64');
    const attachments = [
      { filename: 'a.txt', base64 },
      { filename: 'b.txt', base64 },
    ];
    const call = { idempotencyKey: 'k1', emails: [mail(domain), mail(domain, { attachments })] };
    const { results } = await accept.accept(live(tenant), call);
    await accept.accept(live(tenant), call);
    expect(
      await process.query('SELECT message_id, bytes FROM message_attachment WHERE tenant_id = $1', [tenant]),
    ).toEqual([{ message_id: accepted(results[1]).id, bytes: 2_000 }]);
  });

  it('notes each tag of what is accepted, once, and nothing for mail without any', async () => {
    const tenant = await process.tenant(account);
    const domain = await process.domainOf(tenant);
    const tags = [
      { name: 'campaign', value: 'spring' },
      { name: 'kind', value: 'news' },
    ];
    const unwelcome = mail('other.example', { tags });
    const call = { idempotencyKey: 'k1', emails: [mail(domain), mail(domain, { tags }), unwelcome] };
    const { results } = await accept.accept(live(tenant), call);
    await accept.accept(live(tenant), call);
    const message_id = accepted(results[1]).id;
    expect(
      await process.query('SELECT message_id, name, value FROM message_tag WHERE tenant_id = $1 ORDER BY name', [
        tenant,
      ]),
    ).toEqual(tags.map((tag) => ({ message_id, ...tag })));
  });

  it('takes the good entries of a batch and says what is wrong with the others', async () => {
    const tenant = await process.tenant(account);
    const domain = await process.domainOf(tenant);
    const { results } = await accept.accept(live(tenant), {
      idempotencyKey: 'k1',
      emails: [
        mail(domain),
        mail(domain, { to: [{ email: 'nope' }] }),
        mail('elsewhere.example'),
        mail(domain, { stream: 'BULK' }),
        mail(domain, { to: Array.from({ length: 51 }, (_, i) => ({ email: `p${String(i)}@example.com` })) }),
        mail(domain, { stream: 'MARKETING', scheduledAt: new Date(NOON.getTime() + 60_000) }),
      ],
    });
    expect(accepted(results[0]).state).toBe('QUEUED');
    expect(codes(results[1])).toEqual(['INVALID_INPUT emails.1.to.0.email']);
    expect(codes(results[2])).toEqual(['DOMAIN_NOT_VERIFIED emails.2.from']);
    expect(codes(results[3])).toEqual(['INVALID_INPUT emails.3.stream']);
    expect(codes(results[4])).toEqual(['TOO_MANY_RECIPIENTS emails.4.to']);
    expect(accepted(results[5])).toMatchObject({ state: 'SCHEDULED', stream: 'MARKETING' });
    expect(await countOf('message', tenant)).toBe(2);
  });

  it('takes a thousand at once, and not one more', async () => {
    const tenant = await process.tenant(account);
    const domain = await process.domainOf(tenant);
    const emails = Array.from({ length: 1_000 }, (_, i) =>
      mail(domain, { to: [{ email: `p${String(i)}@example.com` }] }),
    );
    const { results } = await accept.accept(live(tenant), { idempotencyKey: 'k', emails });
    expect(results.every((entry) => 'message' in entry)).toBe(true);
    expect(await countOf('recipient', tenant)).toBe(1_000);
    const tooMany = accept.accept(live(tenant), { idempotencyKey: 'k2', emails: [...emails, mail(domain)] });
    await expect(tooMany).rejects.toEqual(refusal('BATCH_TOO_LARGE'));
  });

  it('writes nothing in a dry run, and finds the same mistakes', async () => {
    const tenant = await process.tenant(account);
    const domain = await process.domainOf(tenant);
    const call = { idempotencyKey: 'k', emails: [mail(domain), mail('elsewhere.example')], dryRun: true };
    const { results } = await accept.accept(live(tenant), call);
    expect(results[0]).toEqual({ issues: [] });
    expect(codes(results[1])).toEqual(['DOMAIN_NOT_VERIFIED emails.1.from']);
    expect([await countOf('message', tenant), await countOf('idempotency', tenant)]).toEqual([0, 0]);
  });

  it('says in a dry run that a key was used for something else', async () => {
    const tenant = await process.tenant(account);
    const email = mail(await process.domainOf(tenant));
    await accept.acceptOne(live(tenant), { idempotencyKey: 'k', email });
    const again = { idempotencyKey: 'k', email, dryRun: true };
    expect(await accept.acceptOne(live(tenant), again)).toMatchObject({ result: { issues: [] } });
    const other = accept.acceptOne(live(tenant), { ...again, email: { ...email, to: [{ email: 'bob@example.com' }] } });
    await expect(other).rejects.toEqual(refusal('IDEMPOTENCY_KEY_REUSED'));
  });

  it('goes on without Redis', async () => {
    const other = await SendingProcess.start();
    try {
      const own = await other.account();
      const tenant = await other.tenant(own);
      other.dropRedis();
      const call = { idempotencyKey: 'k', email: mail(await other.domainOf(tenant)) };
      const { result } = await other.api.get(AcceptService).acceptOne(live(tenant), call);
      expect(accepted(result).state).toBe('QUEUED');
    } finally {
      await other.close();
    }
  });
});

describe('who may send what', () => {
  it("refuses another tenant's verified domain", async () => {
    const [mine, theirs] = [await process.tenant(account), await process.tenant(account)];
    const { result } = await accept.acceptOne(live(mine), {
      idempotencyKey: 'k',
      email: mail(await process.domainOf(theirs)),
    });
    expect(codes(result)).toEqual(['DOMAIN_NOT_VERIFIED email.from']);
  });

  it('refuses a domain that waits for its proof, and a stream outside the plan', async () => {
    const tenant = await process.tenant(account, { ready: false, streams: ['TRANSACTIONAL'] });
    const email = mail(await process.domainOf(tenant), { stream: 'MARKETING' });
    const { result } = await accept.acceptOne(live(tenant), { idempotencyKey: 'k', email });
    expect(codes(result)).toEqual(['FORBIDDEN_BY_PLAN email.stream', 'DOMAIN_NOT_VERIFIED email.from']);
  });

  it('refuses everything while the tenant is paused, and replays what was accepted before', async () => {
    const tenant = await process.tenant(account);
    const call = { idempotencyKey: 'k', email: mail(await process.domainOf(tenant)) };
    const first = accepted((await accept.acceptOne(live(tenant), call)).result);
    await process.query(`UPDATE tenant SET state = 'PAUSED', paused_reason = 'unpaid' WHERE id = $1`, [tenant]);
    await expect(accept.acceptOne(live(tenant), { ...call, idempotencyKey: 'k2' })).rejects.toEqual(
      refusal('TENANT_PAUSED'),
    );
    expect(accepted((await accept.acceptOne(live(tenant), call)).result).id).toBe(first.id);
  });

  it('lets no more wait than the plan sends in three days', async () => {
    const tenant = await process.tenant(account, { dayCap: 2 });
    const domain = await process.domainOf(tenant);
    const emails = Array.from({ length: 7 }, () => mail(domain));
    const { results } = await accept.accept(live(tenant), { idempotencyKey: 'k', emails });
    expect(results.filter((entry) => 'message' in entry)).toHaveLength(6);
    const last = results[6];
    expect(last && 'issues' in last ? last.issues[0] : undefined).toMatchObject({
      code: 'PLAN_QUOTA_EXCEEDED',
      retryAt: new Date(NOON.getTime() + 43_200_000),
    });
    const again = await accept.acceptOne(live(tenant), { idempotencyKey: 'k2', email: mail(domain) });
    expect(codes(again.result)).toEqual(['PLAN_QUOTA_EXCEEDED email.to']);
  });

  it('has no test mode where no test account stands', async () => {
    const tenant = await process.tenant(account);
    const by = { tenantId: tenant, mode: 'TEST' as const };
    const { result } = await accept.acceptOne(by, { idempotencyKey: 'k', email: mail(await process.domainOf(tenant)) });
    expect(codes(result)).toEqual(['NO_CAPACITY email.stream']);
  });

  it('answers an unknown tenant as not found', async () => {
    const nobody = live(newId<TenantId>());
    await expect(accept.acceptOne(nobody, { idempotencyKey: 'k', email: mail('x.example') })).rejects.toEqual(
      refusal('NOT_FOUND'),
    );
  });
});

describe('an idempotency key', () => {
  it('answers the same request with the same messages and mistakes', async () => {
    const tenant = await process.tenant(account);
    const domain = await process.domainOf(tenant);
    const call = { idempotencyKey: 'k', emails: [mail(domain), mail('elsewhere.example')] };
    const first = await accept.accept(live(tenant), call);
    const second = await accept.accept(live(tenant), call);
    expect(second).toEqual({ ...first, replayed: true });
    expect(await countOf('message', tenant)).toBe(1);
  });

  it('is refused for another request, and free for another tenant or mode', async () => {
    const [tenant, other] = [await process.tenant(account), await process.tenant(account)];
    await accept.acceptOne(live(tenant), { idempotencyKey: 'k', email: mail(await process.domainOf(tenant)) });
    const changed = {
      idempotencyKey: 'k',
      email: mail(await process.domainOf(tenant), { to: [{ email: 'bob@example.com' }] }),
    };
    await expect(accept.acceptOne(live(tenant), changed)).rejects.toEqual(refusal('IDEMPOTENCY_KEY_REUSED'));
    const theirs = await accept.acceptOne(live(other), {
      idempotencyKey: 'k',
      email: mail(await process.domainOf(other)),
    });
    expect(theirs.replayed).toBe(false);
  });

  it('may be used again when nothing was accepted under it', async () => {
    const tenant = await process.tenant(account);
    const wrong = await accept.acceptOne(live(tenant), { idempotencyKey: 'k', email: mail('elsewhere.example') });
    expect(codes(wrong.result)).toEqual(['DOMAIN_NOT_VERIFIED email.from']);
    const right = await accept.acceptOne(live(tenant), {
      idempotencyKey: 'k',
      email: mail(await process.domainOf(tenant)),
    });
    expect(accepted(right.result).state).toBe('QUEUED');
  });

  it('makes one message out of many requests at the same time', async () => {
    const tenant = await process.tenant(account);
    const call = { idempotencyKey: 'k', email: mail(await process.domainOf(tenant)) };
    const all = await Promise.all(Array.from({ length: 8 }, () => accept.acceptOne(live(tenant), call)));
    expect(new Set(all.map(({ result }) => accepted(result).id)).size).toBe(1);
    expect(all.filter(({ replayed }) => !replayed)).toHaveLength(1);
    expect(await countOf('message', tenant)).toBe(1);
  });

  it('says that the first request is still under way when that takes long', async () => {
    const tenant = await process.tenant(account);
    await process.query('BEGIN');
    await process.query(
      `INSERT INTO idempotency (tenant_id, mode, key, request_hash, result, created_at) VALUES ($1, 'LIVE', 'k', '\\x00', '[]', $2)`,
      [tenant, NOON],
    );
    const call = { idempotencyKey: 'k', email: mail(await process.domainOf(tenant)) };
    await expect(accept.acceptOne(live(tenant), call)).rejects.toEqual(refusal('IDEMPOTENCY_IN_PROGRESS'));
    await process.query('ROLLBACK');
    expect(await countOf('message', tenant)).toBe(0);
  });

  it('is forgotten after 72 h, however many there are, and not before', async () => {
    const tenant = await process.tenant(account);
    const remember = (name: string, many: number, hours: number) =>
      process.query(
        `INSERT INTO idempotency (tenant_id, mode, key, request_hash, result, created_at)
         SELECT $1, 'LIVE', $2 || n, '\\x00', '[]', $3 FROM generate_series(1, $4) AS n`,
        [tenant, name, new Date(NOON.getTime() - hours * 3_600_000), many],
      );
    await remember('old', 12_000, 72.1);
    await remember('young', 10, 71.9);
    const keys = process.worker.get(IdempotencyService);
    expect(await keys.forgetOld()).toBe(12_000);
    expect(await keys.forgetOld()).toBe(0);
    expect(await countOf('idempotency', tenant)).toBe(10);
  });

  it('is named with every other mistake of the request', async () => {
    const tenant = await process.tenant(account);
    const call = { idempotencyKey: '', email: mail('x.example', { to: [{ email: 'nope' }] }) };
    await expect(accept.acceptOne(live(tenant), call)).rejects.toMatchObject({
      issues: [{ path: ['idempotencyKey'] }, { path: ['email', 'to', '0', 'email'] }],
    });
  });
});

describe('calls that arrive at the same time', () => {
  const manyAt = (tenant: TenantId, domain: string, keys: readonly string[]) =>
    keys.map((idempotencyKey) => accept.acceptOne(live(tenant), { idempotencyKey, email: mail(domain) }));

  it('share transactions and are answered one by one', async () => {
    const tenant = await process.tenant(account);
    const keys = Array.from({ length: 60 }, (_, i) => `k${String(i)}`);
    const all = await Promise.all(manyAt(tenant, await process.domainOf(tenant), keys));
    expect(new Set(all.map(({ result }) => accepted(result).id)).size).toBe(60);
    const [stored] = await process.query<{ calls: string; transactions: string }>(
      'SELECT count(*) AS calls, count(DISTINCT xmin::text) AS transactions FROM idempotency WHERE tenant_id = $1',
      [tenant],
    );
    expect(Number(stored?.calls)).toBe(60);
    expect(Number(stored?.transactions)).toBeLessThan(30);
  });

  it('fail alone', async () => {
    const tenant = await process.tenant(account);
    const domain = await process.domainOf(tenant);
    await accept.acceptOne(live(tenant), { idempotencyKey: 'used', email: mail(domain, { region: 'us' }) });
    await process.query('BEGIN');
    await process.query(
      `INSERT INTO idempotency (tenant_id, mode, key, request_hash, result, created_at) VALUES ($1, 'LIVE', 'busy', '\\x00', '[]', $2)`,
      [tenant, NOON],
    );
    const calls = Promise.allSettled(manyAt(tenant, domain, ['a', 'b', 'busy', 'used', 'c']));
    const settled = await calls;
    await process.query('ROLLBACK');
    expect(settled.map((one) => one.status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'rejected', 'fulfilled']);
    expect(settled.map((one) => (one.status === 'rejected' ? (one.reason as unknown) : undefined))).toEqual([
      undefined,
      undefined,
      refusal('IDEMPOTENCY_IN_PROGRESS'),
      refusal('IDEMPOTENCY_KEY_REUSED'),
      undefined,
    ]);
    expect(await countOf('message', tenant)).toBe(4);
  });

  const two = async () => {
    const [ann, bob] = [await process.tenant(account), await process.tenant(account)];
    return { ann, bob, annsDomain: await process.domainOf(ann), bobsDomain: await process.domainOf(bob) };
  };
  const keys = (count: number) => Array.from({ length: count }, (_, i) => `k${String(i)}`);

  it('share transactions across tenants, and each reads and writes its own only', async () => {
    const { ann, bob, annsDomain, bobsDomain } = await two();
    await process.api.get(SuppressionService).suppress(bob, ['ann@example.com'], { actor: 'key:test' });
    const [anns, bobs, stolen] = await Promise.all([
      Promise.all(manyAt(ann, annsDomain, keys(20))),
      Promise.all(manyAt(bob, bobsDomain, keys(20))),
      Promise.all(manyAt(bob, annsDomain, ['x'])),
    ]);
    expect(anns.map(({ result }) => accepted(result).state)).toEqual(keys(20).map(() => 'QUEUED'));
    expect(bobs.map(({ result }) => accepted(result).state)).toEqual(keys(20).map(() => 'SUPPRESSED'));
    expect(codes(stolen[0]?.result)).toEqual(['DOMAIN_NOT_VERIFIED email.from']);
    for (const [tenant, own] of [
      [ann, anns],
      [bob, bobs],
    ] as const) {
      const stored = await process.query<{ id: string }>('SELECT id FROM message WHERE tenant_id = $1', [tenant]);
      expect(new Set(stored.map(({ id }) => id))).toEqual(new Set(own.map(({ result }) => accepted(result).id)));
    }
    const [shared] = await process.query<{ n: string }>(
      `SELECT count(*) AS n FROM (SELECT xmin::text FROM idempotency WHERE tenant_id = $1
        INTERSECT SELECT xmin::text FROM idempotency WHERE tenant_id = $2) AS shared`,
      [ann, bob],
    );
    expect(Number(shared?.n)).toBeGreaterThan(0);
  });

  it('go through beside one that the database cannot take', async () => {
    const { ann, bob, annsDomain, bobsDomain } = await two();
    await process.query("ALTER TABLE idempotency ADD CONSTRAINT no_poison CHECK (key <> 'poison')");
    const settled = await Promise.allSettled([
      ...manyAt(bob, bobsDomain, ['b0']),
      ...manyAt(ann, annsDomain, ['a1', 'poison', 'a2']),
      ...manyAt(bob, bobsDomain, ['b1', 'b2']),
    ]);
    await process.query('ALTER TABLE idempotency DROP CONSTRAINT no_poison');
    expect(settled.map((one) => one.status === 'fulfilled')).toEqual([true, true, false, true, true, true]);
    expect([await countOf('message', ann), await countOf('message', bob)]).toEqual([2, 3]);
  });

  it("wait neither for another tenant's key nor for its move", async () => {
    const { ann, bob, annsDomain, bobsDomain } = await two();
    const key = `INSERT INTO idempotency (tenant_id, mode, key, request_hash, result, created_at)
                 VALUES ($1, 'LIVE', 'held', '\\x00', '[]', now())`;
    const move = "SELECT pg_advisory_xact_lock(hashtextextended('backlog ' || $1::uuid, 0))";
    for (const [n, hold] of [key, move].entries()) {
      await process.query('BEGIN');
      await process.query(hold, [ann]);
      const ended: string[] = [];
      const held = manyAt(ann, annsDomain, ['held', `a${String(n)}`]).map(async (one) => {
        accepted((await one).result);
        ended.push('ann');
      });
      await Promise.all(manyAt(bob, bobsDomain, [`b${String(n)}`, `c${String(n)}`]));
      ended.push('bob');
      await process.query('ROLLBACK');
      await Promise.all(held);
      expect(ended.indexOf('bob')).toBeLessThan(2);
      expect(ended).toHaveLength(3);
    }
  });

  it('wait each by itself for what is held for longer than others should wait, and are taken in', async () => {
    const { ann, bob, annsDomain, bobsDomain } = await two();
    await process.query('BEGIN');
    // As PostgreSQL holds a table that large batches make grow, only for longer.
    await process.query('LOCK TABLE backlog IN SHARE MODE');
    const calls = [...manyAt(ann, annsDomain, keys(3)), ...manyAt(bob, bobsDomain, keys(2))];
    const waiting = `SELECT FROM pg_locks WHERE NOT granted AND relation = 'backlog'::regclass`;
    // More than ever share transactions at a time.
    await waitFor(async () => (await process.query(waiting)).length === 5, { what: 'every call to wait by itself' });
    await process.query('ROLLBACK');
    for (const { result } of await Promise.all(calls)) expect(accepted(result).state).toBe('QUEUED');
  });
});

describe('mail in doubt', () => {
  const policies = async (tenant: TenantId) =>
    (
      await process.query<{ policy: string }>(
        'SELECT in_doubt_policy AS policy FROM message WHERE tenant_id = $1 ORDER BY id',
        [tenant],
      )
    ).map((row) => row.policy);

  it("follows the plan's policy of its stream, or its own", async () => {
    const tenant = await process.tenant(account);
    await process.query(
      `UPDATE plan SET marketing_in_doubt = 'AT_MOST_ONCE' WHERE id = (SELECT plan_id FROM tenant WHERE id = $1)`,
      [tenant],
    );
    const domain = await process.domainOf(tenant);
    const { results } = await accept.accept(live(tenant), {
      idempotencyKey: 'k',
      emails: [
        mail(domain),
        mail(domain, { stream: 'MARKETING' }),
        mail(domain, { inDoubtPolicy: 'AT_MOST_ONCE' }),
        mail(domain, { inDoubtPolicy: 'TWICE' }),
      ],
    });
    expect(await policies(tenant)).toEqual(['AT_LEAST_ONCE', 'AT_MOST_ONCE', 'AT_MOST_ONCE']);
    expect(codes(results[3])).toEqual(['INVALID_INPUT emails.3.inDoubtPolicy']);
  });
});

describe('a stream with several placements', () => {
  it('goes out through all of them, by weight', async () => {
    const [tenant, second] = [await process.tenant(account), await process.account()];
    await process.query('UPDATE placement SET weight = 250 WHERE tenant_id = $1', [tenant]);
    await process.query(
      `INSERT INTO placement (tenant_id, id, mode, stream, sending_account_id, lane_id, weight, reason, decided_by, valid_from)
       VALUES ($1, $2, 'LIVE', 'TRANSACTIONAL', $3, $4, 750, 'test', 'test', $5)`,
      [tenant, newId(), second.id, second.lane, NOON],
    );
    const domain = await process.domainOf(tenant);
    await accept.accept(live(tenant), { idempotencyKey: 'k', emails: Array.from({ length: 400 }, () => mail(domain)) });
    const rows = await process.query<{ id: string; n: string }>(
      'SELECT sending_account_id AS id, count(*) AS n FROM backlog WHERE tenant_id = $1 GROUP BY 1',
      [tenant],
    );
    const share = Number(rows.find((row) => row.id === second.id)?.n) / 400;
    expect(share).toBeGreaterThan(0.65);
    expect(share).toBeLessThan(0.85);
  });
});

describe('suppressed recipients', () => {
  it('are recorded and left out; a message with nobody else is SUPPRESSED and never READY', async () => {
    const tenant = await process.tenant(account);
    const domain = await process.domainOf(tenant);
    await process.api.get(SuppressionService).suppress(tenant, ['Ann@Example.com'], { actor: 'key:test' });
    const { results } = await accept.accept(live(tenant), {
      idempotencyKey: 'k',
      emails: [mail(domain, { to: [{ email: 'ANN@example.com' }, { email: 'bob@example.com' }] }), mail(domain)],
    });
    const [some, all] = [accepted(results[0]), accepted(results[1])];
    expect(some).toMatchObject({ state: 'QUEUED', nRcpt: 1 });
    expect(some.recipients.map((one) => one.state)).toEqual(['SUPPRESSED', 'QUEUED']);
    expect(all.state).toBe('SUPPRESSED');
    const bodies = await process.query<{ to: { email: string }[] }>(
      `SELECT content -> 'to' AS to FROM message_body WHERE message_id = $1`,
      [some.id],
    );
    expect(bodies[0]?.to).toEqual([{ email: 'bob@example.com' }]);
    const [row] = await process.query<{ state: string }>('SELECT state FROM message WHERE id = $1', [all.id]);
    expect(row?.state).toBe('SUPPRESSED');
    const timeline = await process.api.get(MessageService).timeline(tenant, all.id, { limit: 5 });
    expect(timeline.rows.map((event) => event.type)).toEqual(['message.suppressed']);
  });

  it('of one tenant are no business of another', async () => {
    const [tenant, other] = [await process.tenant(account), await process.tenant(account)];
    await process.api.get(SuppressionService).suppress(other, ['ann@example.com'], { actor: 'key:test' });
    const { result } = await accept.acceptOne(live(tenant), {
      idempotencyKey: 'k',
      email: mail(await process.domainOf(tenant)),
    });
    expect(accepted(result).state).toBe('QUEUED');
  });

  it('always include suppressed@postfleet.test', async () => {
    const tenant = await process.tenant(account);
    const email = mail(await process.domainOf(tenant), { to: [{ email: 'suppressed+a@postfleet.test' }] });
    expect(accepted((await accept.acceptOne(live(tenant), { idempotencyKey: 'k', email })).result).state).toBe(
      'SUPPRESSED',
    );
  });
});
