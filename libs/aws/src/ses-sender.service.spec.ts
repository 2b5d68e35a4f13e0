import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { SystemClock } from '@libs/kernel';
import { AwsSettings } from './aws.settings';
import type { BulkOutcome } from './bulk-answer.policy';
import { CredentialCache, type Credentials } from './credential-cache.service';
import type { FleetRole } from './fleet-role';
import type { OutgoingMail } from './outgoing-mail.policy';
import { CONNECTIONS, SendPools } from './send-pools';
import { SesSender } from './ses-sender.service';

const clock = new SystemClock();
const session: Credentials = {
  accessKeyId: 'ASIA0000000000000001',
  secretAccessKey: 'secret',
  sessionToken: 'token',
  expiration: new Date(clock.nowMs() + 3_600_000),
};
const role: FleetRole = {
  mode: 'LIVE',
  accountId: '111122223333',
  roleArn: 'arn:aws:iam::111122223333:role/postfleet/fleet-send',
  externalId: 'x',
  region: 'us-east-1',
  sessionName: 'pf-test',
};
const mail: OutgoingMail = {
  from: { email: 'hi@acme.example' },
  to: [{ email: 'ann@example.com' }],
  cc: [],
  bcc: [],
  replyTo: [],
  content: { subject: 'Hello', text: 'Hi', headers: [], attachments: [] },
  configurationSet: 'pf-1-tx',
  tags: { attempt: 'a' },
};
const ok = (response: ServerResponse) => response.end('{"MessageId":"0100-a"}');

describe('sending over the wire', () => {
  const closers: (() => unknown)[] = [];
  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) await close();
  });

  async function listen(server: Server): Promise<number> {
    const sockets = new Set<Socket>();
    server.on('connection', (socket: Socket) => sockets.add(socket));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    closers.push(() => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(resolve));
    });
    return (server.address() as AddressInfo).port;
  }

  /** An SES that answers each whole request as told, and remembers the subjects that reached it. */
  async function ses(answer: (response: ServerResponse, request: IncomingMessage) => unknown) {
    const arrived: string[] = [];
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        arrived.push(/"Subject":\{"Data":"([^"]*)"/.exec(Buffer.concat(chunks).toString())?.[1] ?? '?');
        answer(response, request);
      });
    });
    const port = await listen(server);
    return { arrived, server, endpoint: `http://127.0.0.1:${String(port)}` };
  }

  function senderTo(endpoint: string, assume: () => Promise<Credentials> = () => Promise.resolve(session)): SesSender {
    const pools = new SendPools(new AwsSettings({ endpoint, hubRegion: 'us-east-1' }));
    closers.push(() => pools.close());
    return new SesSender(pools, new CredentialCache(assume, clock, 1), clock);
  }
  const titled = (subject: string): OutgoingMail => ({
    ...mail,
    content: { subject, text: 'Hi', headers: [], attachments: [] },
  });

  it('sends below the path of its endpoint, and names the host it signed', async () => {
    let seen: IncomingMessage | undefined;
    const { endpoint } = await ses((response, request) => {
      seen = request;
      ok(response);
    });
    expect(await senderTo(`${endpoint}/stage/`).send(role, mail, 5_000)).toEqual({
      kind: 'sent',
      sesMessageId: '0100-a',
    });
    expect(seen?.url).toBe('/stage/v2/email/outbound-emails');
    expect(seen?.headers).toMatchObject({ host: new URL(endpoint).host, 'content-type': 'application/json' });
  });

  // Two, because a connection whose answer just came is not free before the next turn of the event loop.
  it('uses its connections again', async () => {
    let connections = 0;
    const { endpoint, server } = await ses(ok);
    server.on('connection', () => (connections += 1));
    const sender = senderTo(endpoint);
    for (let i = 0; i < 20; i += 1) await sender.send(role, mail, 5_000);
    expect(connections).toBeLessThanOrEqual(2);
  });

  it('is unsent where no connection stands: refused, no TLS, a TLS that never answers, an unknown host', async () => {
    const closed = await listen(createTcpServer());
    await closers.pop()?.();
    const plain = await ses(ok);
    const mute = await listen(createTcpServer());
    const endpoints = [
      `http://127.0.0.1:${String(closed)}`,
      plain.endpoint.replace('http:', 'https:'),
      `https://127.0.0.1:${String(mute)}`,
      'http://no-such-host.invalid',
    ];
    const outcomes = await Promise.all(endpoints.map((endpoint) => senderTo(endpoint).send(role, mail, 6_000)));
    expect(outcomes.map(({ kind }) => kind)).toEqual(['unsent', 'unsent', 'unsent', 'unsent']);
    expect(outcomes[0]).toMatchObject({ code: 'ECONNREFUSED' });
    expect(plain.arrived).toEqual([]);
  });

  it.each<[string, (response: ServerResponse) => unknown]>([
    ['a reset', (response) => response.socket?.resetAndDestroy()],
    ['an end without an answer', (response) => response.socket?.end()],
    ['half a head', (response) => response.socket?.end('HTTP/1.1 200 OK\r\nContent-')],
    [
      'half a body',
      (response) => response.socket?.end('HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n{"MessageId":"01'),
    ],
    ['something that is not HTTP', (response) => response.socket?.end('SSH-2.0-x\r\n')],
    ['100 Continue', (response) => response.socket?.end('HTTP/1.1 100 Continue\r\n\r\n')],
    ['a page without an end', (response) => response.writeHead(200).write('x'.repeat(70_000))],
    ['a redirection', (response) => response.writeHead(307, { location: '/elsewhere' }).end()],
    ['an answer without an id', (response) => response.end('{}')],
    ['a gateway’s page', (response) => response.writeHead(403).end('<html>')],
    ['an error of the server', (response) => response.writeHead(500).end('{"message":"x"}')],
  ])('is in doubt after %s, and asked once', async (_, answer) => {
    const { arrived, endpoint } = await ses(answer);
    const sender = senderTo(endpoint);
    expect(await sender.send(role, titled('one'), 5_000)).toMatchObject({ kind: 'in-doubt' });
    expect(await sender.send(role, titled('two'), 5_000)).toMatchObject({ kind: 'in-doubt' });
    expect(arrived).toEqual(['one', 'two']);
  });

  it('reads an answer in pieces, also where they cut a character', async () => {
    const text = Buffer.from('{"message":"Maximum sending rate exceeded. é"}');
    const cut = text.indexOf('é') + 1;
    const { endpoint } = await ses((response) => {
      response.writeHead(429, { 'x-amzn-errortype': 'TooManyRequestsException' }).write(text.subarray(0, cut));
      setImmediate(() => response.end(text.subarray(cut)));
    });
    expect(await senderTo(endpoint).send(role, mail, 5_000)).toEqual({
      kind: 'rate',
      code: 'TooManyRequestsException',
      message: 'Maximum sending rate exceeded. é',
      httpStatus: 429,
    });
  });

  it('gives up an answer that trickles, at its deadline', async () => {
    const { endpoint } = await ses((response) => {
      response.writeHead(200);
      const drip = setInterval(() => response.write(' '), 20);
      closers.push(() => {
        clearInterval(drip);
      });
    });
    const outcome = await senderTo(endpoint).send(role, mail, 1_000);
    expect(outcome).toMatchObject({ kind: 'in-doubt', code: 'DeadlinePassed' });
  });

  it('never sends later what waited for a connection until its deadline, and keeps the connections', async () => {
    const waiting: ServerResponse[] = [];
    let connections = 0;
    const { arrived, endpoint, server } = await ses((response) => waiting.push(response));
    server.on('connection', () => (connections += 1));
    const sender = senderTo(endpoint);
    const first = Array.from({ length: CONNECTIONS }, () => sender.send(role, titled('first'), 10_000));
    expect(await sender.send(role, titled('queued'), 300)).toMatchObject({ kind: 'unsent', code: 'DeadlinePassed' });
    const next = sender.send(role, titled('next'), 10_000);
    while (waiting.length < CONNECTIONS) await new Promise((resolve) => setImmediate(resolve));
    for (const response of waiting.splice(0)) ok(response);
    await Promise.all(first);
    while (waiting.length < 1) await new Promise((resolve) => setImmediate(resolve));
    for (const response of waiting) ok(response);
    expect(await next).toMatchObject({ kind: 'sent' });
    expect(arrived.filter((subject) => subject === 'queued')).toEqual([]);
    expect(connections).toBe(CONNECTIONS);
  });

  it('asks once also where the server closes connections as they are used again', async () => {
    let answered = 0;
    const { arrived, endpoint } = await ses((response) => {
      answered += 1;
      if (answered % 2 === 1) {
        ok(response);
        const { socket } = response;
        setImmediate(() => socket?.end());
      } else ok(response);
    });
    const sender = senderTo(endpoint);
    const outcomes = new Map<string, string>();
    for (let i = 0; i < 60; i += 1) {
      const subject = `mail ${String(i)}`;
      outcomes.set(subject, (await sender.send(role, titled(subject), 5_000)).kind);
    }
    expect(new Set(arrived).size).toBe(arrived.length);
    for (const [subject, kind] of outcomes) {
      if (kind === 'sent') expect(arrived).toContain(subject);
      else expect(kind).toBe('in-doubt');
    }
  });

  it('asks for one new session however many requests the old one was refused for', async () => {
    const { endpoint } = await ses((response, request) => {
      if (request.headers['x-amz-security-token'] !== 'token-1') return ok(response);
      return setTimeout(
        () => response.writeHead(403, { 'x-amzn-errortype': 'ExpiredTokenException' }).end('{"message":"expired"}'),
        Math.floor(response.socket?.remotePort ?? 0) % 50,
      );
    });
    let asked = 0;
    const sender = senderTo(endpoint, () => {
      asked += 1;
      return Promise.resolve({ ...session, sessionToken: `token-${String(asked)}` });
    });
    await sender.send(role, mail, 0);
    const outcomes = await Promise.all(
      Array.from({ length: 100 }, async () => {
        const first = await sender.send(role, mail, 5_000);
        return [first.kind, (await sender.send(role, mail, 5_000)).kind];
      }),
    );
    expect(new Set(outcomes.map(String))).toEqual(new Set(['credentials,sent']));
    expect(asked).toBe(2);
  });

  it('does not write what cannot be a mail of SES, nor without a session', async () => {
    const { arrived, endpoint } = await ses(ok);
    const odd = { ...mail, tags: { attempt: 'a b' } };
    expect(await senderTo(endpoint).send(role, odd, 5_000)).toMatchObject({ kind: 'invalid' });
    const denied = Object.assign(new Error('not allowed'), { name: 'AccessDenied' });
    const without = senderTo(endpoint, () => Promise.reject(denied));
    expect(await without.send(role, mail, 5_000)).toEqual({
      kind: 'denied',
      code: 'AccessDenied',
      message: 'not allowed',
    });
    expect(arrived).toEqual([]);
  });

  it('calls what is under way in doubt when the process closes its connections', async () => {
    const { arrived, endpoint } = await ses(() => undefined);
    const pools = new SendPools(new AwsSettings({ endpoint, hubRegion: 'x' }));
    const sender = new SesSender(pools, new CredentialCache(() => Promise.resolve(session), clock, 1), clock);
    await sender.send(role, mail, 0);
    const under = sender.send(role, mail, 60_000);
    while (arrived.length === 0) await new Promise((resolve) => setImmediate(resolve));
    await pools.close();
    expect(await under).toMatchObject({ kind: 'in-doubt' });
    expect(await sender.send(role, mail, 5_000)).toMatchObject({ kind: 'unsent' });
  });

  describe('mail that shares a request', () => {
    const other = { ...mail, to: [{ email: 'bob@example.com' }], tags: { attempt: 'b' } };
    const together = (sender: SesSender) =>
      new Promise<BulkOutcome>((resolve) => {
        sender.postTogether(role, [mail, other], 5_000, resolve);
      });

    function senderAt(endpoint: string, nowMs: () => number): SesSender {
      const pools = new SendPools(new AwsSettings({ endpoint, hubRegion: 'us-east-1' }));
      closers.push(() => pools.close());
      const later = { ...session, expiration: new Date(nowMs() + 7_200_000) };
      const moving = { nowMs, now: () => new Date(nowMs()) };
      return new SesSender(pools, new CredentialCache(() => Promise.resolve(later), moving, 1), moving);
    }

    it('is one request below the path of its endpoint, answered for each', async () => {
      const urls: unknown[] = [];
      const { endpoint } = await ses((response, request) => {
        urls.push(request.url);
        const results = [{ Status: 'SUCCESS', MessageId: '0100-a' }, { Status: 'ACCOUNT_THROTTLED' }];
        response.end(JSON.stringify({ BulkEmailEntryResults: results }));
      });
      const outcome = await together(senderTo(`${endpoint}/stage/`));
      expect(outcome).toMatchObject([{ kind: 'sent', sesMessageId: '0100-a' }, { kind: 'rate' }]);
      expect(urls).toEqual(['/stage/v2/email/outbound-bulk-emails']);
    });

    it('is in doubt as a whole when its connection breaks, and unsent where none stands', async () => {
      const { arrived, endpoint } = await ses((response) => response.socket?.resetAndDestroy());
      expect(await together(senderTo(endpoint))).toMatchObject({ kind: 'in-doubt' });
      expect(arrived).toHaveLength(1);
      const closed = await listen(createTcpServer());
      await closers.pop()?.();
      expect(await together(senderTo(`http://127.0.0.1:${String(closed)}`))).toMatchObject({ kind: 'unsent' });
    });

    it.each([
      ['denied it to the role', 403, 'AccessDeniedException', 'not authorized', 'denied'],
      ['had too many of them', 429, 'TooManyRequestsException', 'Too many requests to the operation.', 'rate'],
      ['refused its template', 400, 'BadRequestException', 'Template contains unsupported operations.', 'invalid'],
    ])(
      'is not asked for again for ten minutes once AWS %s, and for no other role',
      async (_, status, name, message, kind) => {
        const { endpoint } = await ses((response) =>
          response.writeHead(status, { 'x-amzn-errortype': name }).end(JSON.stringify({ message })),
        );
        let nowMs = clock.nowMs();
        const sender = senderAt(endpoint, () => nowMs);
        expect(sender.mayPostTogether(role)).toBe(true);
        expect(await together(sender)).toMatchObject({ kind });
        expect(sender.mayPostTogether(role)).toBe(false);
        expect(sender.mayPostTogether({ ...role, sessionName: 'pf-other' })).toBe(true);
        nowMs += 599_999;
        expect(sender.mayPostTogether(role)).toBe(false);
        nowMs += 1;
        expect(sender.mayPostTogether(role)).toBe(true);
      },
    );

    it.each([
      ['may be about one message of it', 400, 'BadRequestException', 'Invalid header.', 'invalid'],
      ['is about the account', 429, 'TooManyRequestsException', 'Maximum sending rate exceeded.', 'rate'],
    ])('is asked for again after a refusal that %s', async (_, status, name, message, kind) => {
      const { endpoint } = await ses((response) =>
        response.writeHead(status, { 'x-amzn-errortype': name }).end(JSON.stringify({ message })),
      );
      const sender = senderAt(endpoint, () => clock.nowMs());
      expect(await together(sender)).toMatchObject({ kind });
      expect(sender.mayPostTogether(role)).toBe(true);
    });
  });
});
