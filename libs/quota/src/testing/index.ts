import * as account from '../scripts/account.lua';
import { ACQUIRE } from '../scripts/acquire.lua';
import { DROP, OFFER } from '../scripts/queue.lua';

/** The texts of the scripts, for comparing them with the model. */
export const LEDGER_SCRIPTS = {
  acquire: ACQUIRE,
  settle: account.SETTLE,
  reslot: account.RESLOT,
  observe: account.OBSERVE,
  freeze: account.FREEZE,
  rebuild: account.REBUILD,
  open: account.OPEN,
  offer: OFFER,
  drop: DROP,
} as const;

export { LedgerModel } from './ledger-model';
export type { ModelReply } from './grantor-model';
