import { connect } from 'node:net';
import { startApi, type ApiUnderTest } from './api-under-test';
import { givenFleet, type GivenTenant } from './given';

let api: ApiUnderTest;
let acme: GivenTenant;

beforeAll(async () => {
  api = await startApi({ timeouts: { headersMs: 400, requestMs: 800 } });
  acme = await (await givenFleet(api)).tenant('Acme', 'acme.example');
});
afterAll(() => api.close());

/** What the server says to these bytes until it ends the connection; rejects when it leaves it open. */
function exchange(bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(api.url).port), '127.0.0.1', () => socket.write(bytes));
    let answer = '';
    // Ten times what this api was told, and a sixth of what Node would wait.
    socket.setTimeout(10_000, () => {
      socket.destroy(new Error('the connection stayed open'));
    });
    socket.on('data', (chunk) => (answer += chunk.toString()));
    socket.on('error', reject);
    socket.on('close', () => {
      resolve(answer);
    });
  });
}

const head = () =>
  `POST /graphql HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${acme.liveKey}\r\nContent-Type: application/json\r\n`;

describe('a client that', () => {
  it('never ends its headers is cut', async () => {
    expect(await exchange('POST /graphql HTTP/1.1\r\nHost: x\r\nX-Slow: ')).toMatch(/^HTTP\/1\.1 408/);
  });

  it('never ends its body is cut', async () => {
    expect(await exchange(`${head()}Content-Length: 100\r\n\r\n{"query":`)).toMatch(/^HTTP\/1\.1 408/);
  });

  it('sends headers without end is told so', async () => {
    const endless = `GET / HTTP/1.1\r\nHost: x\r\nX-Long: ${'x'.repeat(20_000)}\r\n\r\n`;
    expect(await exchange(endless)).toMatch(/^HTTP\/1\.1 431/);
  });

  it.each([
    ['two lengths', 'Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello'],
    ['a length and chunks', 'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
  ])('gives %s is refused', async (_what, rest) => {
    expect(await exchange(`${head()}${rest}`)).toMatch(/^HTTP\/1\.1 400/);
  });

  it('is quick enough is answered', async () => {
    expect((await api.customer(acme.liveKey, '{ viewer { mode } }')).status).toBe(200);
  });
});
