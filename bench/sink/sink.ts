import type { IncomingMessage, ServerResponse } from 'node:http';
import { monotonicUs } from '../monotonic';
import { ArrivalLog } from './arrival-record';
import { assumeRoleAnswer, getAccountAnswer } from './control-answers';
import { LatencyTable } from './latency';
import { SinkLimits, type SinkAccount } from './sink-limits';

export interface SinkSettings {
  readonly accounts: readonly SinkAccount[];
  readonly latency: { readonly p50Ms: number; readonly p99Ms: number };
  readonly seed: number;
  /** How many seconds pass for the 24-hour window in a real one. */
  readonly clockSpeed: number;
}

const JSON_TYPE = 'application/json';
const SEND_PATH = '/v2/email/outbound-emails';
const SEND_BULK_PATH = '/v2/email/outbound-bulk-emails';
const MESSAGE_TAG = '"Name":"message","Value":"';
const SET_NAME = '"ConfigurationSetName":"';
const DESTINATION = '"Destination":';
const NO_POSITION = 0xffff;
/** SendBulkEmail's names of what refuses an entry. */
const BULK_STATUS = { rate: 'ACCOUNT_THROTTLED', day: 'ACCOUNT_DAILY_QUOTA_EXCEEDED', unknown: 'FAILED' };

/** What the sink does with a request; the server around it only reads and writes. */
export class Sink {
  readonly log = new ArrivalLog();
  private limits: SinkLimits[] = [];
  private readonly accounts = new Map<string, number>();
  private readonly sets = new Map<string, number>();
  private latency = new LatencyTable(0, 0, 1);
  private messages = 0;

  /** Forgets everything and begins anew. */
  configure(settings: SinkSettings): void {
    const now = monotonicUs();
    this.log.clear();
    this.accounts.clear();
    this.sets.clear();
    this.limits = settings.accounts.map((account) => new SinkLimits(account, settings.clockSpeed, now));
    settings.accounts.forEach(({ accountId }, position) => this.accounts.set(accountId, position));
    this.latency = new LatencyTable(settings.latency.p50Ms, settings.latency.p99Ms, settings.seed);
  }

  /** What the positions in the log stand for. */
  names(): { accounts: string[]; sets: string[] } {
    return { accounts: [...this.accounts.keys()], sets: [...this.sets.keys()] };
  }

  /** @param atUs when the request was heard; `sinceUs` since when it may have waited for that (Hearing of the simulator) */
  serve(request: IncomingMessage, response: ServerResponse, body: Buffer, atUs: number, sinceUs: number): void {
    if (request.url === SEND_PATH) {
      this.send(request, response, body, atUs, sinceUs);
      return;
    }
    if (request.url === SEND_BULK_PATH) {
      this.sendBulk(request, response, body, atUs, sinceUs);
      return;
    }
    const limits = this.limits[this.accountOf(request)];
    if (request.url === '/v2/email/account' && limits) {
      response.writeHead(200, { 'content-type': JSON_TYPE });
      response.end(getAccountAnswer(limits.account, limits.used(atUs)));
    } else if (request.url === '/' && body.includes('Action=AssumeRole')) {
      response.writeHead(200, { 'content-type': 'text/xml' }).end(assumeRoleAnswer(body.toString()));
    } else if (request.method === 'GET') {
      response.writeHead(200, { 'content-type': JSON_TYPE }).end('{}');
    } else
      response.writeHead(404, { 'content-type': JSON_TYPE }).end('{"message":"The sink does not know this call."}');
  }

  private send(request: IncomingMessage, response: ServerResponse, body: Buffer, atUs: number, sinceUs: number): void {
    const account = this.accountOf(request);
    const verdict = this.take(account, this.setOf(body), body, 0, body.length, atUs, sinceUs);
    this.messages += 1;
    // A refusal is quick at SES too: nothing was done.
    if (verdict === 'ok') setTimeout(accept, this.latency.draw(), response, this.messages);
    else refuse(response, verdict);
  }

  /** Entry by entry, each as if it had come alone. */
  private sendBulk(
    request: IncomingMessage,
    response: ServerResponse,
    body: Buffer,
    atUs: number,
    sinceUs: number,
  ): void {
    const account = this.accountOf(request);
    const set = this.setOf(body);
    const results: string[] = [];
    for (let at = body.indexOf(DESTINATION); at >= 0;) {
      const next = body.indexOf(DESTINATION, at + 1);
      const verdict = this.take(account, set, body, at, next < 0 ? body.length : next, atUs, sinceUs);
      this.messages += 1;
      results.push(
        verdict === 'ok'
          ? `{"Status":"SUCCESS","MessageId":"${messageId(this.messages)}"}`
          : `{"Status":"${BULK_STATUS[verdict]}"}`,
      );
      at = next;
    }
    setTimeout(acceptBulk, this.latency.draw(), response, results);
  }

  /** Charges and logs what stands in that part of the body. */
  private take(
    account: number,
    set: number,
    body: Buffer,
    from: number,
    to: number,
    atUs: number,
    sinceUs: number,
  ): 'ok' | 'rate' | 'day' | 'unknown' {
    const recipients = countRecipients(body, from);
    const verdict = this.limits[account]?.take(recipients, atUs, sinceUs) ?? 'unknown';
    const found = body.indexOf(MESSAGE_TAG, from);
    const tag = found < 0 || found >= to ? -1 : found + MESSAGE_TAG.length;
    const status = verdict === 'ok' ? 200 : verdict === 'unknown' ? 404 : 429;
    this.log.append(atUs, sinceUs, account, set, recipients, status, body, tag);
    return verdict;
  }

  /** By the access key in the credential scope. */
  private accountOf(request: IncomingMessage): number {
    const authorization = request.headers.authorization ?? '';
    const at = authorization.indexOf('Credential=ASIA') + 15;
    return this.accounts.get(authorization.slice(at, at + 12)) ?? NO_POSITION;
  }

  private setOf(body: Buffer): number {
    const at = body.indexOf(SET_NAME);
    if (at < 0) return NO_POSITION;
    const from = at + SET_NAME.length;
    const name = body.toString('latin1', from, body.indexOf('"', from));
    const known = this.sets.get(name);
    if (known !== undefined) return known;
    this.sets.set(name, this.sets.size);
    return this.sets.size - 1;
  }
}

function accept(response: ServerResponse, number: number): void {
  response.writeHead(200, { 'content-type': JSON_TYPE });
  response.end(`{"MessageId":"${messageId(number)}"}`);
}

function acceptBulk(response: ServerResponse, results: readonly string[]): void {
  response.writeHead(200, { 'content-type': JSON_TYPE });
  response.end(`{"BulkEmailEntryResults":[${results.join(',')}]}`);
}

function messageId(number: number): string {
  return `0100${number.toString(16).padStart(12, '0')}-sink-000000`;
}

function refuse(response: ServerResponse, verdict: 'rate' | 'day' | 'unknown'): void {
  const [status, type, message] = {
    rate: [429, 'TooManyRequestsException', 'Maximum sending rate exceeded.'],
    day: [429, 'TooManyRequestsException', 'Daily message quota exceeded.'],
    unknown: [404, 'NotFoundException', 'The sink does not know this account.'],
  }[verdict] as [number, string, string];
  response.writeHead(status, { 'content-type': JSON_TYPE, 'x-amzn-errortype': type });
  response.end(JSON.stringify({ message }));
}

/** The addresses of the next Destination. The benchmark's own addresses have one "@" each and no display names. */
function countRecipients(body: Buffer, from: number): number {
  const at = body.indexOf(DESTINATION, from);
  const text = body.toString('latin1', at, body.indexOf('}', at));
  let count = 0;
  for (let sign = text.indexOf('@'); sign >= 0; sign = text.indexOf('@', sign + 1)) count += 1;
  return Math.max(1, count);
}
