import type { Duplex } from 'node:stream';
import pg from 'pg';

/** What a socket has, and pg does not type. */
interface TimedStream {
  readonly timeout?: number | undefined;
  setTimeout(ms: number): unknown;
}

/** Called once for every connection destroyed because it came back dirty; a metric and an alert hang on it. */
export type DirtyRelease = (status: string) => void;

/** A server that says nothing for so much longer than it lets a statement take is not there any more. */
const BEYOND_STATEMENT_MS = 5_000;

/** What pg 8.23 offers on a client but does not type. */
interface ObservableClient extends pg.PoolClient {
  getTransactionStatus(): 'I' | 'T' | 'E' | null;
  readonly readyForQuery: boolean;
  end(): Promise<void>;
}

/**
 * A pool that never hands a dirty connection on. TypeORM releases a query runner with its transaction still open, and a
 * client-side time-out leaves one behind; the next request would then see, and commit, another tenant's rows
 * (SECURITY.md 1.1, 20). Such a connection is closed instead of being used again. So is one whose server has been silent for too long.
 * @param statementMs what the server lets a statement take
 */
export function guardedPool(onDirty: DirtyRelease, statementMs: number): typeof pg.Pool {
  return class GuardedPool extends pg.Pool {
    constructor(options?: pg.PoolConfig) {
      super(options);
      this.on('connect', (client) => {
        giveUpOnSilence(client as ObservableClient, statementMs);
      });
      this.on('release', (error: Error | undefined, released) => {
        const client = released as ObservableClient;
        const status = client.getTransactionStatus();
        const busy = status !== null && !client.readyForQuery;
        if (!error && (status === 'T' || status === 'E' || busy)) {
          onDirty(status);
          // end() marks the client as ending, so that the pool removes it; its own failure changes nothing.
          client.end().catch(() => undefined);
        }
      });
    }
  };
}

/**
 * A host that has died, or a network that has parted, tells nobody: the kernel would repeat what was asked for a quarter of an
 * hour, and its caller wait as long. The transaction dies with the connection, so nothing is left open behind it.
 */
function giveUpOnSilence(client: ObservableClient, statementMs: number): void {
  const stream = client.connection.stream as Duplex & TimedStream;
  allowStatement(stream, statementMs);
  stream.on('timeout', () => {
    if (!client.readyForQuery) stream.destroy(new Error('PostgreSQL does not answer any more'));
  });
}

/** From now on a statement on that connection may take so long. Answers how to take that back. */
export function allowStatement(stream: TimedStream, statementMs: number): () => void {
  const before = stream.timeout ?? 0;
  stream.setTimeout(statementMs + BEYOND_STATEMENT_MS);
  return () => {
    stream.setTimeout(before);
  };
}
