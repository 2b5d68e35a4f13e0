import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { ApiSettings } from '../api.settings';
import { EdgeAdapter } from './edge.adapter';

const prototypesOf = (request: object, response: object): unknown[] => [
  Object.getPrototypeOf(request),
  Object.getPrototypeOf(response),
];

/** An adapter that listens, and what `path` found when a request came in and when Express handed it on. */
async function oneRequest(): Promise<{ arrived: unknown[]; handled: unknown[]; answer: Response }> {
  const adapter = new EdgeAdapter(new ApiSettings());
  adapter.initHttpServer();
  const server = adapter.getHttpServer() as Server;
  const found: { arrived: unknown[]; handled: unknown[] } = { arrived: [], handled: [] };
  server.prependListener('request', (request, response) => (found.arrived = prototypesOf(request, response)));
  adapter.get(
    '/at',
    (request: IncomingMessage & { path: string }, response: ServerResponse & { json(it: unknown): void }) => {
      found.handled = prototypesOf(request, response);
      response.json({ path: request.path });
    },
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    const answer = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/at?n=1`);
    return { ...found, answer };
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

describe('the server of the api', () => {
  it('makes requests and responses as Express has them, so that none changes its prototype', async () => {
    const { arrived, handled } = await oneRequest();
    expect(arrived).toHaveLength(2);
    handled.forEach((prototype, place) => {
      expect(prototype).toBe(arrived[place]);
    });
  });

  it('leaves them what Express gives them', async () => {
    const { answer } = await oneRequest();
    expect(await answer.json()).toEqual({ path: '/at' });
    expect(answer.headers.get('content-type')).toContain('application/json');
  });
});
