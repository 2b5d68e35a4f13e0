import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { parseArgs } from 'node:util';
import { Hearing } from '../../apps/simulator/src/clock/hearing';
import { LoopWatch } from '../../apps/simulator/src/clock/loop-watch';
import { monotonicUs } from '../monotonic';
import { Sink, type SinkSettings } from './sink';

/**
 * A fake SES for measuring: it counts, limits and delays, and does as little else as it can. It verifies no signature, keeps
 * no message, and reads of a body only the recipients and the tag `message`.
 */
const { values } = parseArgs({ options: { port: { type: 'string' }, admin: { type: 'string' } } });
const sink = new Sink();
const hearing = new Hearing(new LoopWatch());

const server = createServer({ keepAliveTimeout: 120_000 }, (request, response) => {
  read(request, (body) => {
    const atUs = monotonicUs();
    sink.serve(request, response, body, atUs, atUs - 1_000 * hearing.waitedMs(request.socket));
  });
});
server.on('connection', (socket) => {
  hearing.connected(socket);
});
server.listen(Number(values.port), '127.0.0.1');

const admin = createServer((request, response) => {
  read(request, (body) => {
    administer(request, response, body);
  });
});
admin.listen(Number(values.admin), '127.0.0.1');

function read(request: IncomingMessage, done: (body: Buffer) => void): void {
  let first: Buffer | undefined;
  let more: Buffer[] | undefined;
  request.on('data', (chunk: Buffer) => {
    if (!first) first = chunk;
    else (more ??= [first]).push(chunk);
  });
  request.on('end', () => {
    done(more ? Buffer.concat(more) : (first ?? Buffer.alloc(0)));
  });
}

function administer(request: IncomingMessage, response: ServerResponse, body: Buffer): void {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://sink');
  if (pathname === '/health') response.end('{}');
  else if (pathname === '/configure') {
    sink.configure(JSON.parse(body.toString()) as SinkSettings);
    response.end('{}');
  } else if (pathname === '/names') response.end(JSON.stringify(sink.names()));
  else if (pathname === '/log') response.end(sink.log.from(Number(searchParams.get('from') ?? '0')));
  else if (pathname === '/length') response.end(String(sink.log.length));
  else response.writeHead(404).end();
}
