import { EngineClock, newId, SystemTimers, type SendingAccountId } from '@libs/kernel';
import { openEngineRedis, type EngineRedis } from '@libs/queueing';
import { Ledger, parseRate } from '@libs/quota';
import { TcpProxy } from '../../faults/tcp-proxy';
import { ScriptRunner } from '../../libs/quota/src/script-runner.repository';
import { LedgerLook } from '../../libs/sending/src/ledger-look.service';
import { createTestRedis, type TestRedis } from '../support/redis';

/** Real time, and what was waited for. */
class CountingTimers extends SystemTimers {
  waits = 0;
  private leapMs = 0;
  override monotonicMs(): number {
    return super.monotonicMs() + this.leapMs;
  }
  override sleep(ms: number, signal?: AbortSignal): Promise<void> {
    this.waits += 1;
    return super.sleep(ms, signal);
  }
  leap(ms: number): void {
    this.leapMs += ms;
  }
}

describe('a look at the ledgers', () => {
  const account = newId<SendingAccountId>();
  const timers = new CountingTimers();
  let test: TestRedis;
  let proxy: TcpProxy;
  let redis: EngineRedis;
  let look: LedgerLook;

  beforeAll(async () => {
    test = await createTestRedis();
    proxy = await TcpProxy.start(Number(new URL(test.url).port));
    const url = new URL(test.url);
    url.port = String(proxy.port);
    redis = openEngineRedis(url.href);
    redis.on('error', () => undefined);
    await redis.connect();
    const clock = new EngineClock();
    const ledger = new Ledger(new ScriptRunner(redis, clock), clock);
    const limits = { quota: 100n, rate: parseRate('1'), sesSent: 0n };
    await ledger.rebuild(account, 1n, limits, [], new Map(), 1);
    look = new LedgerLook(ledger, timers);
  });
  afterAll(async () => {
    redis.disconnect();
    await proxy.close();
    await test.close();
  });

  it('ends without figures where Redis hangs, does not wait again at once, and has them again afterwards', async () => {
    const missing = newId<SendingAccountId>();
    expect([...(await look.statsOf([account, missing])).keys()]).toEqual([account]);
    proxy.set({ kind: 'half-open' });
    expect((await look.statsOf([account])).size).toBe(0);
    const { waits } = timers;
    expect((await look.statsOf([account])).size).toBe(0);
    expect(timers.waits).toBe(waits);
    proxy.set({ kind: 'pass' });
    timers.leap(60_000);
    for (let i = 0; i < 20 && (await look.statsOf([account])).size === 0; i++) {
      await timers.sleep(100);
      timers.leap(60_000);
    }
    expect((await look.statsOf([account])).get(account)?.quota).toBe(100n);
  });
});
