/** Decides priority, pool and configuration set of a message. */
export const STREAMS = ['TRANSACTIONAL', 'MARKETING'] as const;
export type Stream = (typeof STREAMS)[number];

/** TEST messages go to the simulator and are never billed. */
export const MODES = ['LIVE', 'TEST'] as const;
export type Mode = (typeof MODES)[number];
