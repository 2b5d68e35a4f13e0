import { firstIdAt, newIdAt, REAL_TIME } from '@libs/kernel';
import { messageQuery, withinTime, type MessagePageRequest } from './message-filter.policy';

const AT = Date.parse('2026-11-22T12:00:00.000Z');
const MINUTE = 60_000;
const DAY = 1_440 * MINUTE;

describe('the span of ids of a span of time', () => {
  const span = { createdAt: { gte: new Date(AT), lt: new Date(AT + DAY) } };

  it('holds what was accepted then, some minutes more, and no other day', () => {
    const { newerThan, olderThan } = withinTime(messageQuery(span), REAL_TIME);
    const holds = (ms: number) => {
      const id = newIdAt(ms, 1);
      return id > (newerThan ?? '') && id < (olderThan ?? '');
    };
    const times = [-DAY, -60 * MINUTE, -5 * MINUTE, 0, DAY - 1, DAY + 5 * MINUTE, DAY + 60 * MINUTE, 2 * DAY];
    expect(times.map((ms) => holds(AT + ms))).toEqual([false, false, true, true, true, true, false, false]);
  });

  it('is narrowed by a cursor inside of it, and not widened by one outside', () => {
    const ids = (cursor: Pick<MessagePageRequest, 'after' | 'before'>) =>
      withinTime(messageQuery(span, { limit: 1, ...cursor }), REAL_TIME);
    const [first, inside, last] = [newIdAt(AT - DAY, 1), newIdAt(AT + DAY / 2, 1), newIdAt(AT + 2 * DAY, 1)];
    const whole = ids({});
    expect(ids({ after: inside })).toMatchObject({ newerThan: whole.newerThan, olderThan: inside });
    expect(ids({ before: inside })).toMatchObject({ newerThan: inside, olderThan: whole.olderThan, backward: true });
    expect(ids({ after: last })).toMatchObject({ olderThan: whole.olderThan });
    expect(ids({ before: first })).toMatchObject({ newerThan: whole.newerThan });
  });

  it('has the ends that the span has, whatever year they are in', () => {
    const ends = (createdAt: { gte?: Date; lt?: Date }) => {
      const { newerThan, olderThan } = withinTime(messageQuery({ createdAt }), REAL_TIME);
      return [newerThan, olderThan];
    };
    expect(ends({})).toEqual([null, null]);
    expect(ends({ gte: new Date(AT) })).toEqual([expect.any(String), null]);
    expect(ends({ lt: new Date(AT) })).toEqual([null, expect.any(String)]);
    expect(ends({ gte: new Date('0001-01-01T00:00:00Z') })).toEqual([firstIdAt(0), null]);
    expect(ends({ lt: new Date(8.64e15) })).toEqual([null, firstIdAt(8.64e15)]);
  });

  it('is not known where time is not real: ids are made by the real one', () => {
    const query = messageQuery(span);
    for (const scale of [
      { baseMs: AT, speed: 60, offsetMs: 0 },
      { baseMs: 0, speed: 1, offsetMs: DAY },
    ])
      expect(withinTime(query, scale)).toEqual(query);
  });
});
