import { openEngineRedis, type EngineRedis } from '@libs/queueing';
import { TcpProxy } from '../../faults/tcp-proxy';
import { createTestRedis, type TestRedis } from '../support/redis';
import { waitFor } from '../support/wait-for';

describe('the connection of the ledger', () => {
  let redis: TestRedis;
  let proxy: TcpProxy;
  let engine: EngineRedis;
  beforeAll(async () => {
    redis = await createTestRedis();
    proxy = await TcpProxy.start(Number(new URL(redis.url).port));
    const url = new URL(redis.url);
    url.port = String(proxy.port);
    engine = openEngineRedis(url.href, 1_000);
    engine.on('error', () => undefined);
    await engine.connect();
  });
  afterAll(async () => {
    engine.disconnect();
    await proxy.close();
    await redis.close();
  });

  it('gives up a server that has died without a word', async () => {
    await engine.ping();
    proxy.set({ kind: 'half-open' });
    const asked = [engine.ping(), engine.checkEviction()];
    for (const lost of asked) await expect(lost).rejects.toThrow();
    proxy.set({ kind: 'pass' });
    await waitFor(() => engine.ping().then(() => true), { what: 'the connection to come back' });
  });

  it('fails what was on its way when it broke, and serves what comes after', async () => {
    proxy.set({ kind: 'half-open' });
    const swallowed = engine.ping();
    const failed = expect(swallowed).rejects.toThrow();
    proxy.set({ kind: 'pass' });
    await failed;
    await waitFor(() => engine.ping().then(() => true), { what: 'the connection to come back' });
  });
});
