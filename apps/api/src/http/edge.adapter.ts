import { createServer, IncomingMessage, ServerResponse, type RequestListener } from 'node:http';
import { ExpressAdapter } from '@nestjs/platform-express';
import type { ApiSettings } from '../api.settings';

const MAX_CONNECTIONS = 4_096;

/** Of an Express application, what its requests and responses inherit from. */
interface Prototypes {
  request: object;
  response: object;
}

/**
 * Express on a server that cuts slow clients early (SECURITY.md 65). How often a server looks for them can only be said
 * when it is made, and Nest's own adapter makes it without.
 */
export class EdgeAdapter extends ExpressAdapter {
  private isClosing = false;

  constructor(private readonly settings: ApiSettings) {
    super();
  }

  override initHttpServer(): void {
    const { headersMs, requestMs } = this.settings.timeouts;
    const server = createServer(
      {
        ...messagesOf(this.getInstance<Prototypes>(), () => this.isClosing),
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

  /**
   * No new connection, and none is kept after the answer it waits for. Node ends only those that are idle at this moment: a
   * client that goes on asking would keep its own, and the process, until the process is ended by force.
   */
  override close(): Promise<unknown> | undefined {
    this.isClosing = true;
    return super.close();
  }
}

/**
 * Classes whose objects are born with the prototypes that Express would give to each when it comes in. An object whose
 * prototype was changed, and all it refers to, outlives the short collections: 8 KB of every request, copied twice and
 * left for a long collection, and pauses four times as long (docs/decisions/010).
 */
function messagesOf(app: Prototypes, isLast: () => boolean) {
  class Request extends IncomingMessage {}
  class Response<Of extends IncomingMessage> extends ServerResponse<Of> {
    override writeHead(status: number, ...rest: unknown[]): this {
      if (isLast()) this.shouldKeepAlive = false;
      return super.writeHead(status, ...(rest as []));
    }
  }
  Object.setPrototypeOf(Request.prototype, app.request);
  Object.setPrototypeOf(Response.prototype, app.response);
  app.request = Request.prototype;
  app.response = Response.prototype;
  return { IncomingMessage: Request, ServerResponse: Response };
}
