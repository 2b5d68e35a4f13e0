import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
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

/** What a client hears that has sent a part of its body when the server is closed, and the rest afterwards; and the end of both. */
async function answerWhileClosing(): Promise<{ heard: string; ended: Promise<unknown>; stop: () => void }> {
  const adapter = new EdgeAdapter(new ApiSettings());
  adapter.initHttpServer();
  adapter.post('/at', (request: IncomingMessage, response: ServerResponse & { json(it: unknown): void }) => {
    request.resume().once('end', () => {
      response.json({ late: true });
    });
  });
  const server = adapter.getHttpServer() as Server;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const asked = once(server, 'request');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.write('POST /at HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhello');
  await asked;
  const closed = adapter.close();
  socket.write('hello');
  const [heard] = (await once(socket, 'data')) as [Buffer];
  const stop = () => {
    server.closeAllConnections();
  };
  return { heard: heard.toString(), ended: Promise.all([closed, once(socket, 'close')]), stop };
}

describe('the server of the api', () => {
  it('answers what is under way when it is closed, and keeps no connection for more', async () => {
    const { heard, ended, stop } = await answerWhileClosing();
    try {
      expect(heard).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
      expect(heard).toMatch(/\r\nConnection: close\r\n/);
      expect(heard).toContain('{"late":true}');
      await ended;
    } finally {
      stop();
    }
  });

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
