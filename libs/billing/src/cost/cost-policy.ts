/** Who bears the fees of an account: its tenants alike, its tenants by volume, or we. */
export const FEE_SHARES = ['EVEN', 'BY_VOLUME', 'PLATFORM'] as const;
/** Who bears what nobody used: we, as idle; or the account's tenants by volume. */
export const IDLE_SHARES = ['PLATFORM', 'TENANTS'] as const;

/** What is a matter of contract and not of fact. */
export interface CostPolicy {
  readonly fees: (typeof FEE_SHARES)[number];
  readonly idle: (typeof IDLE_SHARES)[number];
}

export const DEFAULT_POLICY: CostPolicy = { fees: 'BY_VOLUME', idle: 'PLATFORM' };
