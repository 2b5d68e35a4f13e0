/**
 * True when the value nests no deeper than `maxDepth` and has at most `maxNodes` values. Walks without recursion: the
 * recursion of graphql's coercion over a deep variable is what this protects (SECURITY.md 38).
 */
export function isWithinShape(value: unknown, maxDepth: number, maxNodes: number): boolean {
  let nodes = 0;
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    nodes += level.length;
    if (depth > maxDepth || nodes > maxNodes) return false;
    const below: unknown[] = [];
    for (const item of level) {
      if (typeof item !== 'object' || item === null) continue;
      for (const child of Object.values(item)) below.push(child);
      if (nodes + below.length > maxNodes) return false;
    }
    level = below;
  }
  return true;
}
