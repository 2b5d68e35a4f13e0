import { newId, type BatchId } from '@libs/kernel';
import { waitFor } from '../support/wait-for';
import { StagedCrash } from './staged-crash';

/** An operator changes a ramp while apis still offer mail by what they read before. */
describe('a ramp that is raised', () => {
  let staged: StagedCrash;

  beforeAll(async () => {
    staged = await StagedCrash.start();
  });
  afterAll(() => staged.close());

  const setFloor = async (recipients: number) => {
    const superuser = await staged.superuser();
    await superuser.query(`UPDATE tier SET ramp_floor = $1 WHERE code = 'growth'`, [recipients]);
    await superuser.end();
  };
  const granted = async () => {
    const batchId = newId<BatchId>();
    const reply = await staged.ledger.acquire(staged.account.id, staged.request(batchId));
    if (reply.kind !== 'grant') return 0;
    await staged.engine.dispatch(staged.ticketOf(batchId, reply));
    return reply.recipients;
  };
  const grantedByAndBy = (count: number) => {
    let sum = 0;
    const feedAndAsk = async () => (await staged.engine.feed(), (sum += await granted()) >= count);
    return waitFor(feedAndAsk, { what: `${String(count)} to be granted`, everyMs: 200 });
  };

  it('stays raised when an offer of an api that has not noticed comes late', async () => {
    await setFloor(2);
    await staged.stack.accept(staged.tenant, 'shop', 5);
    await grantedByAndBy(2);
    expect(await granted()).toBe(0);
    await setFloor(50_000);
    await grantedByAndBy(3);

    await staged.stack.accept(staged.tenant, 'shop', 3);
    await waitFor(async () => (await staged.listed()) >= 3, { what: 'the messages to be offered' });
    const before = { weight: 10, dayCap: 2n, rate: null };
    await staged.ledger.offer(staged.account.id, staged.tenant, 'TRANSACTIONAL', before, []);
    expect(await granted()).toBe(0);
    await grantedByAndBy(3);
  });
});
