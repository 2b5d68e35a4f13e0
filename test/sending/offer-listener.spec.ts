import { EngineClock, newId, type MessageId, type SendingAccountId, type Stream, type TenantId } from '@libs/kernel';
import { openEngineRedis, type EngineRedis } from '@libs/queueing';
import { Ledger } from '@libs/quota';
import { ScriptRunner } from '../../libs/quota/src/script-runner.repository';
import { createTestRedis, type TestRedis } from '../support/redis';
import { waitFor } from '../support/wait-for';

const OPEN = { weight: 10, dayCap: null, rate: null };

describe('an account that is offered mail', () => {
  let test: TestRedis;
  let redis: EngineRedis;
  let ledger: Ledger;

  beforeAll(async () => {
    test = await createTestRedis();
    redis = openEngineRedis(test.url);
    await redis.connect();
    const clock = new EngineClock();
    ledger = new Ledger(new ScriptRunner(redis, clock), clock);
  });
  afterAll(async () => {
    redis.disconnect();
    await test.close();
  });

  const offer = (account: SendingAccountId, stream: Stream = 'MARKETING', messages = 9) => {
    const entries = Array.from({ length: messages }, () => ({ id: newId<MessageId>(), recipients: 1 }));
    return ledger.offer(account, newId<TenantId>(), stream, OPEN, entries);
  };

  it('calls whoever listens when nobody waited there, again for a small sender and for what is urgent, and not while that waits', async () => {
    const heard: string[] = [];
    const stop = redis.listen('pf:offered', (account) => heard.push(account));
    // Until the listener is connected, what is published is lost.
    await waitFor(
      async () => {
        await offer(newId<SendingAccountId>());
        return heard.length > 0;
      },
      { what: 'the listener to hear' },
    );
    const [busy, last] = [newId<SendingAccountId>(), newId<SendingAccountId>()];
    await offer(busy);
    await offer(busy);
    await offer(busy, 'MARKETING', 8);
    await offer(busy, 'TRANSACTIONAL');
    await offer(busy, 'TRANSACTIONAL');
    await offer(busy);
    await offer(last);
    await waitFor(() => Promise.resolve(heard.includes(last)), { what: 'the last offer' });
    expect(heard.filter((message) => message.startsWith(busy))).toEqual([busy, `${busy} small`, `${busy} urgent`]);
    stop();
  });
});
