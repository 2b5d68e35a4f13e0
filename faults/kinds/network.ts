import type { Fault } from '../fault';
import type { Mode } from '../tcp-proxy';

type Side = 'postgres' | 'redis' | 'ses';

const OUTAGE_MS = 5_000;
const sides: Readonly<Record<Side, string>> = { postgres: 'PostgreSQL', redis: 'Redis', ses: 'SES' };
const modes: readonly { readonly name: string; readonly about: string; readonly mode: Mode }[] = [
  { name: 'latency', about: '100 ms later in both directions', mode: { kind: 'latency', ms: 100 } },
  { name: 'reset', about: 'reset, and every new one too', mode: { kind: 'reset' } },
  { name: 'half-open', about: 'dead without a word', mode: { kind: 'half-open' } },
];

function harm(side: Side, { name, about, mode }: (typeof modes)[number]): Fault {
  return {
    name: `${side}-${name}`,
    about: `for 5 s, the workers' connections to ${sides[side]} are ${about}`,
    rows: 'F14',
    allow: { recoverySeconds: side === 'redis' ? 30 : 20 },
    impossible: (world) =>
      Promise.resolve(
        side === 'redis' && world.isCluster ? 'clients of a cluster find its nodes past a proxy' : undefined,
      ),
    prepare: async (world) => {
      const { environment } = await world.proxied();
      await world.workers(world.usualWorkers, environment);
    },
    inject: async (world) => {
      const proxy = (await world.proxied())[side];
      proxy.set(mode);
      await world.wait(OUTAGE_MS);
      proxy.set({ kind: 'pass' });
      return undefined;
    },
  };
}

export const networkFaults: readonly Fault[] = (['postgres', 'redis', 'ses'] as const).flatMap((side) =>
  modes.map((mode) => harm(side, mode)),
);
