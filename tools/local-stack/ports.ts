import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import path from 'node:path';
import { readJson, writeJson } from './data-folder';
import { StackProblem } from './stack-problem';

/** Below the range from which systems hand out ports for outgoing connections, so that none is taken between two starts. */
const [lowest, highest] = [20_000, 32_000];

/** True when nobody listens on that port of the loopback address. */
function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => {
      resolve(false);
    });
    probe.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      probe.close(() => {
        resolve(true);
      });
    });
  });
}

/**
 * The port a service of this data folder had last time when it is still free, else a new free one, remembered from now on.
 * Stable ports keep connection URLs valid over restarts.
 */
export async function rememberedPort(dataFolder: string, service: string): Promise<number> {
  const file = path.join(dataFolder, 'ports.json');
  const ports = readJson<Record<string, number>>(file) ?? {};
  const last = ports[service];
  const others = new Set(Object.entries(ports).flatMap(([name, port]) => (name === service ? [] : [port])));
  if (last !== undefined && (await isFree(last))) return last;
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const port = randomInt(lowest, highest);
    if (others.has(port) || !(await isFree(port))) continue;
    writeJson(file, { ...ports, [service]: port });
    return port;
  }
  throw new StackProblem(`no free port between ${lowest} and ${highest} on 127.0.0.1 was found for ${service}`);
}

/**
 * The port of the api: the one the user insists on, or the usual one, or the next free one after it.
 * @throws StackProblem when the port that the user insists on is taken
 */
export async function apiPort(insisted: number | undefined, usual = 3000): Promise<number> {
  if (insisted !== undefined) {
    if (await isFree(insisted)) return insisted;
    throw new StackProblem(`port ${insisted} is taken by another program; stop that one, or give another --port`);
  }
  for (let port = usual; port < usual + 100; port += 1) if (await isFree(port)) return port;
  throw new StackProblem(`none of the ports ${usual} to ${usual + 99} is free; give one with --port`);
}
