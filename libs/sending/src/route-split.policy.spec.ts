import { newId, type MessageId } from '@libs/kernel';
import fc from 'fast-check';
import { chooseByWeight } from './route-split.policy';

const route = (sendingAccountId: string, weight: number) => ({ sendingAccountId, weight });
const weighted = fc.uniqueArray(fc.record({ sendingAccountId: fc.uuid(), weight: fc.integer({ min: 0, max: 1000 }) }), {
  minLength: 1,
  maxLength: 6,
  selector: (one) => one.sendingAccountId,
});

describe('splitting a stream by weight', () => {
  it('takes the only route there is, and none when all weigh nothing', () => {
    expect(chooseByWeight([route('a', 7)], 'x')).toEqual(route('a', 7));
    expect(chooseByWeight([route('a', 0), route('b', 3)], 'x')).toEqual(route('b', 3));
    expect(chooseByWeight([route('a', 0)], 'x')).toBeUndefined();
    const none: ReturnType<typeof route>[] = [];
    expect(chooseByWeight(none, 'x')).toBeUndefined();
  });

  it('answers the same for the same message, in whatever order the routes come', () => {
    fc.assert(
      fc.property(weighted, fc.uuid(), (routes, key) => {
        const chosen = chooseByWeight(routes, key);
        expect(chooseByWeight([...routes].reverse(), key)).toBe(chosen);
        if (routes.some((one) => one.weight > 0)) expect(chosen?.weight).toBeGreaterThan(0);
      }),
    );
  });

  it('gives each route its share of ids that were made one after the other, to one per cent', () => {
    const routes = [route('a', 100), route('b', 300), route('c', 600)];
    const taken: Record<string, number> = { a: 0, b: 0, c: 0 };
    const messages = 50_000;
    for (let i = 0; i < messages; i += 1) {
      const { sendingAccountId } = chooseByWeight(routes, newId<MessageId>()) ?? { sendingAccountId: '' };
      taken[sendingAccountId] = (taken[sendingAccountId] ?? 0) + 1;
    }
    for (const { sendingAccountId, weight } of routes) {
      expect(Math.abs((taken[sendingAccountId] ?? 0) / messages - weight / 1000)).toBeLessThan(0.01);
    }
  });
});
