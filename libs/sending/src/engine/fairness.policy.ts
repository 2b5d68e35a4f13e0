/**
 * Jain's index of what tenants got for their weight: 1 when each got the same, 1/n when one of n got everything (Jain,
 * Chiu and Hawe 1984). Undefined for fewer than two, who cannot be treated unequally.
 */
export function jainIndex(shares: readonly number[]): number | undefined {
  if (shares.length < 2) return undefined;
  const sum = shares.reduce((total, share) => total + share, 0);
  const squares = shares.reduce((total, share) => total + share * share, 0);
  return squares === 0 ? undefined : (sum * sum) / (shares.length * squares);
}
