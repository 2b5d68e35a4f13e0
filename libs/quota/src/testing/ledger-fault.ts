/** Deliberate faults, to see that what judges the engine sees them. Tests only. */
export type LedgerFault =
  /** Frees a bucket 24 h after its start, with no guard. */
  | 'frees-early'
  /** Gives back twice what was not used. */
  | 'refunds-twice'
  /** Takes no notice of tenants' own daily caps. */
  | 'ignores-caps'
  /** Rebuilt, takes no tenant to have used anything. */
  | 'forgets-tenants'
  /** Goes on by the quota it had when SES has cut it. */
  | 'ignores-cuts';
