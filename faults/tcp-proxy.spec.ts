import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { TcpProxy } from './tcp-proxy';

describe('the TCP proxy', () => {
  let echo: Server;
  let proxy: TcpProxy;
  const clients: Socket[] = [];

  beforeEach(async () => {
    echo = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.pipe(socket);
    });
    await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve));
    proxy = await TcpProxy.start((echo.address() as AddressInfo).port);
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) client.destroy();
    await proxy.close();
    await new Promise((resolve) => echo.close(resolve));
  });

  /** A connection with all it has heard so far, and how it ended. */
  function open() {
    const socket = connect({ port: proxy.port, host: '127.0.0.1' });
    const heard = { text: '', error: undefined as string | undefined };
    socket.on('data', (data: Buffer) => (heard.text += data.toString()));
    socket.on('error', (error: NodeJS.ErrnoException) => (heard.error = error.code));
    clients.push(socket);
    return { socket, heard };
  }

  async function until(ask: () => boolean): Promise<void> {
    for (let i = 0; i < 400 && !ask(); i += 1) await sleep(5);
    expect(ask()).toBe(true);
  }

  it('passes on what is said, both ways', async () => {
    const { socket, heard } = open();
    socket.write('hello');
    await until(() => heard.text === 'hello');
  });

  it('keeps the order of what it delays', async () => {
    proxy.set({ kind: 'latency', ms: 20 });
    const { socket, heard } = open();
    for (const part of ['a', 'b', 'c']) {
      socket.write(part);
      await sleep(2);
    }
    await until(() => heard.text.length === 3);
    expect(heard.text).toBe('abc');
  });

  it('resets every connection there is, and every new one', async () => {
    const { socket, heard } = open();
    socket.write('x');
    await until(() => heard.text === 'x');
    proxy.set({ kind: 'reset' });
    await until(() => heard.error === 'ECONNRESET');
    const late = open();
    await until(() => late.socket.destroyed);
  });

  it('swallows everything while half open, and resets what was open when the host comes back', async () => {
    const { socket, heard } = open();
    socket.write('x');
    await until(() => heard.text === 'x');
    proxy.set({ kind: 'half-open' });
    socket.write('y');
    await sleep(50);
    expect(heard).toEqual({ text: 'x', error: undefined });
    proxy.set({ kind: 'pass' });
    await until(() => heard.error === 'ECONNRESET');
    const fresh = open();
    fresh.socket.write('z');
    await until(() => fresh.heard.text === 'z');
  });
});
