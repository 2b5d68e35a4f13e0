import { LedgerModel, type LedgerFault } from '../libs/quota/src/testing';
import type { Rule } from './checker';
import type { MakeLedger } from './world/redis-server';
import type { ResolverFault } from './world/upkeep-rows';

export type EngineFault = LedgerFault | ResolverFault;

/** The ways in which the engine can be broken on purpose, each with the rule that must catch it. */
export const ENGINE_FAULTS: Readonly<Record<EngineFault, Rule>> = {
  'frees-early': 'over-quota',
  'refunds-twice': 'over-quota',
  'ignores-cuts': 'over-quota',
  'ignores-caps': 'over-cap',
  'forgets-tenants': 'over-cap',
  'trusts-silence': 'duplicate',
};

/** Of the engine, what a world can be given broken. */
export interface EngineParts {
  readonly makeLedger: MakeLedger;
  readonly resolverFault?: ResolverFault;
}

export function isEngineFault(text: string): text is EngineFault {
  return Object.hasOwn(ENGINE_FAULTS, text);
}

/** The engine as it is, or broken in one way. */
export function engineWith(fault?: EngineFault): EngineParts {
  if (fault === 'trusts-silence') return { makeLedger: ledgerWith(), resolverFault: fault };
  return { makeLedger: ledgerWith(fault) };
}

function ledgerWith(fault?: LedgerFault): MakeLedger {
  return (bucketMs, buckets) => new LedgerModel(bucketMs, buckets, fault);
}
