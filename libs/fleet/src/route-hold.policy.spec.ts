import fc from 'fast-check';
import { holdAfterRefusal, holdAfterRepair, type HoldReason, type RouteHold } from './route-hold.policy';

const NONE: RouteHold = { heldUntil: null, heldFor: null, refusals: 0 };
const NOW = 1_700_000_000_000;

/** How long each hold lasts when the route is refused again, so long after each has ended. */
function holds(times: number, afterMs: number, why: HoldReason): number[] {
  let hold = NONE;
  let now = NOW;
  return Array.from({ length: times }, () => {
    hold = holdAfterRefusal(hold, why, now) ?? hold;
    const until = hold.heldUntil?.getTime() ?? 0;
    const lasted = (until - now) / 1_000;
    now = until + afterMs;
    return lasted;
  });
}

describe('the hold of a route that SES refuses', () => {
  it('lasts twice as long each time, up to two minutes', () => {
    expect(holds(7, 2_500, 'DRIFT')).toEqual([15, 30, 60, 120, 120, 120, 120]);
  });

  it('because the role is denied lasts a tenth longer each time: it is tried within a tenth of the time that has passed', () => {
    const lasted = holds(40, 2_500, 'DENIED');
    expect(lasted.slice(0, 3).map(Math.round)).toEqual([15, 17, 18]);
    let passed = 0;
    for (const seconds of lasted) {
      expect(seconds).toBeLessThanOrEqual(15 + passed / 10);
      passed += seconds + 2.5;
    }
    expect(lasted.at(-1)).toBe(120);
  });

  it('begins anew when the route worked for a quarter of an hour', () => {
    expect(holds(3, 900_000, 'DENIED')).toEqual([15, 15, 15]);
  });

  it('is not made longer by what was under way', () => {
    const first = holdAfterRefusal(NONE, 'DRIFT', NOW);
    expect(first).toBeDefined();
    if (!first) return;
    expect(holdAfterRefusal(first, 'DRIFT', NOW + 1_000)).toBeUndefined();
    const repaired = holdAfterRepair(first, NOW + 300);
    expect(repaired.heldUntil).toEqual(new Date(NOW + 300));
    expect(holdAfterRefusal(repaired, 'DRIFT', NOW + 1_000)).toBeUndefined();
    expect(holdAfterRefusal(repaired, 'DRIFT', NOW + 3_000)?.refusals).toBe(2);
  });

  it('ends with the first repair, not with one that did not help, and never because the role is denied', () => {
    const until = new Date(NOW + 10_000);
    const held = (heldFor: 'DRIFT' | 'DENIED', refusals: number) => ({ heldUntil: until, heldFor, refusals });
    expect(holdAfterRepair(held('DRIFT', 1), NOW).heldUntil).toEqual(new Date(NOW));
    expect(holdAfterRepair(held('DRIFT', 2), NOW).heldUntil).toEqual(until);
    expect(holdAfterRepair(held('DENIED', 1), NOW).heldUntil).toEqual(until);
  });

  it('never lasts longer than two minutes, whatever happened before', () => {
    fc.assert(
      fc.property(fc.nat(2_000_000), fc.nat(1_000), (agoMs, refusals) => {
        const known: RouteHold = { heldUntil: new Date(NOW - agoMs), heldFor: 'DRIFT', refusals };
        const next = holdAfterRefusal(known, refusals % 2 === 0 ? 'DRIFT' : 'DENIED', NOW);
        if (next) expect((next.heldUntil?.getTime() ?? 0) - NOW).toBeLessThanOrEqual(120_000);
        else expect(agoMs).toBeLessThan(2_000);
      }),
    );
  });
});
