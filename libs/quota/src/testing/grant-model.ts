/** A grant as the model keeps it. Times are microseconds. */
export interface Grant {
  readonly t0: number;
  deadline: number;
  readonly num: number;
  readonly den: number;
  readonly lanes: readonly string[];
  readonly bucket: number;
  readonly cost: number;
  readonly at: number;
  readonly ids: readonly string[];
}

/** When the rate clock is free again behind its slots. */
export function endOf({ t0, cost, num, den }: Grant): number {
  return Math.ceil(t0 + (cost * 1_000_000 * den) / num);
}

interface Given {
  readonly tenant: string;
  readonly lane: string;
  cost: number;
}

/** A tenant's messages by lane, in the order in which they were granted. */
function byLane(given: readonly Given[], tenant: string): Map<string, Given[]> {
  const lanes = new Map<string, Given[]>();
  for (const part of given) {
    if (part.tenant !== tenant) continue;
    const parts = lanes.get(part.lane) ?? [];
    parts.push(part);
    lanes.set(part.lane, parts);
  }
  return lanes;
}

/** Lanes get back no more than they gave, in the order in which they gave it; what is left is of no lane. */
export function giveBack(
  given: readonly Given[],
  tenant: string,
  count: number,
  back: (lane: string, n: number) => void,
): void {
  let rest = count;
  for (const [lane, parts] of byLane(given, tenant)) {
    let n = 0;
    for (const part of parts) {
      const share = Math.min(rest - n, part.cost);
      part.cost -= share;
      n += share;
    }
    if (n > 0) back(lane, n);
    rest -= n;
  }
  if (rest > 0) back('', rest);
}
