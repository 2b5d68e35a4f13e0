import type { ApiKeyId, Issue, Mode, TenantId } from '@libs/kernel';
import type { Checked } from './accept.policy';
import type { Message } from './message';

/** On whose behalf mail is handed in. */
export interface Submitter {
  readonly tenantId: TenantId;
  readonly mode: Mode;
  readonly keyId?: ApiKeyId;
}

/** A call whose entries have been looked at by themselves. */
export interface AcceptCall {
  readonly key: string;
  readonly hash: Buffer;
  readonly checked: readonly Checked[];
}

/** What became of one entry: a durable message, or everything wrong with it (nothing, for a dry run that would do). */
export type AcceptedEntry = { readonly message: Message } | { readonly issues: readonly Issue[] };

export interface Accepted {
  /** True when this very request was answered before; the results are those of then. */
  readonly replayed: boolean;
  readonly results: readonly AcceptedEntry[];
}
