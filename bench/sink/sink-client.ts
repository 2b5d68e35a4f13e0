import { readArrivals, type Arrival } from './arrival-record';
import type { SinkSettings } from './sink';

/** The sink's admin endpoint, from the harness. */
export class SinkClient {
  private sets: readonly string[] = [];

  constructor(private readonly url: string) {}

  async configure(settings: SinkSettings): Promise<void> {
    await this.call('/configure', JSON.stringify(settings));
  }

  /** Requests so far. */
  async length(): Promise<number> {
    return Number((await this.call('/length')).toString());
  }

  /** The log from that request on, in order of time. */
  async log(from: number): Promise<Arrival[]> {
    const arrivals = readArrivals(await this.call(`/log?from=${from}`));
    const names = JSON.parse((await this.call('/names')).toString()) as { sets: string[] };
    this.sets = names.sets;
    return arrivals;
  }

  /** The configuration set of an arrival that `log` answered: names tenant and stream. */
  setOf(arrival: Arrival): string {
    return this.sets[arrival.set] ?? '';
  }

  private async call(path: string, body?: string): Promise<Buffer> {
    const response = await fetch(`${this.url}${path}`, body === undefined ? {} : { method: 'POST', body });
    if (!response.ok) throw new Error(`the sink answered ${response.status} to ${path}`);
    return Buffer.from(await response.arrayBuffer());
  }
}
