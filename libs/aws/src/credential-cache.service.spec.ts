import { ManualClock } from '@libs/kernel';
import { CredentialCache, type Credentials } from './credential-cache.service';
import type { FleetRole } from './fleet-role';

const HOUR = 3_600_000;
const role: FleetRole = {
  mode: 'LIVE',
  accountId: '111122223333',
  roleArn: 'arn:aws:iam::111122223333:role/postfleet/fleet-send',
  externalId: 'x',
  region: 'us-east-1',
  sessionName: 'pf-test',
};

/** An STS that hands out numbered one-hour sessions, or is down. */
class Sts {
  asked = 0;
  down = false;
  private gate: Promise<void> = Promise.resolve();

  constructor(private readonly clock: ManualClock) {}

  hold(): () => void {
    let release: () => void = () => undefined;
    this.gate = new Promise((resolve) => {
      release = resolve;
    });
    return release;
  }

  readonly assume = async (): Promise<Credentials> => {
    this.asked += 1;
    const number = this.asked;
    await this.gate;
    if (this.down) throw new Error('STS is away');
    return {
      accessKeyId: `key-${number}`,
      secretAccessKey: 's',
      sessionToken: 't',
      expiration: new Date(this.clock.nowMs() + HOUR),
    };
  };
}

const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('the credential cache', () => {
  function setUp() {
    const clock = new ManualClock(1_000_000);
    const sts = new Sts(clock);
    return { clock, sts, cache: new CredentialCache(sts.assume, clock, 1) };
  }
  const keyOf = async (cache: CredentialCache, of: FleetRole = role) => (await cache.get(of)).accessKeyId;

  it('asks STS once for twenty parallel first requests', async () => {
    const { sts, cache } = setUp();
    const keys = await Promise.all(Array.from({ length: 20 }, () => keyOf(cache)));
    expect(new Set(keys)).toEqual(new Set(['key-1']));
    expect(sts.asked).toBe(1);
  });

  it('refreshes in the background: who asks past the refresh time gets the old session at once', async () => {
    const { clock, sts, cache } = setUp();
    await keyOf(cache);
    clock.advance(HOUR * 0.49);
    expect(await keyOf(cache)).toBe('key-1');
    expect(sts.asked).toBe(1);
    clock.advance(HOUR * 0.27);
    const release = sts.hold();
    expect(await keyOf(cache)).toBe('key-1');
    expect(await keyOf(cache)).toBe('key-1');
    expect(sts.asked).toBe(2);
    release();
    await settled();
    expect(await keyOf(cache)).toBe('key-2');
  });

  it('uses a session to its last millisecond while STS is down, and rejects after it', async () => {
    const { clock, sts, cache } = setUp();
    await keyOf(cache);
    sts.down = true;
    clock.advance(HOUR - 1);
    expect(await keyOf(cache)).toBe('key-1');
    await settled();
    clock.advance(1);
    await expect(cache.get(role)).rejects.toThrow('STS is away');
    sts.down = false;
    expect(await keyOf(cache)).toMatch(/^key-/);
  });

  it('does not hammer an STS that is down', async () => {
    const { clock, sts, cache } = setUp();
    await keyOf(cache);
    sts.down = true;
    clock.advance(HOUR * 0.8);
    for (let i = 0; i < 100; i += 1) {
      await keyOf(cache);
      await settled();
    }
    expect(sts.asked).toBe(2);
    clock.advance(1_000);
    await keyOf(cache);
    await settled();
    expect(sts.asked).toBe(3);
  });

  it('keeps sessions of different policies, names and modes apart, and shares one between regions', async () => {
    const { sts, cache } = setUp();
    await keyOf(cache);
    await keyOf(cache, { ...role, sessionPolicy: '{}' });
    await keyOf(cache, { ...role, sessionName: 'pf-other' });
    await keyOf(cache, { ...role, mode: 'TEST' });
    expect(sts.asked).toBe(4);
    await keyOf(cache, { ...role, region: 'eu-west-1' });
    expect(sts.asked).toBe(4);
  });

  it('asks anew after a session was forgotten, also when an older request is still under way', async () => {
    const { sts, cache } = setUp();
    const release = sts.hold();
    const before = cache.get(role);
    cache.forget(role);
    const after = cache.get(role);
    release();
    expect((await before).accessKeyId).toBe('key-1');
    expect((await after).accessKeyId).toBe('key-2');
    expect(await keyOf(cache)).toBe('key-2');
  });

  it('stays bounded', async () => {
    const { cache } = setUp();
    for (let i = 0; i < 5_100; i += 1) await cache.get({ ...role, sessionName: `pf-${i}` });
    expect(cache.size).toBe(5_000);
  });
});
