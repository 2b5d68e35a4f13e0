import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import path from 'node:path';
import { readJson, writeJson } from './data-folder';
import { portHolder } from './port-holder';
import { StackProblem } from './stack-problem';

/** Below the range from which systems hand out ports for outgoing connections, so that none is taken between two starts. */
const [lowest, highest] = [20_000, 32_000];

/** Undefined when one may listen on that port of the loopback address, else the system's code for why not. */
function obstacleOn(port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', (error: NodeJS.ErrnoException) => {
      resolve(error.code ?? error.message);
    });
    probe.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      probe.close(() => {
        resolve(undefined);
      });
    });
  });
}

async function isFree(port: number): Promise<boolean> {
  return (await obstacleOn(port)) === undefined;
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

/** A port of the api, and what to say of one that it did not get. */
export interface ApiPort {
  readonly port: number;
  readonly remark?: string;
}

/**
 * The port of the api: the one the user insists on, or the usual one, or the next free one after it.
 * @throws StackProblem when the port that the user insists on cannot be had
 */
export async function apiPort(insisted: number | undefined, usual = 3000): Promise<ApiPort> {
  if (insisted !== undefined) {
    const obstacle = await obstacleOn(insisted);
    if (obstacle === undefined) return { port: insisted };
    throw new StackProblem(obstacleText(insisted, obstacle));
  }
  for (let port = usual; port < usual + 100; port += 1) {
    if (!(await isFree(port))) continue;
    if (port === usual) return { port };
    return {
      port,
      remark: `port ${usual} is taken by ${holderText(usual)}; the api takes ${port} (--port names another)`,
    };
  }
  throw new StackProblem(`none of the ports ${usual} to ${usual + 99} is free; give one with --port`);
}

/** Why nobody of ours may listen there and what to do about it, or undefined when one may by now. */
export async function takenText(port: number): Promise<string | undefined> {
  const obstacle = await obstacleOn(port);
  return obstacle && obstacleText(port, obstacle);
}

function obstacleText(port: number, code: string): string {
  if (code === 'EADDRINUSE')
    return `port ${port} is taken by ${holderText(port)}; stop that one, or give another --port`;
  if (code === 'EACCES') return `port ${port} is for root alone; give a --port above 1023`;
  return `nobody can listen on port ${port} of 127.0.0.1 (${code}); give another --port`;
}

function holderText(port: number): string {
  const holder = portHolder(port);
  return holder === undefined ? 'another program' : `process ${holder.pid} (${holder.commandLine.slice(0, 200)})`;
}
