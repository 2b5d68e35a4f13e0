import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { isSend, type ArrivalLog } from '../arrivals/arrival.log';
import { chance, latencyMs } from '../chance/seeded-chance.policy';
import type { Hearing } from '../clock/hearing';
import type { SimulatedClock } from '../clock/simulated.clock';
import { refusalVerdict, type FaultPlan, type FaultRule } from '../faults/fault-plan.policy';
import type { Caller } from '../iam/caller.policy';
import type { PrincipalsService } from '../iam/principals.service';
import { STS_NAMESPACE, type StsService } from '../iam/sts.service';
import type { ServiceQuotasService } from '../quotas/service-quotas.service';
import type { SesService } from '../ses/ses.service';
import type { SigningService } from '../sns/signing.service';
import { SNS_NAMESPACE, type SnsService } from '../sns/sns.service';
import { AwsError } from './aws.errors';
import { errorAnswer, type WireAnswer, type WireProtocol } from './http.answer';
import { readRequest, type WireRequest } from './http.request';
import { signedScope, type SignedScope } from './sigv4.policy';
import { formOf, protocolOf, unknownOperation } from './wire-protocol.policy';

interface Latency {
  /** Real milliseconds; 0 answers at once. */
  readonly medianMs: number;
  readonly p99Ms: number;
}

export interface EdgeParts {
  readonly clock: SimulatedClock;
  readonly hearing: Hearing;
  readonly principals: PrincipalsService;
  readonly sts: StsService;
  readonly ses: SesService;
  readonly sns: SnsService;
  readonly quotas: ServiceQuotasService;
  readonly signing: SigningService;
  readonly faults: FaultPlan;
  readonly arrivals: ArrivalLog;
  readonly latency: Latency;
  readonly seed: number;
}

/** One operation of one service, ready to run; the send operations write their own arrival rows. */
interface Operation {
  readonly name: string;
  readonly logsItself: boolean;
  readonly run: (caller: Caller, fault: FaultRule | undefined) => WireAnswer;
}

const MAX_HANG_MS = 120_000;

/** The one origin all simulated services answer on; the signature's scope says which service is meant. */
export class AwsEdge {
  readonly server: Server;
  private requests = 0;

  constructor(private readonly parts: EdgeParts) {
    this.server = createServer(
      { keepAliveTimeout: 120_000, headersTimeout: 125_000, requestTimeout: 300_000 },
      (message, response) => {
        this.serve(message, response).catch(() => message.socket.destroy());
      },
    );
    this.server.on('connection', (socket) => {
      this.parts.hearing.connected(socket);
    });
  }

  /** Simulated time since when a request that is heard now may have waited; undefined when it has not. */
  private waitsSince(socket: Socket): number | undefined {
    const { clock, hearing } = this.parts;
    const waited = hearing.waitedMs(socket);
    return waited === 0 ? undefined : clock.nowMs() - waited * clock.scale.speed;
  }

  private async serve(message: IncomingMessage, response: ServerResponse): Promise<void> {
    let request: WireRequest;
    try {
      request = await readRequest(message, this.waitsSince(message.socket));
    } catch (error) {
      const known =
        error instanceof AwsError ? error : new AwsError('RequestAborted', 400, 'The request could not be read.');
      this.write(response, errorAnswer(known, 'rest-json'));
      return;
    }
    const open = this.unsigned(request);
    if (open !== undefined) {
      this.write(response, open);
      return;
    }
    const { answer, fault } = this.signed(request);
    await this.deliver(response, answer, fault);
  }

  /** What AWS serves without a signature: the signing certificate and the links inside SNS messages. */
  private unsigned(request: WireRequest): WireAnswer | undefined {
    if (request.method !== 'GET' || request.headers['authorization'] !== undefined) return undefined;
    const { signing } = this.parts;
    if (request.rawPath === signing.certificatePath) {
      return {
        status: 200,
        headers: { 'content-type': 'application/x-pem-file' },
        body: signing.identity.certificatePem,
      };
    }
    if (request.rawPath !== '/') return undefined;
    try {
      return this.parts.sns.handleUnsigned(new URLSearchParams(request.rawQuery));
    } catch (error) {
      return errorAnswer(asAwsError(error), 'query', SNS_NAMESPACE);
    }
  }

  private signed(request: WireRequest): { answer: WireAnswer; fault: FaultRule | undefined } {
    const protocol = protocolOf(request);
    let service = '';
    let fault: FaultRule | undefined;
    let log = { account: '', region: '', operation: 'Unknown', logsItself: false };
    let answer: WireAnswer;
    let verdict = 'accepted';
    try {
      const scope = signedScope(request);
      if (scope === undefined) throw missingToken(protocol);
      service = scope.service;
      const operation = this.operationOf(request, scope);
      log = { ...log, region: scope.region, operation: operation.name };
      const caller = this.parts.principals.authenticate(request, scope);
      log = { ...log, account: caller.accountId, logsItself: operation.logsItself };
      fault = this.parts.faults.next(operation.name, caller.accountId, scope.region, this.parts.clock.real.nowMs());
      const refused = fault === undefined ? undefined : refusalVerdict(fault.kind);
      if (refused !== undefined && !operation.logsItself) throw new AwsError(refused, 500, 'Injected fault.');
      answer = operation.run(caller, fault);
    } catch (error) {
      const known = asAwsError(error);
      verdict = known.name;
      answer = errorAnswer(known, protocol, namespaceOf(service));
    }
    if (!log.logsItself) this.record(log, verdict, fault);
    return { answer: fault === undefined ? answer : faultAnswer(fault, answer, service, protocol), fault };
  }

  private operationOf(request: WireRequest, scope: SignedScope): Operation {
    const { ses, sns, sts, quotas } = this.parts;
    switch (scope.service) {
      case 'ses': {
        const matched = ses.match(request);
        if (matched === undefined) throw unknownOperation(request);
        return {
          name: matched.route.operation,
          logsItself: isSend(matched.route),
          run: (caller, fault) => ses.handle(matched, request, caller, scope.region, markOf(fault)),
        };
      }
      case 'sts':
      case 'sns': {
        const form = formOf(request);
        const name = form.get('Action') ?? '';
        if (name === '')
          throw new AwsError('MissingAction', 400, 'The request is missing an action or a required parameter.');
        const run = (caller: Caller): WireAnswer =>
          scope.service === 'sts' ? sts.handle(name, form, caller) : sns.handle(name, form, caller, scope.region);
        return { name, logsItself: false, run };
      }
      case 'servicequotas': {
        const name = (request.headers['x-amz-target'] ?? '').split('.').at(-1) ?? '';
        return {
          name,
          logsItself: false,
          run: (caller) => quotas.handle(name, request.body.toString('utf8'), caller, scope.region),
        };
      }
      default:
        throw unknownOperation(request);
    }
  }

  private record(
    log: { account: string; region: string; operation: string },
    verdict: string,
    fault: FaultRule | undefined,
  ): void {
    const now = this.parts.clock.now();
    this.parts.arrivals.append({
      time: now.toISOString(),
      at: now.getTime(),
      account: log.account,
      region: log.region,
      operation: log.operation,
      verdict,
      ...(fault === undefined ? {} : { injected: fault.kind }),
    });
  }

  private async deliver(response: ServerResponse, answer: WireAnswer, fault: FaultRule | undefined): Promise<void> {
    switch (fault?.kind) {
      case 'reset-before':
      case 'accept-then-reset':
        response.socket?.resetAndDestroy();
        return;
      case 'hang':
      case 'accept-then-hang':
        hang(response);
        return;
      case 'slow-body':
        this.dribble(response, answer, fault.delayMs ?? 1000);
        return;
      default: {
        const wait = this.latency() + (fault?.kind === 'slow' ? (fault.delayMs ?? 1000) : 0);
        if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
        this.write(response, answer);
      }
    }
  }

  /** The headers and half of the body at once, the rest when the client may have given up. */
  private dribble(response: ServerResponse, answer: WireAnswer, delayMs: number): void {
    const body = Buffer.from(answer.body);
    response.writeHead(answer.status, { ...answer.headers, 'content-length': body.length });
    response.write(body.subarray(0, body.length / 2));
    const timer = setTimeout(() => response.end(body.subarray(body.length / 2)), delayMs);
    timer.unref();
    response.on('close', () => {
      clearTimeout(timer);
    });
  }

  private latency(): number {
    const { seed, latency } = this.parts;
    if (latency.medianMs <= 0) return 0;
    this.requests += 1;
    const draw = (which: string): number => chance(seed, `latency|${which}|${String(this.requests)}`);
    return latencyMs(draw('a'), draw('b'), latency.medianMs, latency.p99Ms);
  }

  private write(response: ServerResponse, answer: WireAnswer): void {
    if (response.destroyed) return;
    response.writeHead(answer.status, { ...answer.headers, 'content-length': Buffer.byteLength(answer.body) });
    response.end(answer.body);
  }
}

function markOf(fault: FaultRule | undefined): { kind: string; verdict?: string } | undefined {
  if (fault === undefined) return undefined;
  const verdict = refusalVerdict(fault.kind);
  return verdict === undefined ? { kind: fault.kind } : { kind: fault.kind, verdict };
}

/** The answer a fault gives in place of the real one. */
function faultAnswer(fault: FaultRule, real: WireAnswer, service: string, protocol: WireProtocol): WireAnswer {
  const answer = (error: AwsError): WireAnswer => errorAnswer(error, protocol, namespaceOf(service));
  switch (fault.kind) {
    case '429':
      return service === 'ses'
        ? answer(new AwsError('TooManyRequestsException', 429, 'Maximum sending rate exceeded.'))
        : answer(new AwsError('Throttling', 400, 'Rate exceeded'));
    case '429-operation':
      return answer(
        new AwsError('TooManyRequestsException', 429, 'Too many requests have been made to the operation.'),
      );
    case '500':
    case 'accept-then-500':
      return answer(new AwsError('InternalFailure', 500, 'An internal error occurred.'));
    case '503':
      return answer(new AwsError('ServiceUnavailable', 503, 'Service is unable to handle request.'));
    case 'wrong-json':
      return real.status === 200 ? { ...real, body: real.body.slice(0, -1) } : real;
    default:
      return real;
  }
}

function hang(response: ServerResponse): void {
  const timer = setTimeout(() => response.socket?.destroy(), MAX_HANG_MS);
  timer.unref();
  response.on('close', () => {
    clearTimeout(timer);
  });
}

function asAwsError(error: unknown): AwsError {
  if (error instanceof AwsError) return error;
  process.stderr.write(`simulator: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  return new AwsError('InternalFailure', 500, 'The simulator failed; its log says why.');
}

function namespaceOf(service: string): string {
  return service === 'sns' ? SNS_NAMESPACE : STS_NAMESPACE;
}

function missingToken(protocol: WireProtocol): AwsError {
  return protocol === 'query'
    ? new AwsError('MissingAuthenticationToken', 403, 'Request is missing Authentication Token')
    : new AwsError('MissingAuthenticationTokenException', 403, 'Missing Authentication Token');
}
