import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { StackProblem } from './stack-problem';

export const MASTERS = 3;
const SLOTS = 16_384;
const FORMED_WITHIN_MS = 20_000;

/** One URL for all masters: any of them tells a client where the others are. */
export function clusterUrl(urls: readonly string[]): string {
  const [first, ...others] = urls.map((url) => new URL(url));
  if (!first) throw new StackProblem('a cluster needs a server');
  return `redis://:${first.password}@${[first, ...others].map(({ host }) => host).join(',')}?cluster=true`;
}

/**
 * Makes these servers the masters of one cluster, each with its share of the slots. One that is a cluster already is left
 * as it is. Resolves when every node says that the cluster is whole.
 * @throws StackProblem when it does not become whole
 */
export async function formCluster(urls: readonly string[]): Promise<void> {
  const nodes = urls.map((url) => new Redis(url, { maxRetriesPerRequest: 1 }));
  try {
    const [first] = nodes;
    if (!first) return;
    if (!(await isWhole(first, nodes.length))) {
      for (const [i, node] of nodes.entries()) {
        const from = Math.floor((SLOTS * i) / nodes.length);
        const to = Math.floor((SLOTS * (i + 1)) / nodes.length) - 1;
        // A node keeps its slots over a restart; adding them twice is refused.
        await node.cluster('ADDSLOTS', ...range(from, to)).catch(() => undefined);
        await node.cluster('SET-CONFIG-EPOCH', i + 1).catch(() => undefined);
      }
      for (const url of urls.slice(1)) {
        const { hostname, port } = new URL(url);
        await first.cluster('MEET', hostname, port);
      }
    }
    const deadline = performance.now() + FORMED_WITHIN_MS;
    for (const node of nodes) {
      while (!(await isWhole(node, nodes.length))) {
        if (performance.now() > deadline) throw new StackProblem('the Redis servers did not form a cluster in time');
        await sleep(50);
      }
    }
  } finally {
    for (const node of nodes) node.disconnect();
  }
}

/** True when a node knows all masters and an owner for every slot. */
async function isWhole(node: Redis, masters: number): Promise<boolean> {
  const info = await node.cluster('INFO');
  return (
    /cluster_state:ok/.test(info) &&
    info.includes(`cluster_slots_assigned:${SLOTS}`) &&
    info.includes(`cluster_size:${masters}`)
  );
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}
