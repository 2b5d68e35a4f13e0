/** Decides priority, pool and configuration set of a message. */
export const STREAMS = ['TRANSACTIONAL', 'MARKETING'] as const;
export type Stream = (typeof STREAMS)[number];

/** What a message whose fate is unknown may become: rather sent twice, or rather never again. */
export const IN_DOUBT_POLICIES = ['AT_LEAST_ONCE', 'AT_MOST_ONCE'] as const;
export type InDoubtPolicy = (typeof IN_DOUBT_POLICIES)[number];

/** TEST messages go to the simulator and are never billed. */
export const MODES = ['LIVE', 'TEST'] as const;
export type Mode = (typeof MODES)[number];
