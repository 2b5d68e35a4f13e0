import { StagedCrash } from './staged-crash';
import { waitFor } from '../support/wait-for';

/** Batches that were granted before SES refused their account: the frozen ledger does not know where they are. */
describe('what was granted ahead of a refusal', () => {
  let staged: StagedCrash;

  beforeAll(async () => {
    staged = await StagedCrash.start({}, { maxSendRate: 10 });
    // A new ledger leaves SES's bucket a second to fill.
    await waitFor(
      async () => {
        const stats = await staged.ledger.stats(staged.account.id);
        return stats !== undefined && stats.rateFreeAtMs <= stats.nowMs;
      },
      { what: 'the rate clock of the new ledger' },
    );
  });
  afterAll(() => staged.close());

  it('is not tried once SES has said that the day of the account is used up, claimed or not', async () => {
    const first = await staged.granted(2);
    const second = await staged.granted(2);
    const third = await staged.granted(2);
    await staged.stack.aws.putAccount(staged.account.accountId, { regions: { 'us-east-1': { max24HourSend: 1 } } });
    await Promise.all([staged.engine.dispatch(first.ticket), staged.engine.dispatch(second.ticket)]);
    await staged.engine.dispatch(third.ticket);

    // One to fill the day, one to learn that it is full.
    const arrivals = await staged.stack.sends();
    expect(arrivals.map(({ verdict }) => verdict === 'accepted')).toEqual([true, false]);
    // The second one goes first where the first has missed its slots.
    const wasLate = !(await staged.statesOf(first.ids)).includes('SENT');
    const [sender, other] = wasLate ? [second, first] : [first, second];
    expect((await staged.statesOf(sender.ids)).sort()).toEqual(['READY', 'SENT']);
    expect(await staged.statesOf([...other.ids, ...third.ids])).toEqual(['READY']);
    expect(await staged.batch(other.ticket.batchId)).toEqual({ state: 'SETTLED', claimed: 0 });
    expect(await staged.batch(third.ticket.batchId)).toBeUndefined();

    await waitFor(
      async () => (await staged.engine.sweep(), (await staged.ledger.stats(staged.account.id))?.inflight) === 0,
      {
        what: 'the batch that nobody claimed to be given back',
        everyMs: 200,
      },
    );
    expect(await staged.batch(third.ticket.batchId)).toMatchObject({ state: 'VOID' });
  });
});
