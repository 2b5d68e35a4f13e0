import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { z } from 'zod';
import type { ArrivalLog } from '../arrivals/arrival.log';
import type { MailShelf } from '../arrivals/mail.shelf';
import type { UsageMeter } from '../billing/usage-meter';
import { zippedReport } from '../billing/usage-report';
import type { SimulatedClock } from '../clock/simulated.clock';
import type { FaultPlan } from '../faults/fault-plan.policy';
import type { SendingLimitsService } from '../limits/sending-limits.service';
import type { EventsService } from '../ses/events.service';
import type { DeliveryService } from '../sns/delivery.service';
import type { SigningService } from '../sns/signing.service';
import type { SnsService } from '../sns/sns.service';
import type { StateStore } from '../state/state.store';
import {
  accountInput,
  behaviourInput,
  clockInput,
  eventFaultInput,
  faultInput,
  leaseInput,
  settingsInput,
  verifyInput,
} from './admin.schemas';
import { AdminRefusal, FleetService } from './fleet.service';

export interface AdminParts {
  readonly store: StateStore;
  readonly clock: SimulatedClock;
  readonly faults: FaultPlan;
  readonly events: EventsService;
  readonly deliveries: DeliveryService;
  readonly sns: SnsService;
  readonly limits: SendingLimitsService;
  readonly arrivals: ArrivalLog;
  readonly shelf: MailShelf;
  readonly usage: UsageMeter;
  readonly signing: SigningService;
  readonly reset: () => void;
}

interface AdminRequest {
  readonly params: readonly string[];
  readonly query: URLSearchParams;
  readonly json: unknown;
}

interface Text {
  readonly contentType: string;
  readonly text: string | Buffer;
}

type Handler = (request: AdminRequest) => unknown;

const MAX_PAGE = 10_000;

/** The admin API: JSON over HTTP on its own port, meant for loopback and tests only; it has no authentication. */
export class AdminServer {
  readonly server: Server;
  private readonly fleet: FleetService;

  constructor(private readonly parts: AdminParts) {
    this.fleet = new FleetService(parts.store, parts.clock);
    this.server = createServer((message, response) => {
      void this.answer(message).then(({ status, contentType, text }) => {
        response.writeHead(status, { 'content-type': contentType, 'content-length': Buffer.byteLength(text) });
        response.end(text);
      });
    });
  }

  private readonly routes: readonly [string, RegExp, Handler][] = [
    ['GET', /^\/health$/, () => ({ status: 'ok', now: this.parts.clock.now().toISOString() })],
    [
      'GET',
      /^\/ca\.pem$/,
      (): Text => ({ contentType: 'application/x-pem-file', text: this.parts.signing.identity.caPem }),
    ],
    ['GET', /^\/accounts$/, () => ({ accounts: this.fleet.describeAll() })],
    ['GET', /^\/accounts\/([^/]+)$/, ({ params: [id = ''] }) => this.fleet.describe(id)],
    [
      'PUT',
      /^\/accounts\/([^/]+)$/,
      ({ params: [id = ''], json }) => this.fleet.putAccount(id, parsed(accountInput, json)),
    ],
    [
      'POST',
      /^\/accounts\/([^/]+)\/regions\/([^/]+)\/ips\/lease$/,
      ({ params: [id = '', region = ''], json }) => this.fleet.leaseIps(id, region, parsed(leaseInput, json)),
    ],
    ['POST', /^\/identities\/verify$/, ({ json }) => this.fleet.verify(parsed(verifyInput, json))],
    ['GET', /^\/settings$/, () => ({ identityVerification: this.parts.store.state.identityVerification })],
    ['PUT', /^\/settings$/, ({ json }) => this.settings(parsed(settingsInput, json))],
    ['GET', /^\/domains$/, () => Object.fromEntries(this.parts.store.state.domains)],
    [
      'PUT',
      /^\/domains\/([^/]+)$/,
      ({ params: [domain = ''], json }) => this.putDomain(domain.toLowerCase(), parsed(behaviourInput, json)),
    ],
    ['GET', /^\/faults$/, () => ({ faults: this.parts.faults.list(), events: this.parts.events.faults })],
    ['POST', /^\/faults$/, ({ json }) => this.parts.faults.add(parsed(faultInput, json))],
    ['DELETE', /^\/faults$/, () => this.clearFaults()],
    ['PUT', /^\/faults\/events$/, ({ json }) => this.parts.events.setFaults(defined(parsed(eventFaultInput, json)))],
    ['GET', /^\/arrivals$/, ({ query }) => this.arrivals(query)],
    ['GET', /^\/mails\/([^/]+)$/, ({ params: [id = ''] }) => this.mail(id)],
    ['GET', /^\/bills\/(20\d\d-(?:0[1-9]|1[0-2]))$/, ({ params: [month = ''], query }) => this.bill(month, query)],
    ['GET', /^\/meters$/, () => ({ meters: this.parts.limits.readings() })],
    ['GET', /^\/summary$/, () => this.summary()],
    ['POST', /^\/reset$/, () => this.reset()],
    ['GET', /^\/clock$/, () => this.clock()],
    ['POST', /^\/clock$/, ({ json }) => this.moveClock(parsed(clockInput, json))],
  ];

  private async answer(message: IncomingMessage): Promise<Text & { status: number }> {
    try {
      const url = new URL(message.url ?? '/', 'http://admin');
      const json = await bodyJson(message);
      let pathKnown = false;
      for (const [method, pattern, handler] of this.routes) {
        const match = pattern.exec(url.pathname);
        if (match === null) continue;
        pathKnown = true;
        if (method !== message.method) continue;
        const result = handler({ params: match.slice(1).map(decodeURIComponent), query: url.searchParams, json });
        return {
          status: 200,
          ...(isText(result) ? result : { contentType: 'application/json', text: JSON.stringify(result) }),
        };
      }
      return failure(
        pathKnown ? 405 : 404,
        pathKnown ? 'method not allowed here' : `no admin resource ${url.pathname}`,
      );
    } catch (error) {
      if (error instanceof AdminRefusal) return failure(error.status, error.message);
      return failure(500, error instanceof Error ? error.message : String(error));
    }
  }

  private settings(input: z.output<typeof settingsInput>): unknown {
    this.parts.store.state.identityVerification = input.identityVerification;
    this.parts.store.touch();
    return input;
  }

  private putDomain(domain: string, input: z.output<typeof behaviourInput>): unknown {
    const behaviour = { ...this.parts.events.behaviourOf(domain), ...defined(input) };
    this.parts.store.state.domains.set(domain, behaviour);
    this.parts.store.touch();
    return behaviour;
  }

  private clearFaults(): unknown {
    this.parts.faults.clear();
    return {
      faults: [],
      events: this.parts.events.setFaults({ hold: false, dropRate: 0, duplicateRate: 0, reorderMs: 0 }),
    };
  }

  private mail(messageId: string): unknown {
    const mail = this.parts.shelf.find(messageId);
    if (mail === undefined) throw new AdminRefusal(404, 'no such mail, or not one of the newest');
    return mail;
  }

  private arrivals(query: URLSearchParams): unknown {
    const after = Number(query.get('after') ?? 0);
    const limit = Math.min(Number(query.get('limit') ?? 1000), MAX_PAGE);
    if (!Number.isInteger(after) || after < 0 || !Number.isInteger(limit) || limit < 1) {
      throw new AdminRefusal(400, 'after and limit are whole numbers');
    }
    const lines = this.parts.arrivals.page(after, limit);
    if (query.get('format') === 'jsonl') {
      return { contentType: 'application/x-ndjson', text: lines.map((line) => `${line}\n`).join('') } satisfies Text;
    }
    // The lines are JSON already; parsing them only to print them again would cost more than all else here.
    const text = `{"arrivals":[${lines.join(',')}],"next":${String(after + lines.length)},"total":${String(this.parts.arrivals.count)}}`;
    return { contentType: 'application/json', text } satisfies Text;
  }

  /** A month's Cost and Usage Report as CSV.gz, of what was used until the moment `until`; until now unless said. */
  private bill(month: string, query: URLSearchParams): Text {
    const until = query.get('until');
    const at = until === null ? this.parts.clock.nowMs() : Date.parse(until);
    if (Number.isNaN(at)) throw new AdminRefusal(400, 'until is a moment such as 2026-11-30T12:00:00.000Z');
    const text = zippedReport(this.parts.store.state, this.parts.usage, month, at);
    return { contentType: 'application/gzip', text };
  }

  private summary(): unknown {
    const { arrivals, limits, events, deliveries, sns } = this.parts;
    const meters = limits.readings();
    const sum = (pick: (one: (typeof meters)[number]['meter']) => number): number =>
      meters.reduce((total, one) => total + pick(one.meter), 0);
    return {
      now: this.parts.clock.now().toISOString(),
      arrivals: arrivals.count,
      offeredRequests: sum((one) => one.offeredRequests),
      acceptedRequests: sum((one) => one.acceptedRequests),
      acceptedRecipients: sum((one) => one.acceptedRecipients),
      overQuota: sum((one) => one.overQuota),
      overRate: sum((one) => one.overRate),
      events: {
        published: events.published,
        waiting: events.waiting,
        held: events.heldCount,
        refusedByTopic: sns.notPublished,
      },
      deliveries: { ...deliveries.counts, pending: deliveries.pending },
    };
  }

  private reset(): unknown {
    this.parts.reset();
    return { status: 'reset' };
  }

  private clock(): unknown {
    const { clock } = this.parts;
    return { now: clock.now().toISOString(), nowMs: clock.nowMs(), ...clock.scale };
  }

  private moveClock(input: z.output<typeof clockInput>): unknown {
    const { clock, events, store } = this.parts;
    if (input.speed !== undefined) clock.run(input.speed);
    if (input.advanceMs !== undefined) clock.advance(input.advanceMs);
    store.state.clock = clock.scale;
    store.touch();
    events.clockMoved();
    return this.clock();
  }
}

async function bodyJson(message: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of message as AsyncIterable<Buffer>) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString('utf8');
  try {
    return text === '' ? {} : (JSON.parse(text) as unknown);
  } catch {
    throw new AdminRefusal(400, 'the body is not JSON');
  }
}

function parsed<S extends z.ZodType>(schema: S, json: unknown): z.output<S> {
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new AdminRefusal(400, `${issue?.path.map(String).join('.') ?? ''}: ${issue?.message ?? 'invalid'}`);
}

/** Drops absent members, so that a partial input does not overwrite with undefined. */
function defined<T extends object>(input: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}

function isText(value: unknown): value is Text {
  return typeof value === 'object' && value !== null && 'contentType' in value && 'text' in value;
}

function failure(status: number, message: string): Text & { status: number } {
  return { status, contentType: 'application/json', text: JSON.stringify({ error: message }) };
}
