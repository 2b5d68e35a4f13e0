import { EngineClock, newId, SystemTimers } from '@libs/kernel';
import { Log } from '@libs/observability';
import { LedgerUnavailable } from '@libs/quota';
import { NewerVersion } from '@libs/sending';
import { Redis } from 'ioredis';
import { Readiness } from '../../apps/worker/src/health/readiness.service';
import { waitFor } from '../support/wait-for';
import { StagedCrash } from './staged-crash';

/** Real timers whose monotonic clock a test moves on. */
class HastyTimers extends SystemTimers {
  aheadMs = 0;

  override monotonicMs(): number {
    return super.monotonicMs() + this.aheadMs;
  }
}

/** While versions change, workers of both run, and lay out their ledgers differently: each took the other's for stale and built it anew. */
describe('beside a newer version of Postfleet', () => {
  let staged: StagedCrash;
  let redis: Redis;
  let run: string;

  beforeAll(async () => {
    staged = await StagedCrash.start();
    redis = new Redis(staged.stack.redis.url);
    run = (await redis.hget(led(), 'runid')) ?? '';
  });
  afterAll(async () => {
    redis.disconnect();
    await staged.close();
  });

  const led = () => `pf:{${staged.account.id}}:led`;
  const builtBy = (layout: number) => redis.hset(led(), 'runid', run.replace(/\/\d+\//, `/${String(layout)}/`));
  const everything = async () => {
    const keys = (await redis.keys(`pf:{${staged.account.id}}:*`)).filter((key) => !key.includes(':lock:')).sort();
    return Promise.all(keys.map(async (key) => [key, (await redis.dumpBuffer(key)).toString('hex')]));
  };

  it('a worker leaves its ledgers alone, says so, and goes on once they are of its own version', async () => {
    const { ids, ticket } = await staged.granted(2);
    const { epoch } = staged.account;
    await builtBy(99);
    const before = await everything();
    for (let look = 0; look < 3; look += 1) await staged.engine.keepLedgers();
    await staged.lookAgain();
    expect(staged.account.epoch).toBe(epoch);

    const { ledger, account, tenant } = staged;
    const free = { weight: 1, dayCap: null, rate: null };
    const limits = { quota: 1n, rate: { num: 1, den: 1 }, sesSent: 0n };
    const refused = [
      () => ledger.acquire(account.id, staged.request()),
      () => ledger.offer(account.id, tenant, 'MARKETING', free, [{ id: newId(), recipients: 1 }]),
      () => ledger.settle(account.id, ticket.batchId, [{ tenantId: tenant, unused: 2, refused: 0 }]),
      () => ledger.reslot(account.id, ticket.batchId, epoch, 2),
      () => ledger.overdue(account.id, 10),
      () => ledger.throttle(account.id),
      () => ledger.drop(account.id, tenant, 'TRANSACTIONAL'),
      () => ledger.rebuild(account.id, epoch + 9n, limits, [], new Map(), 0),
      // It would keep the pumps of that version away.
      () => ledger.hold(account.id, 'rebuild', 'w', 100),
    ];
    for (const call of refused) {
      await expect(call()).rejects.toMatchObject({ name: LedgerUnavailable.name, reason: 'newer-version' });
    }
    expect(await everything()).toEqual(before);
    expect(await staged.running.app.get(Readiness).missing()).toEqual([
      { name: 'version', why: expect.stringMatching(/newer version.*\(1\): let it replace this process/) as string },
    ]);
    expect(staged.stack.logLines.join('\n')).toContain('a newer version has built the ledger');

    await builtBy(Number(/\/(\d+)\//.exec(run)?.[1]));
    await waitFor(
      async () => {
        await staged.engine.keepLedgers();
        return (await staged.running.app.get(Readiness).missing()).length === 0;
      },
      { what: 'the worker to be ready again', everyMs: 200 },
    );
    await staged.engine.dispatch({ ...ticket, deadlineMs: ledger.nowMs() + 60_000 });
    expect(await staged.stack.judge(ids)).toEqual({ lost: 0, duplicated: 0 });
  });

  it('a ledger of the version before is built anew', async () => {
    const { epoch } = staged.account;
    await builtBy(1);
    await staged.rebuilt();
    expect(staged.account.epoch).toBe(epoch + 1n);
  });

  it('a ledger that a newer version has left is taken over, and not while its time passes', async () => {
    const { epoch } = staged.account;
    await builtBy(99);
    const timers = new HastyTimers();
    const newer = new NewerVersion(staged.ledger, timers, new Log({ name: 'test', level: 'silent' }));
    const id = staged.account.id;
    const inMinutes = (minutes: number) => {
      timers.aheadMs += minutes * 60_000;
      return newer.has(id);
    };
    expect([await inMinutes(0), await inMinutes(2)]).toEqual([true, true]);
    await redis.hset(led(), 'last', String((new EngineClock().nowMs() + 1) * 1_000));
    expect([await inMinutes(2), await inMinutes(2)]).toEqual([true, true]);
    expect(newer.problem).toBeDefined();
    expect(await inMinutes(2)).toBe(false);
    expect(newer.problem).toBeUndefined();
    await staged.rebuilt();
    expect(staged.account.epoch).toBe(epoch + 1n);
    const { ids } = await staged.granted(1);
    await staged.putAside(ids);
  });
});
