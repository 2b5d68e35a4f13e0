import { createServer, type RequestListener } from 'node:http';
import { ExpressAdapter } from '@nestjs/platform-express';
import type { ApiSettings } from '../api.settings';

const MAX_CONNECTIONS = 4_096;

/**
 * Express on a server that cuts slow clients early (SECURITY.md 65). How often a server looks for them can only be said
 * when it is made, and Nest's own adapter makes it without.
 */
export class EdgeAdapter extends ExpressAdapter {
  constructor(private readonly settings: ApiSettings) {
    super();
  }

  override initHttpServer(): void {
    const { headersMs, requestMs } = this.settings.timeouts;
    const server = createServer(
      {
        headersTimeout: headersMs,
        requestTimeout: requestMs,
        connectionsCheckingInterval: Math.min(1_000, headersMs),
        keepAliveTimeout: 65_000,
        maxHeaderSize: 16 * 1024,
      },
      this.getInstance<RequestListener>(),
    );
    server.maxConnections = MAX_CONNECTIONS;
    this.httpServer = server;
  }
}
