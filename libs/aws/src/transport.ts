import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { NodeHttpHandler } from '@smithy/node-http-handler';

/** What the SDK's connections are for. Apart, so that a storm of observations never delays a credential. */
export type Purpose = 'control' | 'sts';

// These only keep a fault from opening sockets without end.
const MAX_SOCKETS: Record<Purpose, number> = { control: 64, sts: 32 };

/**
 * One handler per purpose, shared by all clients of that purpose. `throwOnRequestTimeout` because the SDK otherwise
 * only logs a warning and keeps hanging (aws-facts 2.2). A client that shares a handler is never destroyed: that would
 * close the handler for all.
 */
export class Transports {
  private readonly handlers = new Map<Purpose, NodeHttpHandler>();

  for(purpose: Purpose): NodeHttpHandler {
    const known = this.handlers.get(purpose);
    if (known) return known;
    const agent = { keepAlive: true, maxSockets: MAX_SOCKETS[purpose] };
    const handler = new NodeHttpHandler({
      connectionTimeout: 2_000,
      requestTimeout: 15_000,
      throwOnRequestTimeout: true,
      httpAgent: new HttpAgent(agent),
      httpsAgent: new HttpsAgent(agent),
    });
    this.handlers.set(purpose, handler);
    return handler;
  }

  close(): void {
    for (const handler of this.handlers.values()) handler.destroy();
    this.handlers.clear();
  }
}
