/** Rules for turning arrivals and samples into figures. All pure. */

export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

/** Nearest rank: the smallest value that at least `share` of the values do not exceed. NaN of nothing. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const rank = Math.max(1, Math.ceil(share * sorted.length));
  return sorted[rank - 1] ?? NaN;
}

/** Jain's index of fairness: 1 when all shares are equal, 1/n when one has everything. NaN of nothing. */
export function jain(shares: readonly number[]): number {
  const sum = shares.reduce((total, share) => total + share, 0);
  const squares = shares.reduce((total, share) => total + share * share, 0);
  return squares === 0 ? NaN : (sum * sum) / (shares.length * squares);
}

/** One arrival's time in microseconds and its weight in recipients. */
export interface Weighed {
  readonly atUs: number;
  /** Since when it may have waited for whoever noted the time; `atUs` when it did not. */
  readonly sinceUs: number;
  readonly recipients: number;
}

/**
 * Most recipients that certainly came in any interval [t, t + span) of microseconds: one that may have waited counts from when
 * that began. `arrivals` in order of `atUs`.
 */
export function worstSlidingWindow(arrivals: readonly Weighed[], spanUs: number): number {
  let worst = 0;
  let inside = 0;
  let first = 0;
  for (const { atUs, recipients } of arrivals) {
    inside += recipients;
    for (let oldest = arrivals[first]; oldest && atUs - oldest.sinceUs >= spanUs; oldest = arrivals[first]) {
      inside -= oldest.recipients;
      first += 1;
    }
    worst = Math.max(worst, inside);
  }
  return worst;
}

/** Largest relative distance of the observed shares from shares in proportion to the weights. */
export function worstShareError(observed: readonly number[], weights: readonly number[]): number {
  const total = observed.reduce((sum, value) => sum + value, 0);
  const weight = weights.reduce((sum, value) => sum + value, 0);
  return Math.max(...observed.map((value, i) => Math.abs(value / ((total * (weights[i] ?? 0)) / weight) - 1)));
}
