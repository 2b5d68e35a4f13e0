import { RecentLookups } from './recent-lookups.service';

describe('recent look-ups', () => {
  const digest = Buffer.from('one');
  let now: number;
  let queries: number;
  let lookups: RecentLookups<string>;

  beforeEach(() => {
    now = 1_000;
    queries = 0;
    lookups = new RecentLookups(() => now);
  });

  const find = (row: string | undefined, name = digest) =>
    lookups.find(name, () => {
      queries += 1;
      return Promise.resolve(row);
    });

  it('ask once in half a second, for found and unknown keys alike', async () => {
    await find('key');
    now += 499;
    await expect(find('other')).resolves.toBe('key');
    await find(undefined, Buffer.from('two'));
    await find(undefined, Buffer.from('two'));
    expect(queries).toBe(2);
  });

  it('ask again after half a second', async () => {
    await find('key');
    now += 500;
    await expect(find(undefined)).resolves.toBeUndefined();
    expect(queries).toBe(2);
  });

  it('count an answer from before its query began, however long the query took', async () => {
    let answer: (row: string) => void = () => undefined;
    const slow = lookups.find(digest, () => new Promise<string>((resolve) => (answer = resolve)));
    now += 500;
    answer('old');
    await slow;
    await expect(find('new')).resolves.toBe('new');
  });

  it('share one query between callers who come together', async () => {
    await Promise.all([find('key'), find('key'), find('key')]);
    expect(queries).toBe(1);
  });

  it('fail for their callers and are forgotten when the query fails', async () => {
    await expect(lookups.find(digest, () => Promise.reject(new Error('database away')))).rejects.toThrow(
      'database away',
    );
    await expect(find('key')).resolves.toBe('key');
  });

  it('never answer from before a failure', async () => {
    await find('key');
    now += 500;
    await expect(lookups.find(digest, () => Promise.reject(new Error('database away')))).rejects.toThrow();
    await expect(lookups.find(digest, () => Promise.reject(new Error('still away')))).rejects.toThrow('still away');
  });

  it('are forgotten on demand and with age, so that a flood of unknown keys fills no memory', async () => {
    await find('key');
    lookups.clear();
    expect(lookups.size).toBe(0);
    for (let i = 0; i < 21_000; i += 1) await find(undefined, Buffer.from(String(i)));
    expect(lookups.size).toBe(20_000);
    now += 500;
    await find('key');
    expect(lookups.size).toBe(1);
  });
});
