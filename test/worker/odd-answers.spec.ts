import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { MessageId } from '@libs/kernel';
import { SendEngine } from '@libs/sending';
import type { RunningWorker } from '../../apps/worker/src/create-worker';
import { StagedCrash } from './staged-crash';

interface OddAnswer {
  readonly status: number;
  readonly body: string;
  readonly errorType?: string;
}

/** Stands between a worker and the simulator, and answers the next SendEmail itself when it was told to. */
class Gateway {
  next: OddAnswer | undefined;

  private constructor(
    private readonly server: Server,
    private readonly behind: string,
  ) {}

  static async before(behind: string): Promise<Gateway> {
    const gateway = new Gateway(createServer(), behind);
    gateway.server.on('request', (asked: IncomingMessage, answer: ServerResponse) => {
      gateway.serve(asked, answer);
    });
    await new Promise<void>((resolve) => gateway.server.listen(0, '127.0.0.1', resolve));
    return gateway;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${String((this.server.address() as AddressInfo).port)}`;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private serve(asked: IncomingMessage, answer: ServerResponse): void {
    const { method, url = '/', headers } = asked;
    const odd = url === '/v2/email/outbound-emails' ? this.next : undefined;
    if (odd) {
      this.next = undefined;
      asked.resume().on('end', () => {
        answer.writeHead(odd.status, odd.errorType === undefined ? {} : { 'x-amzn-errortype': odd.errorType });
        answer.end(odd.body);
      });
      return;
    }
    const passed = request(new URL(url, this.behind), { method, headers }, (real) => {
      answer.writeHead(real.statusCode ?? 500, real.headers);
      real.pipe(answer);
    });
    asked.pipe(passed);
  }
}

/** What SES, or something on the way to it, might answer one day: one message at most is the worse for it. */
describe('an answer that nobody expects', () => {
  let staged: StagedCrash;
  let gateway: Gateway;
  let worker: RunningWorker;

  beforeAll(async () => {
    staged = await StagedCrash.start({ inDoubtAfterMs: 600_000 });
    gateway = await Gateway.before(staged.stack.simulator.endpoint);
    worker = await staged.stack.createWorker({ AWS_ENDPOINT_URL: gateway.endpoint });
  });
  afterAll(async () => {
    await staged.close();
    await gateway.close();
  });

  const afterAnswer = async (odd: OddAnswer): Promise<{ ids: readonly MessageId[]; states: string[] }> => {
    const { ids, ticket } = await staged.granted(3);
    gateway.next = odd;
    await worker.app.get(SendEngine).dispatch(ticket);
    const rows = await staged.stack.query<{ state: string }>('SELECT state FROM message WHERE id = ANY($1)', [ids]);
    return { ids, states: rows.map(({ state }) => state).sort() };
  };

  it.each<[string, OddAnswer, string]>([
    [
      'an error whose text is cut within a character',
      { status: 400, errorType: 'MessageRejected', body: JSON.stringify({ message: `x${'\u{1f600}'.repeat(300)}` }) },
      'REJECTED',
    ],
    [
      'an error whose text is half a character',
      { status: 400, errorType: 'MessageRejected', body: '{"message":"\\ud800"}' },
      'REJECTED',
    ],
    [
      'an error whose name holds a NUL',
      { status: 400, body: '{"__type":"Odd\\u0000Name","message":"a\\u0000b"}' },
      'IN_DOUBT',
    ],
    ['a message id that holds a NUL', { status: 200, body: '{"MessageId":"0100\\u0000a"}' }, 'IN_DOUBT'],
    ['a message id without end', { status: 200, body: JSON.stringify({ MessageId: 'a'.repeat(60_000) }) }, 'IN_DOUBT'],
  ])('%s keeps no other outcome from being written', async (_, odd, state) => {
    const { ids, states } = await afterAnswer(odd);
    expect(states).toEqual([state, 'SENT', 'SENT'].sort());
    await staged.putAside(ids);
  });
});
