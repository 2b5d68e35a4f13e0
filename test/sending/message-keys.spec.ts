import type { TenantId } from '@libs/kernel';
import { AcceptService, MessageService, type Message } from '@libs/sending';
import { NOON, SendingProcess } from './sending-process';

let process: SendingProcess;
let messages: MessageService;
let tenant: TenantId;
let other: TenantId;

beforeAll(async () => {
  process = await SendingProcess.start();
  messages = process.api.get(MessageService);
  const account = await process.account();
  [tenant, other] = [await process.tenant(account), await process.tenant(account)];
});
afterAll(() => process.close());

async function send(by: TenantId, idempotencyKey: string, count: number): Promise<string[]> {
  const from = { email: `hi@${await process.domainOf(by)}` };
  const content = { inline: { subject: 'Hello', text: 'Hello' } };
  const emails = Array.from({ length: count }, (_, n) => ({ from, to: [{ email: `r${n}@example.com` }], content }));
  const call = { idempotencyKey, emails };
  const { results } = await process.api.get(AcceptService).accept({ tenantId: by, mode: 'LIVE' }, call);
  return results.map((entry) => ('message' in entry ? entry.message.id : JSON.stringify(entry)));
}
const ids = (list: readonly Message[]) => list.map((message) => message.id as string);

describe('messages of an idempotency key', () => {
  it('are listed and paged like all others, with whatever else is asked for, and nobody else has them', async () => {
    const newest = (await send(tenant, 'order', 5)).reverse();
    const [theirs] = await send(other, 'order', 1);
    await send(tenant, 'order 2', 3);
    const page = async (request: Parameters<MessageService['list']>[1], filter: object = {}) => {
      const found = await messages.list(tenant, request, { mode: 'LIVE', idempotencyKey: 'order', ...filter });
      return [ids(found.rows), found.hasNext, found.hasPrevious];
    };
    expect(await page({ limit: 9 })).toEqual([newest, false, false]);
    expect(await page({ limit: 2 })).toEqual([newest.slice(0, 2), true, false]);
    expect(await page({ limit: 2, after: newest[1]! })).toEqual([newest.slice(2, 4), true, true]);
    expect(await page({ limit: 2, before: newest[4]! })).toEqual([newest.slice(2, 4), true, true]);
    expect(await page({ limit: 2, fromEnd: true })).toEqual([newest.slice(3), false, true]);
    expect(await page({ limit: 9 }, { to: 'r1@example.com' })).toEqual([newest.slice(3, 4), false, false]);
    expect(await page({ limit: 9 }, { stream: 'MARKETING' })).toEqual([[], false, false]);
    expect(await page({ limit: 9 }, { mode: 'TEST' })).toEqual([[], false, false]);
    expect(await page({ limit: 9 }, { createdAt: { lt: NOON } })).toEqual([[], false, false]);
    expect(await page({ limit: 9 }, { tag: { name: 'kind', value: 'x' } })).toEqual([[], false, false]);
    await process.query(`UPDATE recipient SET state = 'BOUNCED' WHERE message_id = $1`, [newest[2]]);
    expect(await page({ limit: 9 }, { state: ['BOUNCED'] })).toEqual([newest.slice(2, 3), false, false]);
    const queued = newest.filter((_, place) => place !== 2);
    expect(await page({ limit: 9 }, { state: ['QUEUED'] })).toEqual([queued, false, false]);
    expect(ids((await messages.list(other, { limit: 9 }, { idempotencyKey: 'order' })).rows)).toEqual([theirs]);
  });

  it('are taken back without a look at what else waits', async () => {
    const meant = await send(tenant, 'by mistake', 3);
    const [kept] = await send(tenant, 'on purpose', 1);
    // What leads to them is the key: the backlog, asked for all that waits, would not know of them.
    await process.query('DELETE FROM backlog WHERE tenant_id = $1', [tenant]);
    const filter = { mode: 'LIVE', idempotencyKey: 'by mistake' } as const;
    const { canceled } = await messages.cancel(tenant, { filter }, { actor: 'key:test' });
    expect([...canceled].sort()).toEqual([...meant].sort());
    expect((await messages.get(tenant, kept ?? '')).state).toBe('QUEUED');
  });
});
