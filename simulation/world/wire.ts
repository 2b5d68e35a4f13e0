import type { Chance } from '../chance';
import type { SimulatedProcess } from './simulated-process';
import type { VirtualTime } from './virtual-time';

export type Port = 'postgres' | 'redis' | 'control';

/** How the network to a server behaves at the moment; probabilities per call. */
export interface PortHealth {
  up: boolean;
  lostRequests: number;
  lostReplies: number;
  leastMs: number;
  mostMs: number;
}

class ConnectionLost extends Error {
  constructor(port: Port, what: string) {
    super(`${port}: ${what}`);
  }
}

/**
 * Every call of a process to a server: it takes time, its request or its reply may get lost, and the process may be
 * killed on the way. A caller that died never hears an answer.
 */
export class Wire {
  readonly health: Record<Port, PortHealth> = {
    postgres: healthy(0.3, 2),
    redis: healthy(0.1, 0.8),
    control: healthy(20, 80),
  };
  /** Called at every moment a call could be cut: a crash may happen here. */
  onStep: (process: SimulatedProcess) => void = () => undefined;

  constructor(
    private readonly time: VirtualTime,
    private readonly chance: Chance,
  ) {}

  /** @param effect what the server does, at once; rejects or throws as the server would answer an error */
  call<T>(process: SimulatedProcess, port: Port, effect: () => T | Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (!process.alive) return;
      this.onStep(process);
      const health = this.health[port];
      const answer = (give: () => void, ms: number) => {
        this.time.at(ms, () => {
          process.enter(() => {
            this.onStep(process);
            process.enter(give);
          });
        });
      };
      const fail = (why: string, ms: number) => {
        answer(() => {
          reject(new ConnectionLost(port, why));
        }, ms);
      };
      const arrive = () => {
        if (!process.alive) return;
        if (!health.up) {
          fail('is down', 1);
          return;
        }
        if (this.chance.happens(health.lostRequests)) {
          fail('the request got lost', this.chance.between(5, 200));
          return;
        }
        const replyLost = this.chance.happens(health.lostReplies);
        void settled(effect).then((result) => {
          if (replyLost) fail('the reply got lost', this.chance.between(5, 200));
          else if (result.ok)
            answer(() => {
              resolve(result.value);
            }, this.latency(health));
          else
            answer(() => {
              reject(result.error);
            }, this.latency(health));
        });
      };
      if (health.mostMs === 0) arrive();
      else this.time.at(this.latency(health), arrive);
    });
  }

  private latency({ leastMs, mostMs }: PortHealth): number {
    return mostMs === 0 ? leastMs : this.chance.between(leastMs, mostMs);
  }
}

function healthy(leastMs: number, mostMs: number): PortHealth {
  return { up: true, lostRequests: 0, lostReplies: 0, leastMs, mostMs };
}

type Result<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: Error };

async function settled<T>(effect: () => T | Promise<T>): Promise<Result<T>> {
  try {
    return { ok: true, value: await effect() };
  } catch (error) {
    return { ok: false, error: error instanceof Error ? error : new Error(String(error)) };
  }
}
