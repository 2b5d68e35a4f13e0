import type { TenantId } from '@libs/kernel';
import { Ledger } from '@libs/quota';
import { AcceptService, BacklogService, IdempotencyService } from '@libs/sending';
import { waitFor } from '../support/wait-for';
import { SendingProcess, type AccountRow } from './sending-process';

let process: SendingProcess;
let [from, to]: AccountRow[] = [];
let backlog: BacklogService;

beforeAll(async () => {
  process = await SendingProcess.start();
  // A ledger is rebuilt only by a host whose clock agrees with that of Redis.
  const [row] = await process.query<{ now: Date }>('SELECT now()');
  process.clock.advance((row?.now.getTime() ?? 0) - process.clock.nowMs());
  backlog = process.worker.get(BacklogService);
  [from, to] = [await process.account(), await process.account()];
  const limits = { quota: 50_000n, rate: { num: 14, den: 1 }, sesSent: 0n };
  for (const account of [from, to]) await ledger().rebuild(account.id, 1n, limits, [], new Map(), 0);
});
afterAll(() => process.close());

const ledger = () => process.worker.get(Ledger, { strict: false });
function accounts(): { from: AccountRow; to: AccountRow } {
  if (!from || !to) throw new Error('not started');
  return { from, to };
}
async function send(tenantId: TenantId, count: number, key = 'k'): Promise<void> {
  const domain = await process.domainOf(tenantId);
  await process.api.get(AcceptService).accept(
    { tenantId, mode: 'LIVE' },
    {
      idempotencyKey: key,
      emails: Array.from({ length: count }, (_, i) => ({
        from: { email: `hi@${domain}` },
        to: [{ email: 'ann@example.com' }],
        content: { inline: { subject: 's', text: 't' } },
        ...(i % 4 === 0 ? { scheduledAt: new Date(process.clock.nowMs() + 600_000) } : {}),
      })),
    },
  );
}
const perAccount = async (tenant: TenantId) =>
  Object.fromEntries(
    (
      await process.query<{ account: string; state: string; n: string }>(
        `SELECT sending_account_id AS account, state, count(*) AS n FROM message WHERE tenant_id = $1 GROUP BY 1, 2`,
        [tenant],
      )
    ).map((row) => [`${row.account === to?.id ? 'new' : 'old'} ${row.state}`, Number(row.n)]),
  );

it('a backlog follows its tenant, is offered where it goes, and what is being sent stays', async () => {
  const { from: old, to: target } = accounts();
  const tenant = await process.tenant(old, { streams: ['TRANSACTIONAL'] });
  await send(tenant, 600, 'a');
  await send(tenant, 600, 'b');
  await process.query(
    `WITH m AS (UPDATE message SET state = 'INTENT'
                 WHERE id IN (SELECT id FROM message WHERE tenant_id = $1 AND state = 'READY' LIMIT 10) RETURNING id)
     DELETE FROM backlog WHERE message_id IN (SELECT id FROM m)`,
    [tenant],
  );
  expect(await backlog.count(tenant, old.id)).toEqual({ messages: 1_190n, recipients: 1_190n });
  await process.place(tenant, target, 'TRANSACTIONAL');
  expect(await backlog.followPlacements(tenant)).toBe(1_190);
  expect(await perAccount(tenant)).toEqual({ 'new READY': 890, 'new SCHEDULED': 300, 'old INTENT': 10 });
  const readyOn = async (account: AccountRow) =>
    (await ledger().stats(account.id))?.ready.find((one) => one.tenantId === tenant)?.messages ?? 0;
  expect([await readyOn(target), await readyOn(old)]).toEqual([890, 0]);
  expect(await backlog.followPlacements(tenant)).toBe(0);
  // Each lane may have caps of its own.
  const request = { opId: 'moved', epoch: 1n, want: 50, leadMs: 100, sliceMs: 5_000, workers: 1 };
  const grant = await ledger().acquire(target.id, request);
  expect(grant.kind === 'grant' && grant.messages[0]).toMatchObject({ tenantId: tenant, laneId: target.lane });
});

it('mail that asks for a region follows to a placement that serves it, and anywhere where none does any more', async () => {
  const { from: old, to: target } = accounts();
  const tenant = await process.tenant(old, { streams: ['TRANSACTIONAL'] });
  await send(tenant, 40);
  await process.query(`UPDATE message SET region = 'us' WHERE tenant_id = $1`, [tenant]);
  const abroad = await process.account();
  await process.query(`UPDATE sending_account SET region = 'eu-west-1' WHERE id = $1`, [abroad.id]);
  await process.place(tenant, target, 'TRANSACTIONAL');
  await process.query(
    `INSERT INTO placement (tenant_id, id, mode, stream, sending_account_id, lane_id, weight, reason, decided_by, valid_from)
     SELECT tenant_id, gen_random_uuid(), mode, stream, $2, $3, 1000, reason, decided_by, valid_from
       FROM placement WHERE tenant_id = $1 AND valid_to IS NULL`,
    [tenant, abroad.id, abroad.lane],
  );
  expect(await backlog.followPlacements(tenant)).toBe(40);
  expect((await backlog.count(tenant, target.id)).messages).toBe(40n);
  await process.place(tenant, abroad, 'TRANSACTIONAL');
  expect(await backlog.followPlacements(tenant)).toBe(40);
  expect((await backlog.count(tenant, abroad.id)).messages).toBe(40n);
});

it('a backlog is split by weight over several placements, and what stands on one of them stays', async () => {
  const { from: old, to: target } = accounts();
  const tenant = await process.tenant(old, { streams: ['TRANSACTIONAL'] });
  await send(tenant, 800);
  // Left, for two others of which one is new: a third goes to each part of the weight.
  const third = await process.account();
  await process.place(tenant, target, 'TRANSACTIONAL');
  await process.query(
    `INSERT INTO placement (tenant_id, id, mode, stream, sending_account_id, lane_id, weight, reason, decided_by, valid_from)
     SELECT tenant_id, gen_random_uuid(), mode, stream, $2, $3, 500, reason, decided_by, valid_from
       FROM placement WHERE tenant_id = $1 AND valid_to IS NULL`,
    [tenant, third.id, third.lane],
  );
  expect(await backlog.followPlacements(tenant)).toBe(800);
  const rows = await process.query<{ account: string; n: number }>(
    'SELECT sending_account_id AS account, count(*)::int AS n FROM backlog WHERE tenant_id = $1 GROUP BY 1',
    [tenant],
  );
  const on = (account: AccountRow) => rows.find((row) => row.account === account.id)?.n ?? 0;
  expect(on(target) + on(third)).toBe(800);
  expect(on(third)).toBeGreaterThan(200);
  expect(on(third)).toBeLessThan(335);
  expect(await backlog.followPlacements(tenant)).toBe(0);
  expect(
    await process.query(
      `SELECT 1 FROM message m JOIN backlog b ON b.tenant_id = m.tenant_id AND b.message_id = m.id
        WHERE m.tenant_id = $1 AND b.sending_account_id <> m.sending_account_id`,
      [tenant],
    ),
  ).toEqual([]);
});

/** Somebody waits for the lock of a tenant's backlog. */
async function isWaited(): Promise<boolean> {
  const waiting = `SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`;
  return (await process.query(waiting)).length > 0;
}

it('a move waits for every accept that may have read the placement before it', async () => {
  const { from: old, to: target } = accounts();
  const tenant = await process.tenant(old, { streams: ['TRANSACTIONAL'] });
  await send(tenant, 2);
  await process.place(tenant, target, 'TRANSACTIONAL');
  let ended = false;
  // An accept holds the tenant's lock, shared, until it has committed.
  await process.query('BEGIN');
  await process.query('SELECT pg_advisory_xact_lock_shared(hashtextextended($1, 0))', [`backlog ${tenant}`]);
  const moving = backlog.followPlacements(tenant).then(() => {
    ended = true;
  });
  await waitFor(isWaited, { what: 'the move to wait' });
  expect(ended).toBe(false);
  await process.query('COMMIT');
  await moving;
  expect(await perAccount(tenant)).toEqual({ 'new READY': 1, 'new SCHEDULED': 1 });
});

it('an accept waits while a move looks for those before it', async () => {
  const { from: old } = accounts();
  const tenant = await process.tenant(old, { streams: ['TRANSACTIONAL'] });
  let accepted = false;
  await process.query('BEGIN');
  await process.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`backlog ${tenant}`]);
  const domain = await process.domainOf(tenant);
  const call = {
    idempotencyKey: 'k',
    email: {
      from: { email: `hi@${domain}` },
      to: [{ email: 'ann@example.com' }],
      content: { inline: { subject: 's', text: 't' } },
    },
  };
  const accepting = process.api
    .get(AcceptService)
    .acceptOne({ tenantId: tenant, mode: 'LIVE' }, call)
    .then(() => {
      accepted = true;
    });
  await waitFor(isWaited, { what: 'the accept to wait' });
  expect(accepted).toBe(false);
  await process.query('COMMIT');
  await accepting;
  expect(await perAccount(tenant)).toEqual({ 'old READY': 1 });
});

it('an idempotency key is forgotten after 72 hours and not before', async () => {
  const tenant = await process.tenant(accounts().from, { streams: ['TRANSACTIONAL'] });
  await send(tenant, 1, 'old');
  const service = process.worker.get(IdempotencyService);
  const left = async () => (await process.query('SELECT key FROM idempotency WHERE tenant_id = $1', [tenant])).length;
  process.clock.advance(72 * 3_600_000);
  await service.forgetOld();
  expect(await left()).toBe(1);
  process.clock.advance(1);
  await service.forgetOld();
  expect(await left()).toBe(0);
});
