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

export interface Given {
  readonly tenant: string;
  readonly lane: string;
  cost: number;
}

/** A tenant's messages by lane, in the order in which they were granted. */
export function byLane(given: readonly Given[], tenant: string): Map<string, Given[]> {
  const lanes = new Map<string, Given[]>();
  for (const part of given) {
    if (part.tenant !== tenant) continue;
    const parts = lanes.get(part.lane) ?? [];
    parts.push(part);
    lanes.set(part.lane, parts);
  }
  return lanes;
}
