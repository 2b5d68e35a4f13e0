/** Something that takes a part of a tenant's stream: its share is weight / sum of weights. */
interface Weighted {
  readonly weight: number;
  readonly sendingAccountId: string;
}

/**
 * Which of several routes a message takes: by its id, so that everybody who asks gets the same answer, and in proportion
 * to the weights in the long run. A route of weight 0 takes nothing.
 * @param routes those of one stream; their order does not matter
 */
export function chooseByWeight<Route extends Weighted>(routes: readonly Route[], key: string): Route | undefined {
  const open = routes.filter((route) => route.weight > 0);
  if (open.length <= 1) return open[0];
  open.sort((a, b) => (a.sendingAccountId < b.sendingAccountId ? -1 : 1));
  const total = open.reduce((sum, route) => sum + route.weight, 0);
  let left = (hash(key) / 2 ** 32) * total;
  for (const route of open) {
    left -= route.weight;
    if (left < 0) return route;
  }
  return open.at(-1);
}

/** 32 bits of the key, evenly spread: FNV-1a, then the finish of MurmurHash3, since ids of one moment differ in few bits. */
function hash(key: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < key.length; i += 1) h = Math.imul(h ^ key.charCodeAt(i), 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
