import pg from 'pg';

/** Called once for every connection destroyed because it came back dirty; a metric and an alert hang on it. */
export type DirtyRelease = (status: string) => void;

/** What pg 8.23 offers on a client but does not type. */
interface ObservableClient extends pg.PoolClient {
  getTransactionStatus(): 'I' | 'T' | 'E' | null;
  readonly readyForQuery: boolean;
  end(): Promise<void>;
}

/**
 * A pool that never hands a dirty connection on. TypeORM releases a query runner with its transaction still open, and a
 * client-side time-out leaves one behind; the next request would then see, and commit, another tenant's rows
 * (SECURITY.md 1.1, 20). Such a connection is closed instead of being used again.
 */
export function guardedPool(onDirty: DirtyRelease): typeof pg.Pool {
  return class GuardedPool extends pg.Pool {
    constructor(options?: pg.PoolConfig) {
      super(options);
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
