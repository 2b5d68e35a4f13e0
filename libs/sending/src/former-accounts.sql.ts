/**
 * The accounts besides those of its placements of now through which a tenant may have sent since then: what went there counts
 * towards its limits. Those of placements that have ended, and siblings that took its mail over: on these a message may wait
 * for a life of seven days (accept-limits.ts) after a decision that is written anew once an hour. An account may come twice.
 */
export const formerAccounts = (tenant: string, mode: string, since: string) => `
  SELECT f.sending_account_id AS account FROM placement f
   WHERE f.tenant_id = ${tenant} AND f.mode = ${mode} AND f.valid_to >= ${since}
   UNION ALL
  SELECT r.to_account FROM reroute r
   WHERE r.tenant_id = ${tenant} AND r.mode = ${mode} AND r.at >= ${since} - interval '7 days 1 hour'`;
