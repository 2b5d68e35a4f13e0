import { connect } from 'node:net';
import { startApi, type ApiUnderTest } from './api-under-test';
import { givenFleet, type GivenTenant } from './given';

let api: ApiUnderTest;
let acme: GivenTenant;

beforeAll(async () => {
  api = await startApi({ timeouts: { headersMs: 400, requestMs: 800 } });
  acme = await (await givenFleet(api)).tenant('Acme', 'acme.example');
}, 60_000);
afterAll(() => api.close());

/** What the server says to these bytes, and after how many milliseconds it ended the connection. */
function exchange(bytes: string): Promise<{ answer: string; ms: number }> {
  const startedAt = performance.now();
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(api.url).port), '127.0.0.1', () => socket.write(bytes));
    let answer = '';
    socket.setTimeout(10_000, () => {
      reject(new Error('the connection stayed open'));
    });
    socket.on('data', (chunk) => (answer += chunk.toString()));
    socket.on('error', reject);
    socket.on('close', () => {
      resolve({ answer, ms: performance.now() - startedAt });
    });
  });
}

const head = () =>
  `POST /graphql HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${acme.liveKey}\r\nContent-Type: application/json\r\n`;

describe('a client that', () => {
  it('never ends its headers is cut', async () => {
    const { answer, ms } = await exchange('POST /graphql HTTP/1.1\r\nHost: x\r\nX-Slow: ');
    expect(answer).toMatch(/^HTTP\/1\.1 408/);
    expect(ms).toBeLessThan(5_000);
  });

  it('never ends its body is cut', async () => {
    const { answer, ms } = await exchange(`${head()}Content-Length: 100\r\n\r\n{"query":`);
    expect(answer).toMatch(/^HTTP\/1\.1 408/);
    expect(ms).toBeLessThan(5_000);
  });

  it('sends headers without end is told so', async () => {
    const { answer } = await exchange(`GET / HTTP/1.1\r\nHost: x\r\nX-Long: ${'x'.repeat(20_000)}\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 431/);
  });

  it.each([
    ['two lengths', 'Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello'],
    ['a length and chunks', 'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
  ])('gives %s is refused', async (_what, rest) => {
    const { answer } = await exchange(`${head()}${rest}`);
    expect(answer).toMatch(/^HTTP\/1\.1 400/);
  });

  it('is quick enough is answered', async () => {
    expect((await api.customer(acme.liveKey, '{ viewer { mode } }')).status).toBe(200);
  });
});
