import type {
  AccountInput,
  BehaviourInput,
  ClockInput,
  EventFaultInput,
  FaultInput,
  LeaseInput,
  SettingsInput,
  VerifyInput,
} from './admin/admin.schemas';
import type { Arrival } from './arrivals/arrival.log';
import type { MeterReading } from './limits/counting-meter.policy';
import type { MailText } from './ses/template.policy';

export interface AccountMeter {
  readonly account: string;
  readonly region: string;
  readonly meter: MeterReading;
}

export interface SimulatorSummary {
  readonly now: string;
  readonly arrivals: number;
  readonly offeredRequests: number;
  readonly acceptedRequests: number;
  readonly acceptedRecipients: number;
  readonly overQuota: number;
  readonly overRate: number;
  readonly events: { published: Record<string, number>; waiting: number; held: number; refusedByTopic: number };
  readonly deliveries: {
    queued: number;
    delivered: number;
    refused: number;
    retried: number;
    dropped: number;
    pending: number;
  };
}

export interface ClockReading {
  readonly now: string;
  readonly nowMs: number;
  readonly baseMs: number;
  readonly speed: number;
  readonly offsetMs: number;
}

/** The admin API of a running simulator, typed; for the launcher, tools and tests. Throws on any answer but 2xx. */
export class SimulatorAdminClient {
  constructor(private readonly url: string) {}

  health(): Promise<{ status: string; now: string }> {
    return this.call('GET', '/health');
  }

  async caPem(): Promise<string> {
    const response = await fetch(`${this.url}/ca.pem`);
    if (!response.ok) throw new Error(`GET /ca.pem answered ${String(response.status)}`);
    return response.text();
  }

  putAccount(id: string, account: AccountInput): Promise<unknown> {
    return this.call('PUT', `/accounts/${id}`, account);
  }

  account(id: string): Promise<unknown> {
    return this.call('GET', `/accounts/${id}`);
  }

  leaseIps(id: string, region: string, lease: LeaseInput): Promise<{ ips: string[] }> {
    return this.call('POST', `/accounts/${id}/regions/${region}/ips/lease`, lease);
  }

  verifyIdentity(input: VerifyInput): Promise<unknown> {
    return this.call('POST', '/identities/verify', input);
  }

  putSettings(settings: SettingsInput): Promise<unknown> {
    return this.call('PUT', '/settings', settings);
  }

  putDomain(domain: string, behaviour: BehaviourInput): Promise<unknown> {
    return this.call('PUT', `/domains/${domain}`, behaviour);
  }

  addFault(fault: FaultInput): Promise<{ id: number }> {
    return this.call('POST', '/faults', fault);
  }

  /** Those that are set, and how many requests each has hit. */
  async faults(): Promise<readonly { id: number; hits: number }[]> {
    return (await this.call<{ faults: { id: number; hits: number }[] }>('GET', '/faults')).faults;
  }

  setEventFaults(faults: EventFaultInput): Promise<unknown> {
    return this.call('PUT', '/faults/events', faults);
  }

  clearFaults(): Promise<unknown> {
    return this.call('DELETE', '/faults');
  }

  arrivals(after = 0, limit = 1000): Promise<{ arrivals: Arrival[]; next: number; total: number }> {
    return this.call('GET', `/arrivals?after=${String(after)}&limit=${String(limit)}`);
  }

  /** The whole log, page by page. */
  async *allArrivals(after = 0): AsyncGenerator<Arrival> {
    for (let next = after; ;) {
      const page = await this.arrivals(next, 10_000);
      yield* page.arrivals;
      if (page.arrivals.length === 0) return;
      next = page.next;
    }
  }

  /** What one of the newest accepted mails says. */
  mail(messageId: string): Promise<MailText> {
    return this.call('GET', `/mails/${messageId}`);
  }

  async meters(): Promise<AccountMeter[]> {
    const { meters } = await this.call<{ meters: AccountMeter[] }>('GET', '/meters');
    return meters;
  }

  summary(): Promise<SimulatorSummary> {
    return this.call('GET', '/summary');
  }

  /** A month's Cost and Usage Report, CSV.gz, of what was used until then. */
  async bill(month: string, until?: Date): Promise<Buffer> {
    const query = until === undefined ? '' : `?until=${until.toISOString()}`;
    const response = await fetch(`${this.url}/bills/${month}${query}`);
    if (!response.ok) throw new Error(`GET /bills/${month} answered ${String(response.status)}`);
    return Buffer.from(await response.arrayBuffer());
  }

  reset(): Promise<unknown> {
    return this.call('POST', '/reset', {});
  }

  clock(): Promise<ClockReading> {
    return this.call('GET', '/clock');
  }

  moveClock(input: ClockInput): Promise<ClockReading> {
    return this.call('POST', '/clock', input);
  }

  private async call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await fetch(`${this.url}${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    if (!response.ok)
      throw new Error(`${method} ${path} answered ${String(response.status)}: ${await response.text()}`);
    return (await response.json()) as T;
  }
}
