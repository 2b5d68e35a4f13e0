import { Pool } from 'undici';
import type { AwsSettings } from './aws.settings';
import { BoundedMap } from './bounded-map';
import type { FleetRole } from './fleet-role';
import { MAX_ANSWER_BYTES } from './send-answer.policy';
import { sesOrigin } from './send-endpoint.policy';

/** The way from this process to SES for one sending account. */
export interface SendPool {
  readonly pool: Pool;
  /** As it stands in the Host header, and so in the signature. */
  readonly host: string;
  /** Of the endpoint, without a slash at its end: before the path of every call. */
  readonly base: string;
}

const MAX_POOLS = 2_000;

/**
 * Requests of one sending account under way at once: 850 messages/s of an account at a p99 of 200 ms, half as much again
 * for bursts. Opened as needed. The engine hands over no more than this; what does not fit otherwise waits in the pool and is
 * cut off at its deadline, provably unsent.
 */
export const CONNECTIONS = 256;

// An idle connection that SES closes just as it is used again leaves a message in doubt: ours gives up earlier. When the
// server says how long it keeps idle connections (Keep-Alive: timeout=), ours live a little shorter than that.
const IDLE_MS = 10_000;
const MOST_IDLE_MS = 60_000;

/** One connection pool per sending account, so that one whose requests hang takes no connection from another. */
export class SendPools {
  private readonly pools = new BoundedMap<SendPool>(MAX_POOLS, (old) => void old.pool.close());

  constructor(private readonly settings: AwsSettings) {}

  /** @throws TestModeOff */
  for(role: FleetRole): SendPool {
    const endpoint = this.settings.endpointFor(role.mode).endpoint ?? sesOrigin(role.region);
    const key = `${role.accountId} ${role.region} ${endpoint}`;
    const known = this.pools.get(key);
    if (known) return known;
    const { origin, host, pathname } = new URL(endpoint);
    const opened = {
      host,
      base: pathname.replace(/\/+$/, ''),
      pool: new Pool(origin, {
        connections: CONNECTIONS,
        // One request on a connection at a time: a second one behind it would share its fate.
        pipelining: 1,
        allowH2: false,
        connectTimeout: 2_000,
        keepAliveTimeout: IDLE_MS,
        keepAliveMaxTimeout: MOST_IDLE_MS,
        // The exchange has one time limit over everything.
        headersTimeout: 0,
        bodyTimeout: 0,
        maxResponseSize: MAX_ANSWER_BYTES,
      }),
    };
    this.pools.set(key, opened);
    return opened;
  }

  /** Ends what is still under way. */
  async close(): Promise<void> {
    await Promise.all([...this.pools.values()].map(({ pool }) => pool.destroy()));
  }
}
