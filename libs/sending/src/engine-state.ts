/** States of a message inside the engine (ENGINE.md 1.1). */
export type EngineState =
  'SCHEDULED' | 'READY' | 'INTENT' | 'SENT' | 'REJECTED' | 'IN_DOUBT' | 'EXPIRED' | 'CANCELED' | 'SUPPRESSED';
