import { EngineRows, EPOCH, UNTOUCHED } from './engine-rows';
import { NOON } from './sending-process';

/** What a claim takes, what it leaves and why, on the statements themselves. */
describe('a claim', () => {
  let rows: EngineRows;

  beforeAll(async () => {
    rows = await EngineRows.start();
  });
  beforeEach(() => rows.openAccounts());
  afterAll(() => rows.close());

  const at = (ms: number) => new Date(NOON.getTime() + ms).toISOString();
  const left = (changes: object) => ({ ...UNTOUCHED, ...changes });
  const held = (detail: string, seconds: number) => left({ detail, waitS: seconds, dueS: seconds });
  const batchOf = (id: string) =>
    rows.query('SELECT state, worker, granted, claimed, message_ids AS ids FROM batch WHERE id = $1', [id]);
  // $1 tenant, $2 message, $3 something else.
  const ofTenant = (table: string, change: string) => `UPDATE ${table} SET ${change} WHERE tenant_id = $1 AND $2 <> ''`;
  const ofMessage = (change: string) => `UPDATE message SET ${change} WHERE tenant_id = $1 AND id = $2`;
  const suppress = (name: string, tenant = '$1') =>
    `INSERT INTO suppression (tenant_id, id, address, reason, created_at)
     SELECT ${tenant}, gen_random_uuid(), '${name}@inbox.example', 'MANUAL', created_at FROM message WHERE tenant_id = $1 AND id = $2`;

  it('takes what may go, in the order of its ticket, and books it', async () => {
    const messages = [await rows.waiting(), await rows.waiting(), await rows.waiting()].reverse();
    const ticket = rows.ticketOf(messages);
    const claim = await rows.claims.claim(ticket);
    const attempts = claim.kind === 'claimed' ? claim.attempts : [];
    expect(attempts.map(({ id, recipients }) => [id, recipients])).toEqual(messages.map(({ id }) => [id, 2]));
    expect(attempts.map(({ configurationSet }) => configurationSet)).toEqual(['pf-test', 'pf-test', 'pf-test']);
    for (const one of messages)
      expect(await rows.rowOf(one)).toEqual(left({ state: 'INTENT', attemptNo: 1, waits: false }));
    expect(await batchOf(ticket.batchId)).toMatchObject([{ state: 'OPEN', worker: 'w1', granted: 6, claimed: 6 }]);
    expect(await rows.attemptsOf(messages.map(({ id }) => id))).toHaveLength(3);
    // Delivered once more.
    expect(await rows.claims.claim(ticket)).toEqual({ kind: 'refused', why: 'taken' });
  });

  it.each([
    ['was canceled', ofMessage(`state = 'CANCELED'`), left({ state: 'CANCELED', waits: false })],
    ['is another worker’s', ofMessage(`state = 'INTENT'`), left({ state: 'INTENT', waits: false })],
    ['has no time left', ofMessage(`expires_at = '${at(0)}'`), UNTOUCHED],
    ['is to wait a second more', ofMessage(`not_before = '${at(1_000)}'`), left({ waitS: 1 })],
    ['stands on another account by now', ofMessage('sending_account_id = $3'), UNTOUCHED],
    [
      'is of a paused tenant',
      `UPDATE tenant SET state = 'PAUSED' WHERE id = $1 AND $2 <> ''`,
      held('TENANT_PAUSED', 2),
    ],
    ['has a domain that is not ready', ofTenant('domain', `state = 'PENDING'`), held('DOMAIN_NOT_READY', 10)],
    [
      'has a domain that SES no longer verifies',
      ofTenant('domain_identity', `state = 'FAILED'`),
      held('DOMAIN_NOT_READY', 10),
    ],
    [
      'comes from below a domain that only another tenant of the ticket has',
      ofMessage(`from_address = 'hi@sub.' || (SELECT name FROM domain WHERE tenant_id <> $1 ORDER BY id DESC LIMIT 1)`),
      held('DOMAIN_NOT_READY', 10),
    ],
    [
      'has a domain that is verified elsewhere',
      ofTenant('domain_identity', 'sending_account_id = $3'),
      held('DOMAIN_NOT_READY', 10),
    ],
    ['has no configuration set yet', ofTenant('configuration_set', 'ready_at = NULL'), held('ROUTE_NOT_READY', 5)],
    [
      'is held after a refusal',
      ofTenant('configuration_set', `held_until = '${at(1)}', held_for = 'DENIED'`),
      held('ROUTE_NOT_READY', 5),
    ],
    [
      'lost all of its recipients to the list',
      `WITH a AS (${suppress('ann')}) ${suppress('bob')}`,
      left({ state: 'SUPPRESSED', waits: false }),
    ],
  ])('leaves a message that %s, and takes the others', async (_, change, expected) => {
    const [one, odd] = [await rows.waiting(), await rows.waiting()];
    const parameters = [odd.tenantId, odd.id, ...(change.includes('$3') ? [rows.elsewhere.id] : [])];
    await rows.query(change, parameters);
    const ticket = rows.ticketOf([odd, one]);
    const claim = await rows.claims.claim(ticket);
    expect(claim.kind === 'claimed' && claim.attempts.map(({ id }) => id)).toEqual([one.id]);
    expect(await rows.rowOf(odd)).toEqual(expected);
    expect(await rows.attemptsOf([odd.id])).toEqual([]);
    expect(await batchOf(ticket.batchId)).toMatchObject([{ claimed: 2, ids: [one.id] }]);
  });

  it.each([
    ['whose wait has just ended', ofMessage(`not_before = '${at(0)}', detail = 'TENANT_PAUSED'`), 2],
    [
      'whose route was held until now',
      ofTenant('configuration_set', `held_until = '${at(0)}', held_for = 'DENIED'`),
      2,
    ],
    ['that lost one of its recipients to the list', suppress('ann'), 1],
    ['of whose recipients another tenant wants none', suppress('ann', '$3'), 2],
  ])('takes a message %s', async (_, change, recipients) => {
    const [other, odd] = [await rows.waiting(), await rows.waiting()];
    await rows.query(change, [odd.tenantId, odd.id, ...(change.includes('$3') ? [other.tenantId] : [])]);
    const ticket = rows.ticketOf([odd]);
    const claim = await rows.claims.claim(ticket);
    expect(claim.kind === 'claimed' && claim.attempts).toMatchObject([{ id: odd.id, recipients }]);
    expect(await rows.rowOf(odd)).toEqual(left({ state: 'INTENT', attemptNo: 1, waits: false }));
    expect(await rows.attemptsOf([odd.id])).toMatchObject([{ state: 'INTENT', recipients }]);
    expect(await batchOf(ticket.batchId)).toMatchObject([{ claimed: recipients, ids: [odd.id] }]);
  });

  it.each([
    ['of an older epoch', `UPDATE sending_account SET epoch = ${String(EPOCH + 1)} WHERE id = $1`, 'epoch'],
    [
      'of an account that is switched off',
      'UPDATE sending_account SET sending_enabled = false WHERE id = $1',
      'account',
    ],
    ['of a paused account', `UPDATE sending_account SET state = 'PAUSED' WHERE id = $1`, 'account'],
    ['of a suspended account', `UPDATE sending_account SET state = 'SUSPENDED' WHERE id = $1`, 'account'],
    [
      'that was voided',
      `INSERT INTO batch (id, sending_account_id, state, worker, granted, claimed, bucket, slot_end, created_at)
       VALUES ($2, $1, 'VOID', 'w2', 2, 0, now(), now(), now())`,
      'taken',
    ],
  ])('of a batch %s is refused and writes nothing', async (_, change, why) => {
    const one = await rows.waiting();
    const ticket = rows.ticketOf([one]);
    await rows.query(change, [rows.account.id, ...(change.includes('$2') ? [ticket.batchId] : [])]);
    expect(await rows.claims.claim(ticket)).toEqual({ kind: 'refused', why });
    expect(await rows.rowOf(one)).toEqual(UNTOUCHED);
    expect(await rows.attemptsOf([one.id])).toEqual([]);
  });
});
