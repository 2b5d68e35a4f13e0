/**
 * True when the value nests no deeper than `maxDepth` and has at most `maxNodes` values. Walks without recursion: the
 * recursion of graphql's coercion over a deep variable is what this protects (SECURITY.md 38).
 */
export function isWithinShape(value: unknown, maxDepth: number, maxNodes: number): boolean {
  if (maxDepth < 0 || maxNodes < 1) return false;
  let nodes = 1;
  let level = holdsValues(value) ? [value] : [];
  for (let depth = 1; level.length > 0; depth += 1) {
    const below: object[] = [];
    for (const item of level) {
      const children: readonly unknown[] = Array.isArray(item) ? item : Object.values(item);
      nodes += children.length;
      if (nodes > maxNodes || (children.length > 0 && depth > maxDepth)) return false;
      for (const child of children) if (holdsValues(child)) below.push(child);
    }
    level = below;
  }
  return true;
}

function holdsValues(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
