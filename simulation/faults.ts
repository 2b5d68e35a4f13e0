import type { Chance } from './chance';
import { CALM } from './world/provider';
import type { SimulatedHost } from './world/simulated-process';
import type { Port } from './world/wire';
import type { World } from './world/world';

type Fault = (world: World, chance: Chance, hosts: readonly SimulatedHost[]) => void;

/** Does something for a while. */
function during(world: World, ms: number, what: string, begin: () => void, end: () => void): void {
  world.trace.note(`${what} for ${(ms / 1000).toFixed(1)} s`);
  begin();
  world.time.at(ms, () => {
    end();
    world.trace.note(`${what} is over`);
  });
}

function unhealthy(
  port: Port,
  make: (chance: Chance) => Partial<{ lostRequests: number; lostReplies: number; mostMs: number }>,
): Fault {
  return (world, chance) => {
    const health = world.wire.health[port];
    const { lostRequests, lostReplies, mostMs } = health;
    const worse = make(chance);
    during(
      world,
      chance.between(2_000, 40_000),
      `${port} ${JSON.stringify(worse)}`,
      () => Object.assign(health, worse),
      () => Object.assign(health, { lostRequests, lostReplies, mostMs }),
    );
  };
}

function down(port: Port): Fault {
  return (world, chance) => {
    const health = world.wire.health[port];
    during(
      world,
      chance.between(500, 30_000),
      `${port} is down`,
      () => {
        health.up = false;
      },
      () => {
        health.up = true;
      },
    );
  };
}

function mood(name: keyof typeof CALM, most: number): Fault {
  return (world, chance) => {
    const much = chance.between(0.02, most);
    during(
      world,
      chance.between(2_000, 40_000),
      `SES: ${name} ${much.toFixed(2)}`,
      () => {
        world.provider.mood[name] = much;
      },
      () => {
        world.provider.mood[name] = 0;
      },
    );
  };
}

function killOne(world: World, chance: Chance): void {
  const worker = world.workers[chance.whole(0, Math.max(0, world.workers.length - 1))];
  if (worker) world.kill(worker);
}

function changeLimits(world: World, chance: Chance, factor: number, forMs: number): void {
  const id = chance.pick([...world.provider.accounts.keys()]);
  const { quota, rate } = world.provider.getAccount(id);
  during(
    world,
    forMs,
    `${world.trace.name('account', id)} gets ${String(factor)} of its limits`,
    () => {
      world.provider.setLimits(id, Math.ceil(quota * factor), Math.max(1, rate * factor));
    },
    () => {
      world.provider.setLimits(id, quota, rate);
    },
  );
}

/** After these no ledger is current until it is rebuilt. */
const REBUILDS: readonly ((world: World, chance: Chance) => void)[] = [
  (world) => {
    world.trace.note('Redis is flushed');
    world.redis.wipe();
  },
  (world) => {
    world.redis.runId = world.nextRunId();
    world.trace.note(`Redis restarts with its data as ${world.redis.runId}`);
  },
  (world, chance) => {
    const replica = world.redis.replica(world.nextRunId());
    const lag = chance.between(0, 15_000);
    world.time.at(lag, () => {
      world.trace.note(`a replica ${(lag / 1000).toFixed(1)} s behind is promoted as ${replica.runId}`);
      world.replaceRedis(replica, chance.between(0, 8_000));
    });
  },
];

const FAULTS: readonly Fault[] = [
  killOne,
  (world, chance) => {
    world.trace.note('workers are killed again and again');
    for (let n = chance.whole(3, 10), at = 0; n > 0; n -= 1) {
      world.time.at((at += chance.between(500, 6_000)), () => {
        killOne(world, chance);
      });
    }
  },
  (world, chance) => {
    const often = chance.between(0.0005, 0.01);
    during(
      world,
      chance.between(5_000, 60_000),
      'crashes in the middle of calls',
      () => {
        world.crashAtStep = often;
      },
      () => {
        world.crashAtStep = 0;
      },
    );
  },
  (world, chance) => {
    const worker = world.workers[chance.whole(0, Math.max(0, world.workers.length - 1))];
    if (!worker) return;
    during(
      world,
      chance.pick([200, 3_000, 20_000, 120_000]) * chance.between(0.5, 1.5),
      `${worker.process.name} is frozen`,
      () => {
        worker.process.freeze();
      },
      () => {
        worker.process.thaw();
      },
    );
  },
  (world, chance) => {
    const worker = world.workers[chance.whole(0, Math.max(0, world.workers.length - 1))];
    if (!worker?.takesJobs) return;
    world.trace.note(`${worker.process.name} is asked to stop`);
    void worker.drain().then(() => {
      if (world.workers.includes(worker)) world.buried(worker);
    });
  },
  ...REBUILDS,
  (world, chance) => {
    const error = chance.pick([-7_000, -2_000, 2_000, 7_000]);
    during(
      world,
      chance.between(2_000, 30_000),
      `Redis' clock jumps by ${String(error)} ms`,
      () => {
        world.redis.clockErrorMs += error;
      },
      () => {
        world.redis.clockErrorMs -= error;
      },
    );
  },
  (world, chance, hosts) => {
    const host = chance.pick(hosts);
    const error = chance.pick([-3_600_000, -4_000, -500, 500, 4_000, 3_600_000]);
    during(
      world,
      chance.between(2_000, 40_000),
      `the clock of ${host.name} jumps by ${String(error)} ms`,
      () => {
        host.clockErrorMs += error;
      },
      () => {
        host.clockErrorMs -= error;
      },
    );
  },
  down('redis'),
  down('postgres'),
  down('control'),
  unhealthy('redis', (chance) => ({ lostReplies: chance.between(0.01, 0.3), lostRequests: chance.between(0, 0.1) })),
  unhealthy('postgres', (chance) => ({ lostReplies: chance.between(0.01, 0.3), lostRequests: chance.between(0, 0.1) })),
  unhealthy('redis', (chance) => ({ mostMs: chance.between(20, 600) })),
  unhealthy('postgres', (chance) => ({ mostMs: chance.between(20, 2_000) })),
  mood('throttle', 1),
  mood('error', 1),
  mood('acceptThenReset', 1),
  mood('resetBefore', 1),
  mood('hang', 0.5),
  (world, chance) => {
    const lost = chance.pick([0.02, 0.3, 1]);
    during(
      world,
      chance.between(5_000, 90_000),
      `events are lost: ${String(lost)}`,
      () => {
        world.events.lost = lost;
      },
      () => {
        world.events.lost = 0;
      },
    );
  },
  (world, chance) => {
    const { leastMs, mostMs } = world.events;
    during(
      world,
      chance.between(5_000, 60_000),
      'events are late, doubled and out of order',
      () => Object.assign(world.events, { leastMs: 1_000, mostMs: 120_000, doubled: 0.3 }),
      () => Object.assign(world.events, { leastMs, mostMs, doubled: 0 }),
    );
  },
  (world, chance) => {
    // Some last until the ledger must have known of them for long.
    changeLimits(world, chance, chance.pick([0.1, 0.5, 2]), chance.pick([1, 3]) * chance.between(60_000, 150_000));
  },
  (world, chance) => {
    during(
      world,
      chance.between(5_000, 40_000),
      'Bull delivers twice',
      () => {
        world.bull.doubleDelivery = 0.5;
      },
      () => {
        world.bull.doubleDelivery = 0;
      },
    );
  },
  (world, chance) => {
    const tenant = chance.pick([...world.tables.tenants.values()]);
    during(
      world,
      chance.between(2_000, 40_000),
      'a tenant is paused',
      () => {
        tenant.paused = true;
      },
      () => {
        tenant.paused = false;
      },
    );
  },
];

/** One fault of the list, drawn. */
export function breakSomething(world: World, chance: Chance, hosts: readonly SimulatedHost[]): void {
  chance.pick(FAULTS)(world, chance, hosts);
}

/** SES allows an account less for that long. */
export function cutLimits(world: World, chance: Chance, forMs: number): void {
  changeLimits(world, chance, chance.pick([0.2, 0.5]), forMs);
}

/** Loses the ledgers, one way or another. */
export function loseLedgers(world: World, chance: Chance): void {
  chance.pick(REBUILDS)(world, chance);
}

/** SES takes mail and breaks the connection while its events are lost: silence that means nothing. */
export function loseAnswersAndEvents(world: World, chance: Chance): void {
  const [lost, reset] = [chance.pick([0.3, 1]), chance.between(0.1, 0.5)];
  during(
    world,
    chance.between(10_000, 30_000),
    `SES: acceptThenReset ${reset.toFixed(2)}, events are lost: ${String(lost)}`,
    () => {
      world.provider.mood.acceptThenReset = reset;
      world.events.lost = lost;
    },
    () => {
      world.provider.mood.acceptThenReset = 0;
      world.events.lost = 0;
    },
  );
}
