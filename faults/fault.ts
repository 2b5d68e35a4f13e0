import type { LoadedTenant } from './load';
import type { World } from './world';

/** What the table of the design grants a fault. Everything not named is zero. */
export interface Allowance {
  /** From the end of the fault until mail leaves at 95 % of the earlier rate. */
  readonly recoverySeconds: number;
  /** Messages that may stay in doubt because nobody can prove anything about them. */
  readonly inDoubt?: number;
  /** Messages that may still wait at the end: an account that AWS has closed sends nothing. */
  readonly waiting?: boolean;
}

/** Found out only while preparing: the fault is skipped. */
export class ImpossibleHere extends Error {}

export interface Fault {
  readonly name: string;
  /** What is done to the stack, for a person. */
  readonly about: string;
  /** What it rehearses: rows of the crash matrix (docs/testing.md), or an F of the table in docs/faults.md. */
  readonly rows: string;
  readonly allow: Allowance;
  /** Another load than the usual one, and the recipients a second that SES accepts of it. */
  readonly load?: { readonly of: (usual: readonly LoadedTenant[]) => readonly LoadedTenant[]; readonly rate: number };
  /** Comes when so much has been sent, by no command of ours: nobody waits for a steady load first. */
  readonly strikesByItself?: true;
  /** Why it cannot be injected on this stack. */
  readonly impossible?: (world: World) => Promise<string | undefined>;
  /** Before there is load: workers with other settings, proxies. */
  readonly prepare?: (world: World) => Promise<void>;
  /** Does the harm and resolves when it is over. May answer a remark for the table. */
  readonly inject: (world: World) => Promise<string | undefined>;
  /** Brings back what the next fault needs to find. */
  readonly restore?: (world: World) => Promise<void>;
}
