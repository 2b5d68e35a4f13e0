import type { MessageId, TenantId } from '@libs/kernel';
import { MessageService } from '@libs/sending';
import { waitFor } from '../support/wait-for';
import { StagedCrash } from './staged-crash';

const by = { actor: 'key:test' };
const marketing = () => ({ stream: 'MARKETING' as const });

/** Mail that was listed for its turn and ends before it: nobody is granted slots for it, and nothing beside it is lost. */
describe('listed mail that waits no more', () => {
  let staged: StagedCrash;
  let other: TenantId;

  beforeAll(async () => {
    staged = await StagedCrash.start();
    other = await staged.stack.tenant('other');
  });
  afterAll(() => staged.close());

  const accept = (tenant: TenantId, name: string, count: number) => staged.stack.accept(tenant, name, count, marketing);
  const listedIs = (count: number) =>
    waitFor(async () => (await staged.listed()) === count, { what: `${String(count)} messages to be listed` });
  const cancel = (tenant: TenantId, ids: readonly MessageId[]) =>
    staged.stack.inApi(MessageService).cancel(tenant, { ids }, by);
  /** Everything that is listed is granted and sent; answers what it was, in its order. */
  const sendListed = async (): Promise<MessageId[]> => {
    const all: MessageId[] = [];
    await waitFor(
      async () => {
        const request = staged.request();
        const grant = await staged.ledger.acquire(staged.account.id, request);
        if (grant.kind !== 'grant') return (await staged.listed()) === 0;
        all.push(...grant.messages.map(({ id }) => id));
        await staged.engine.dispatch(staged.ticketOf(request.opId as never, grant));
        return false;
      },
      { what: 'all that is listed to be sent', everyMs: 50 },
    );
    return all;
  };

  it('leaves all slots to the others at once when a campaign is canceled', async () => {
    await accept(staged.tenant, 'shop', 600);
    const others = await accept(other, 'other', 60);
    await listedIs(660);
    const filter = { stream: 'MARKETING' as const };
    const { canceled } = await staged.stack.inApi(MessageService).cancel(staged.tenant, { filter }, by);
    expect(canceled).toHaveLength(600);
    await listedIs(60);
    expect((await sendListed()).sort()).toEqual([...others].sort());
  });

  it('keeps the rest of a campaign in its order, and sends each of it once', async () => {
    const ids = await accept(staged.tenant, 'shop', 90);
    await listedIs(90);
    const gone = ids.filter((_, i) => i % 3 !== 0);
    await cancel(staged.tenant, gone);
    await listedIs(30);
    const rest = ids.filter((id) => !gone.includes(id));
    expect(await sendListed()).toEqual(rest);
    expect(await staged.statesOf(gone)).toEqual(['CANCELED']);
    expect(await staged.stack.judge(rest)).toEqual({ lost: 0, duplicated: 0 });
  });

  it('lists what is accepted afterwards as ever, and takes nothing from another tenant or stream', async () => {
    const gone = await accept(staged.tenant, 'shop', 5);
    const urgent = await staged.stack.accept(staged.tenant, 'shop', 2);
    await listedIs(7);
    // Another tenant may name them: nothing is its own.
    expect((await cancel(other, [...gone, ...urgent])).canceled).toEqual([]);
    await cancel(staged.tenant, gone);
    await listedIs(2);
    const later = await accept(staged.tenant, 'shop', 3);
    await listedIs(5);
    expect((await sendListed()).sort()).toEqual([...urgent, ...later].sort());
    expect(await staged.statesOf([...urgent, ...later])).toEqual(['SENT']);
  });

  it('is taken out as well when its time is over', async () => {
    const ids = await accept(staged.tenant, 'shop', 40);
    await listedIs(40);
    await staged.stack.query('UPDATE backlog SET expires_at = now() WHERE message_id = ANY($1)', [ids.slice(10)]);
    // The look is paced.
    await waitFor(async () => (await staged.engine.releaseAndExpire()).expired > 0, { what: 'them to expire' });
    await listedIs(10);
    expect(await sendListed()).toEqual(ids.slice(0, 10));
    expect(await staged.statesOf(ids.slice(10))).toEqual(['EXPIRED']);
  });
});
