import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** `half-open`: the other side is gone without a word; what is sent is swallowed and nothing ever comes back. */
export type Mode =
  { readonly kind: 'pass' | 'reset' | 'half-open' } | { readonly kind: 'latency'; readonly ms: number };

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
}

/** Stands between a program and a server on loopback and does to their connections what networks do. */
export class TcpProxy {
  private mode: Mode = { kind: 'pass' };
  private readonly pairs = new Set<Pair>();

  private constructor(
    private readonly server: Server,
    private upstreamPort: number,
  ) {}

  static async start(upstreamPort: number): Promise<TcpProxy> {
    const server = createServer({ noDelay: true });
    const proxy = new TcpProxy(server, upstreamPort);
    server.on('connection', (client) => {
      proxy.serve(client);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** From now on; `reset` and the end of `half-open` break every connection there is with a RST. */
  set(mode: Mode): void {
    const wasHalfOpen = this.mode.kind === 'half-open';
    this.mode = mode;
    // A host that comes back knows nothing of connections from before.
    if (mode.kind === 'reset' || wasHalfOpen) this.breakAll();
  }

  /** Connections made from now on lead to another server. */
  leadTo(upstreamPort: number): void {
    this.upstreamPort = upstreamPort;
    this.breakAll();
  }

  async close(): Promise<void> {
    this.breakAll();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private serve(client: Socket): void {
    client.on('error', () => client.destroy());
    if (this.mode.kind === 'reset') {
      client.resetAndDestroy();
      return;
    }
    const pair = { client, server: connect({ port: this.upstreamPort, host: '127.0.0.1', noDelay: true }) };
    this.pairs.add(pair);
    this.join(pair.client, pair.server, pair);
    this.join(pair.server, pair.client, pair);
  }

  private join(from: Socket, to: Socket, pair: Pair): void {
    from.on('error', () => {
      this.drop(pair);
    });
    from.on('close', () => {
      // In a half-open connection the end of one side is not heard of on the other.
      if (this.mode.kind !== 'half-open')
        this.later(() => {
          this.drop(pair);
        });
    });
    from.on('data', (data: Buffer) => {
      if (this.mode.kind === 'half-open') return;
      this.later(() => {
        if (this.mode.kind !== 'half-open' && to.writable) to.write(data);
      });
    });
  }

  /** Timers of one length fire in their order, so bytes stay in theirs. */
  private later(work: () => void): void {
    if (this.mode.kind === 'latency') setTimeout(work, this.mode.ms);
    else work();
  }

  private drop(pair: Pair): void {
    this.pairs.delete(pair);
    pair.client.destroy();
    pair.server.destroy();
  }

  private breakAll(): void {
    for (const { client, server } of this.pairs) {
      client.resetAndDestroy();
      server.destroy();
    }
    this.pairs.clear();
  }
}
