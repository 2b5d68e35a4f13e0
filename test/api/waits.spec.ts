import { newId, type MessageId, type SendingAccountId, type TenantId } from '../../libs/kernel/src';
import { Ledger } from '../../libs/quota/src';
import { waitFor } from '../support/wait-for';
import { answered, startApi, type ApiUnderTest } from './api-under-test';
import { givenFleet, insertAccount, type GivenTenant } from './given';

interface Wait {
  readonly limit: string;
  readonly explanation: string;
  readonly estimatedSendAt: string | null;
  readonly ahead: number | null;
}

let api: ApiUnderTest;
let acme: GivenTenant;
let rival: GivenTenant;
let home: SendingAccountId;
let abroad: SendingAccountId;

beforeAll(async () => {
  api = await startApi();
  const fleet = await givenFleet(api);
  acme = await fleet.tenant('Acme', 'acme.example');
  rival = await fleet.tenant('Rival', 'rival.example');
  await insertAccount(api, '222222222222', 'LIVE');
  const ofAccount = `aws_account_id = (SELECT id FROM aws_account WHERE account_id = $1)`;
  const find = async (accountId: string) =>
    (await api.sql<{ id: SendingAccountId }>(`SELECT id FROM sending_account WHERE ${ofAccount}`, [accountId]))[0]!.id;
  await api.sql(`UPDATE sending_account SET region = 'eu-west-1' WHERE ${ofAccount}`, ['222222222222']);
  [home, abroad] = [await find('111111111111'), await find('222222222222')];
  // What a worker does with a placement.
  await api.sql(
    `INSERT INTO placement (tenant_id, id, mode, stream, sending_account_id, lane_id, weight, reason, decided_by, valid_from)
     SELECT $1, $2, 'LIVE', 'TRANSACTIONAL', $3, l.id, 500, 'test', 'test', now() FROM lane l WHERE l.sending_account_id = $3`,
    [acme.uuid, newId(), abroad],
  );
  await api.sql(
    `INSERT INTO configuration_set (tenant_id, sending_account_id, stream, name, lane_id)
     SELECT tenant_id, sending_account_id, stream, 'pf-test', lane_id FROM placement WHERE mode = 'LIVE' ON CONFLICT DO NOTHING`,
  );
  await api.sql('UPDATE configuration_set SET ready_at = now()');
  await api.sql(
    `INSERT INTO domain_identity (tenant_id, domain_id, sending_account_id, state, checked_at)
     SELECT d.tenant_id, d.id, s.id, 'VERIFIED', now() FROM domain d, sending_account s WHERE s.id = ANY($1)
     ON CONFLICT (tenant_id, domain_id, sending_account_id) DO UPDATE SET state = 'VERIFIED'`,
    [[home, abroad]],
  );
});
afterAll(() => api.close());

async function send(tenant: GivenTenant, count: number, region?: string): Promise<string[]> {
  const email = {
    from: { email: `hi@${tenant.domain}` },
    to: [{ email: 'ann@example.com' }],
    content: { inline: { subject: 'Hello', text: 'Hello' } },
    ...(region === undefined ? {} : { region }),
  };
  const answer = await api.customer(
    tenant.liveKey,
    `mutation ($input: SendEmailsInput!) { sendEmails(input: $input) { results { message { id } userErrors { message } } userErrors { message } } }`,
    { input: { idempotencyKey: newId<MessageId>(), emails: Array.from({ length: count }, () => email) } },
  );
  const { results } = answered<{ results: { message: { id: string } | null }[] }>(answer, 'sendEmails');
  return results.map(({ message }) => message?.id ?? answer.text);
}
async function waitOf(tenant: GivenTenant, id: string | undefined): Promise<Wait> {
  const query = 'query ($id: ID!) { message(id: $id) { wait { limit explanation estimatedSendAt ahead } } }';
  return answered<{ wait: Wait }>(await api.customer(tenant.liveKey, query, { id }), 'message').wait;
}
async function outlook(tenant: GivenTenant) {
  const query = `{ forecast(recipients: 1000, stream: TRANSACTIONAL) { firstAt lastAt bindingLimit }
                   viewer { sendingLimits { pausedReason } } }`;
  const answer = await api.customer(tenant.liveKey, query);
  return {
    ...answered<{ firstAt: string | null; lastAt: string | null; bindingLimit: string }>(answer, 'forecast'),
    ...answered<{ sendingLimits: { pausedReason: string | null } }>(answer, 'viewer').sendingLimits,
  };
}
const set = (account: SendingAccountId, change: string) =>
  api.sql(`UPDATE sending_account SET ${change} WHERE id = $1`, [account]);
const SENDS = `state = 'PRODUCTION', sending_enabled = true`;

describe('the wait of a message', () => {
  it.each([`state = 'PAUSED'`, `state = 'SUSPENDED'`, 'sending_enabled = false'])(
    'says that nothing leaves where its account has %s, as the forecast does and the limits do',
    async (change) => {
      const [id] = await send(rival, 1);
      expect(await waitOf(rival, id)).toMatchObject({ limit: 'NONE', ahead: 0 });
      expect(await outlook(rival)).toMatchObject({ bindingLimit: 'ACCOUNT_RATE', pausedReason: null });
      await set(home, change);
      try {
        expect(await waitOf(rival, id)).toEqual({
          limit: 'PAUSED',
          explanation: 'Sending is paused on our side; the operator has been told. Nothing is lost.',
          estimatedSendAt: null,
          ahead: 0,
        });
        expect(await outlook(rival)).toEqual({
          firstAt: null,
          lastAt: null,
          bindingLimit: 'PAUSED',
          pausedReason: 'paused on our side; the operator has been told',
        });
      } finally {
        await set(home, SENDS);
        await api.sql('DELETE FROM backlog WHERE tenant_id = $1', [rival.uuid]);
      }
    },
  );

  it('is the region that it asks for, while another account of its tenant could take it', async () => {
    const [id] = await send(acme, 1, 'us');
    await set(home, `state = 'PAUSED'`);
    try {
      expect(await waitOf(acme, id)).toMatchObject({
        limit: 'REGION',
        explanation: 'You asked for us, and your mail cannot leave from there now; elsewhere it could.',
        estimatedSendAt: null,
      });
      // Mail that asks for no region has a way out.
      expect(await outlook(acme)).toMatchObject({ bindingLimit: 'ACCOUNT_RATE', pausedReason: null });
      await set(abroad, `state = 'PAUSED'`);
      expect(await waitOf(acme, id)).toMatchObject({ limit: 'PAUSED', estimatedSendAt: null });
    } finally {
      await set(home, SENDS);
      await set(abroad, SENDS);
    }
  });

  it('is a fair share, while others wait on the same account', async () => {
    const ledger = api.app.get(Ledger, { strict: false });
    const known = { quota: 50_000n, rate: { num: 14, den: 1 }, sesSent: 0n };
    await ledger.rebuild(home, 1n, known, [], new Map(), 0);
    const own = await send(acme, 40, 'us');
    const last = own.at(-1);
    expect(await waitOf(acme, last)).toMatchObject({ limit: 'ACCOUNT_RATE' });
    await send(rival, 60);
    const listed = async () =>
      (await ledger.ready(home))?.lists.find(({ tenantId }) => tenantId === (rival.uuid as TenantId))?.messages;
    await waitFor(async () => (await listed()) === 60, { what: 'the other tenant’s mail to be offered' });
    const wait = await waitOf(acme, last);
    expect(wait).toMatchObject({
      limit: 'FAIR_SHARE',
      explanation: expect.stringMatching(/^Others send at the same time and everybody gets a fair share; /) as string,
    });
    expect(wait.explanation).not.toContain('Rival');
    expect(wait.ahead).toBeGreaterThanOrEqual(39);
    expect((await outlook(acme)).bindingLimit).toBe('FAIR_SHARE');
  });
});

describe('a forecast', () => {
  it.each([
    ['its tenant is paused', `UPDATE tenant SET state = 'PAUSED', paused_reason = 'unpaid' WHERE id = $1`, 'unpaid'],
    ['SES has paused its way out', 'UPDATE configuration_set SET paused_at = now() WHERE tenant_id = $1', null],
  ])('names no time while %s', async (_, change, reason) => {
    await api.sql(change, [rival.uuid]);
    try {
      expect(await outlook(rival)).toEqual({
        firstAt: null,
        lastAt: null,
        bindingLimit: 'PAUSED',
        pausedReason: reason,
      });
    } finally {
      await api.sql(`UPDATE tenant SET state = 'ACTIVE', paused_reason = NULL`);
      await api.sql('UPDATE configuration_set SET paused_at = NULL');
    }
  });

  it('ends when the last of several ways out is open again, and never while SES has paused one', async () => {
    const change = (what: string) =>
      api.sql<{ until: Date }>(
        `UPDATE configuration_set SET ${what} WHERE tenant_id = $1 AND sending_account_id = $2 RETURNING held_until AS until`,
        [acme.uuid, abroad],
      );
    expect(await outlook(acme)).toMatchObject({ lastAt: expect.any(String) as string, bindingLimit: 'FAIR_SHARE' });
    await change('paused_at = now()');
    expect(await outlook(acme)).toMatchObject({
      firstAt: expect.any(String) as string,
      lastAt: null,
      bindingLimit: 'PAUSED',
      pausedReason: null,
    });
    const [held] = await change(`paused_at = NULL, held_until = now() + interval '1 hour'`);
    const { firstAt, lastAt, bindingLimit } = await outlook(acme);
    expect(bindingLimit).toBe('PAUSED');
    expect(Date.parse(firstAt ?? '')).toBeLessThan(held!.until.getTime());
    expect(Date.parse(lastAt ?? '')).toBeGreaterThanOrEqual(held!.until.getTime());
    await change('held_until = NULL');
  });

  it('begins when SES is tried again, where it refuses the way out', async () => {
    const [held] = await api.sql<{ until: Date }>(
      `UPDATE configuration_set SET held_until = now() + interval '1 hour' WHERE tenant_id = $1 RETURNING held_until AS until`,
      [rival.uuid],
    );
    const { firstAt, bindingLimit } = await outlook(rival);
    expect(bindingLimit).toBe('PAUSED');
    expect(Date.parse(firstAt ?? '')).toBeGreaterThanOrEqual(held!.until.getTime());
  });

  it('names no time where SES allows nothing', async () => {
    await set(home, 'max_24_hour_send = 0');
    const nothing = { quota: 0n, rate: { num: 14, den: 1 }, sesSent: 0n };
    expect(await api.app.get(Ledger, { strict: false }).observe(home, 1n, nothing)).toBeDefined();
    await api.sql('UPDATE configuration_set SET held_until = NULL');
    expect(await outlook(rival)).toMatchObject({ firstAt: null, lastAt: null, bindingLimit: 'ACCOUNT_DAY_QUOTA' });
  });
});
