import { DatabaseError, type Client } from 'pg';
import type { Fault } from '../fault';
import type { World } from '../world';

const OUTAGE_MS = 5_000;
const AFTER_OUTAGE = { recoverySeconds: 10 };

async function setForAll(world: World, statement: string): Promise<void> {
  await world.asSuperuser(async (client) => {
    await client.query(statement);
    await client.query('SELECT pg_reload_conf()');
  });
}

const NO_CONNECTIONS = ['ALTER ROLE pf_worker CONNECTION LIMIT 0', 'ALTER ROLE pf_app CONNECTION LIMIT 0'];
const ANY_CONNECTIONS = ['ALTER ROLE pf_worker CONNECTION LIMIT -1', 'ALTER ROLE pf_app CONNECTION LIMIT -1'];
const CUT_CONNECTIONS = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename IN ('pf_worker', 'pf_app')`;

async function runAll(world: World, statements: readonly string[]): Promise<void> {
  await world.asSuperuser(async (client) => {
    for (const statement of statements) await client.query(statement);
  });
}

const DEADLOCK = '40P01';
const TRIES = 5;

/**
 * The messages are a table of many, locked one after another. A claim may come from the other end, and PostgreSQL ends the one
 * that notices first: that must not be the fault.
 */
async function lockMessages(client: Client): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    await client.query('BEGIN');
    try {
      await client.query('LOCK TABLE message IN ACCESS EXCLUSIVE MODE');
      return;
    } catch (error) {
      await client.query('ROLLBACK');
      if (!(error instanceof DatabaseError) || error.code !== DEADLOCK || tries === TRIES) throw error;
    }
  }
}

export const postgresFaults: readonly Fault[] = [
  {
    name: 'kill-postgres',
    about: 'the postmaster is killed with SIGKILL and started again, with recovery from its log',
    rows: '19, 20',
    allow: AFTER_OUTAGE,
    inject: async (world) => {
      await world.parts.postgres.kill();
      await world.wait(1_000);
      await world.parts.postgres.start();
      return undefined;
    },
  },
  {
    name: 'kill-postgres-and-worker',
    about: 'PostgreSQL and a worker are killed at the same moment: only the flight recorder knows',
    rows: '22',
    allow: AFTER_OUTAGE,
    inject: async (world) => {
      await Promise.all([world.parts.postgres.kill(), world.firstWorker.kill()]);
      await world.wait(1_000);
      await world.parts.postgres.start();
      await world.revive(world.firstWorker);
      return undefined;
    },
  },
  {
    name: 'postgres-restart',
    about: 'PostgreSQL is stopped (fast) and started',
    rows: '19, 20',
    allow: AFTER_OUTAGE,
    inject: async (world) => {
      await world.parts.postgres.stop();
      await world.parts.postgres.start();
      return undefined;
    },
  },
  {
    name: 'postgres-hang',
    about: 'every session of the workers waits 5 s for a lock on the messages',
    rows: '19',
    allow: AFTER_OUTAGE,
    inject: async (world) => {
      await world.asSuperuser(async (client) => {
        await lockMessages(client);
        await world.wait(OUTAGE_MS);
        await client.query('ROLLBACK');
      });
      return undefined;
    },
  },
  {
    name: 'postgres-readonly',
    about: 'every transaction is read-only for 5 s',
    rows: '19',
    allow: AFTER_OUTAGE,
    inject: async (world) => {
      await setForAll(world, 'ALTER SYSTEM SET default_transaction_read_only = on');
      await world.wait(OUTAGE_MS);
      await world.asSuperuser(async (client) => {
        await client.query('SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE');
        await client.query('ALTER SYSTEM RESET default_transaction_read_only');
        await client.query('SELECT pg_reload_conf()');
      });
      return undefined;
    },
  },
  {
    name: 'connection-pool-exhaustion',
    about: 'for 5 s, api and workers get no connection to PostgreSQL any more, and those they had are cut',
    rows: '19',
    allow: AFTER_OUTAGE,
    inject: async (world) => {
      await runAll(world, [...NO_CONNECTIONS, CUT_CONNECTIONS]);
      await world.wait(OUTAGE_MS);
      await runAll(world, ANY_CONNECTIONS);
      return undefined;
    },
  },
  {
    name: 'long-xmin',
    about: 'a snapshot is held open for 12 s, so that nothing can be vacuumed',
    rows: 'F12',
    allow: { recoverySeconds: 2 },
    inject: async (world) => {
      await world.asSuperuser(async (client) => {
        await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
        await client.query('SELECT txid_current()');
        await world.wait(12_000);
        await client.query('ROLLBACK');
      });
      return undefined;
    },
  },
];
