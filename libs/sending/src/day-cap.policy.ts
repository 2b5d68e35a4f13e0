/** The smaller of two caps, recipients per 24 h; null = none. */
export function smallerCap(one: bigint | null, other: bigint | null): bigint | null {
  if (one === null || other === null) return one ?? other;
  return one < other ? one : other;
}
