import { createHash } from 'node:crypto';
import { CHARGE_TENANT, FORGET, FREEZE, HOLD, OBSERVE, OPEN, REBUILD, THROTTLE } from './account.lua';
import { ACQUIRE } from './acquire.lua';
import { OVERDUE, RESLOT, SETTLE } from './grant.lua';
import { CHARGE_LANE, LANES, LEASES } from './limits.lua';
import { DROP, OFFER, READY, SERVED, STATS, WITHDRAW } from './queue.lua';

/** A Lua script and the digest Redis knows it by. */
export interface Script {
  readonly text: string;
  readonly sha: string;
}

function script(text: string): Script {
  return { text, sha: createHash('sha1').update(text).digest('hex') };
}

/** Every script of the ledger, by what it does. */
export const SCRIPTS = {
  acquire: script(ACQUIRE),
  settle: script(SETTLE),
  reslot: script(RESLOT),
  overdue: script(OVERDUE),
  observe: script(OBSERVE),
  freeze: script(FREEZE),
  throttle: script(THROTTLE),
  rebuild: script(REBUILD),
  chargeTenant: script(CHARGE_TENANT),
  open: script(OPEN),
  forget: script(FORGET),
  hold: script(HOLD),
  lanes: script(LANES),
  chargeLane: script(CHARGE_LANE),
  leases: script(LEASES),
  offer: script(OFFER),
  drop: script(DROP),
  withdraw: script(WITHDRAW),
  stats: script(STATS),
  ready: script(READY),
  served: script(SERVED),
} as const;
