import { SCRIPTS } from '../scripts';

/** The texts of the scripts, for comparing them with the model. */
export const LEDGER_SCRIPTS = SCRIPTS;

export { LedgerModel } from './ledger-model';
export type { LedgerFault, ModelOffer } from './ledger-model';
export type { ModelReply } from './grantor-model';
