import type { RedisAddress } from '@libs/config';
import type { Cluster, Redis, RedisOptions } from 'ioredis';
import { openRedis } from './redis-connection';

type Kind = 'client' | 'subscriber' | 'bclient';

/** Bull refuses such connections when they check for readiness or give up on a command: they wait for Redis to come back. */
const PATIENT: RedisOptions = { maxRetriesPerRequest: null, enableReadyCheck: false };

/**
 * The connections of Bull, to one server or a cluster: one for commands and one for announcements, which all queues of the
 * process share, and one for each queue that waits for jobs, because waiting blocks a connection.
 */
export class BullClients {
  private readonly opened: (Redis | Cluster)[] = [];
  private readonly shared = new Map<Kind, Redis>();

  constructor(private readonly address: RedisAddress) {}

  /** What Bull's `createClient` expects. */
  readonly create = (kind: Kind): Redis => {
    const client = this.shared.get(kind) ?? this.open(kind === 'client' ? {} : PATIENT);
    if (kind !== 'bclient') this.shared.set(kind, client);
    return client;
  };

  /** Bull leaves connections that it did not make itself open. Call it when every queue is closed. */
  close(): void {
    for (const client of this.opened) client.disconnect();
  }

  private open(options: RedisOptions): Redis {
    const client = openRedis(this.address, options);
    this.opened.push(client);
    if (options === PATIENT) {
      const connect = client.connect.bind(client);
      // Bull connects anew when it stops taking jobs, and looks too late at how that went: where Redis is away, it ended the process in
      // the middle of its drain. The connection tries again by itself.
      client.connect = () => connect().catch(() => undefined);
    }
    // Bull's types know single servers only; all that it asks of a connection a cluster does as well.
    return client as unknown as Redis;
  }
}
