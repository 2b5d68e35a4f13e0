import { judge, rateBefore, secondsToRecover, type Evidence, type SeenSend } from './judge';

const send = (messageId: string, change: Partial<SeenSend> = {}): SeenSend => ({
  messageId,
  accepted: true,
  recipients: 1,
  atMs: 0,
  ...change,
});
const allIsWell: Evidence = {
  receipts: ['a', 'b'],
  earlier: new Set(),
  states: new Map([
    ['a', 'SENT'],
    ['b', 'SENT'],
  ]),
  sends: [send('a'), send('b')],
  overQuota: 0,
  overRate: 0,
};
const nothing = { lost: 0, duplicated: 0, inDoubt: 0, waiting: 0, unknown: 0, overQuota: 0, overRate: 0 };

describe('the judge of a fault', () => {
  it('finds nothing where every receipt was sent exactly once', () => {
    expect(judge(allIsWell)).toEqual({ ...nothing, accepted: 2, sent: 2 });
  });

  it('calls a message lost that the database has no row of', () => {
    expect(judge({ ...allIsWell, states: new Map([['a', 'SENT']]), sends: [send('a')] }).lost).toBe(1);
  });

  it('calls a message lost that is said to be sent and never arrived', () => {
    expect(judge({ ...allIsWell, sends: [send('a')] }).lost).toBe(1);
  });

  it.each(['REJECTED', 'EXPIRED', 'CANCELED'])(
    'calls a message lost that became %s without anybody’s wish',
    (state) => {
      expect(judge({ ...allIsWell, states: new Map([...allIsWell.states, ['b', state]]) }).lost).toBe(1);
    },
  );

  it('counts each copy beyond the first, and no refused request', () => {
    const sends = [...allIsWell.sends, send('a'), send('a'), send('b', { accepted: false })];
    expect(judge({ ...allIsWell, sends })).toMatchObject({ duplicated: 2, lost: 0 });
  });

  it('tells what is in doubt and what waits from what is lost', () => {
    const states = new Map([
      ['a', 'IN_DOUBT'],
      ['b', 'READY'],
    ]);
    expect(judge({ ...allIsWell, states, sends: [] })).toMatchObject({ inDoubt: 1, waiting: 1, lost: 0 });
  });

  it('finds a message that SES got and nobody handed in', () => {
    expect(judge({ ...allIsWell, sends: [...allIsWell.sends, send('x')] }).unknown).toBe(1);
  });

  it('leaves out what an earlier case handed in', () => {
    const late = { ...allIsWell, earlier: new Set(['x']), sends: [...allIsWell.sends, send('x')] };
    expect(judge(late)).toEqual({ ...nothing, accepted: 2, sent: 2 });
  });

  it('passes on what the meter counted beyond a limit', () => {
    expect(judge({ ...allIsWell, overQuota: 1, overRate: 2 })).toMatchObject({ overQuota: 1, overRate: 2 });
  });
});

describe('the time to recover', () => {
  const steady = (fromMs: number, toMs: number, everyMs = 10) =>
    Array.from({ length: (toMs - fromMs) / everyMs }, (_, i) =>
      send(`m${String(fromMs)}-${String(i)}`, { atMs: fromMs + i * everyMs }),
    );

  it('is zero when the rate never fell', () => {
    expect(secondsToRecover(steady(0, 5_000), 2_000, 100)).toBe(0);
  });

  it('lasts until the first second at 95 % of the rate', () => {
    const sends = [...steady(0, 2_000), ...steady(3_000, 4_000, 20), ...steady(4_500, 6_000)];
    expect(secondsToRecover(sends, 2_000, 100)).toBeCloseTo(2.46, 1);
  });

  it('is unknown while the rate is too low', () => {
    expect(secondsToRecover(steady(0, 5_000, 20), 2_000, 100)).toBeUndefined();
  });

  it('counts recipients that SES accepted, not requests', () => {
    const sends = steady(0, 3_000, 20).flatMap((one) => [
      { ...one, recipients: 2 },
      { ...one, accepted: false },
    ]);
    expect(rateBefore(sends, 2_000)).toBe(100);
    expect(secondsToRecover(sends, 1_000, 100)).toBe(0);
  });
});
