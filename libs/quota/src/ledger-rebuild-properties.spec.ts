import fc from 'fast-check';
import { pacedRate } from './pacing.policy';
import { FARTHEST_SLOT_MS, OLDEST_RESLOT_MS, SLOT_LIFE_MS } from './slot-times.policy';
import { REQUEST_US, SECOND, SimulatedAccount as Account, type ModelReply } from './testing';

/** How long a keeper waits before it rebuilds. */
const QUIET_US = (FARTHEST_SLOT_MS + SLOT_LIFE_MS) * 1_000 + REQUEST_US;

/** One after the other from that slot on, as long as they may start. */
function sendFrom(account: Account, costs: readonly number[], [start, deadline, num, den]: readonly number[]): void {
  let at = start ?? 0;
  for (const cost of costs) {
    if (at <= (deadline ?? 0)) account.send(at, cost);
    at += (cost * SECOND * (den ?? 1)) / (num ?? 1);
  }
}

const costsOf = (granted: ModelReply) => granted.slice(8).map((text) => Number(text.split(':')[2]));

describe('a ledger that is rebuilt (on its model, which real Redis is compared with)', () => {
  it('P2: grants no slot beside those of an older epoch, however late batches were moved and whatever 429s had left of the rate', () => {
    const round = fc.record({
      costs: fc.array(fc.constantFrom(1, 1, 1, 20), { minLength: 1, maxLength: 8 }),
      isLate: fc.boolean(),
      isThrottled: fc.boolean(),
      ms: fc.constantFrom(1_000, 1_500, 4_000),
    });
    const rounds = fc.array(round, { minLength: 4, maxLength: 12 });
    fc.assert(
      fc.property(fc.constantFrom(1, 5, 14), rounds, (rate, script) => {
        const account = new Account(-1, { num: rate, den: 1 });
        const { model } = account;
        for (const [i, { costs, isLate, isThrottled, ms }] of script.entries()) {
          account.offer('t', costs);
          const granted = account.ask(`op-${String(i)}`);
          if (isThrottled) model.throttle(account.now);
          if (!isLate && granted[0] === 'GRANT') {
            sendFrom(
              account,
              costsOf(granted),
              [2, 3, 6, 7].map((place) => Number(granted[place])),
            );
          }
          account.advance(ms * 1_000);
          if (!isLate || granted[0] !== 'GRANT') continue;
          const moved = costsOf(granted);
          const recipients = moved.reduce((sum, cost) => sum + cost, 0);
          const slot = model.reslot(
            account.now,
            `op-${String(i)}`,
            1,
            'run',
            recipients,
            SLOT_LIFE_MS,
            OLDEST_RESLOT_MS,
            FARTHEST_SLOT_MS,
          );
          if (slot[0] === 'SLOT') sendFrom(account, moved, slot.slice(2).map(Number));
        }
        account.advance(QUIET_US);
        const paced = pacedRate(account.rate);
        const pauseUs = SECOND + (20 * SECOND * paced.den) / paced.num;
        model.rebuild(account.now, 2, 'run', -1, paced.num, paced.den, 0, [], pauseUs);
        model.open(2);
        for (let quarter = 0; quarter < 240; quarter += 1) {
          account.offer('t', [1, 1, 1, 1]);
          const asked = { opId: `new-${String(quarter)}`, epoch: 2, runId: 'run', want: 100 };
          const granted = model.acquire(account.now, {
            ...asked,
            leadMs: 100,
            sliceMs: 1_000,
            workers: 0,
            lifeMs: SLOT_LIFE_MS,
          });
          if (granted[0] === 'GRANT') {
            sendFrom(
              account,
              costsOf(granted),
              [2, 3, 6, 7].map((place) => Number(granted[place])),
            );
          }
          account.advance(SECOND / 4);
        }
        account.advance(60 * SECOND);
        expect(account.dry()).toBe(0);
      }),
      { numRuns: 200 },
    );
  });
});
