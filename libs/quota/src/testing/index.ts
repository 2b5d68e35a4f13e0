import { SCRIPTS } from '../scripts';

/** The texts of the scripts, for comparing them with the model. */
export const LEDGER_SCRIPTS = SCRIPTS;

export type { LedgerFault } from './ledger-fault';
export { LedgerModel } from './ledger-model';
export type { ModelReply } from './grantor-model';
export { REQUEST_US, SECOND, SimulatedAccount, START } from './simulated-account';
export type { SeenGrant } from './simulated-account';
