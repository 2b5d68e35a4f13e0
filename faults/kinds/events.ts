import type { EventFaultInput } from '../../apps/simulator/src/admin/admin.schemas';
import type { Fault } from '../fault';

/** Requests whose answer is lost, so that only an event can tell what became of them. */
const DOUBTS = 10;
const OUTAGE_MS = 8_000;

/** Events go wrong for some seconds in which some answers of SES are lost too. */
function unruly(
  name: string,
  about: string,
  rows: string,
  faults: EventFaultInput,
  doubts: number,
  inDoubt = 0,
): Fault {
  return {
    name,
    about: `${about}; ${doubts} answers of SES are lost meanwhile`,
    rows,
    allow: { recoverySeconds: 10, inDoubt },
    inject: async (world) => {
      await world.simulator.setEventFaults(faults);
      await world.wait(500);
      await world.simulator.addFault({ operation: 'Send*', kind: 'accept-then-reset', count: doubts, rate: 0.2 });
      await world.wait(OUTAGE_MS);
      await world.simulator.clearFaults();
      return undefined;
    },
  };
}

export const eventFaults: readonly Fault[] = [
  unruly('events-held', 'SES’s events stop for 8 s and come afterwards', '25', { hold: true }, DOUBTS),
  unruly('events-lost', 'every event of 8 s is lost for good', '25', { dropRate: 1 }, 3, 3),
  unruly('events-duplicated', 'every event comes twice', '26', { duplicateRate: 1 }, DOUBTS),
  unruly('events-reordered', 'events overtake each other by up to 1.5 s', '26', { reorderMs: 1_500 }, DOUBTS),
];
