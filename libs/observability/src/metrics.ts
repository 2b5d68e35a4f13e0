import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** The process's Prometheus registry. Labels are small fixed sets: never a tenant, address or message. */
export class Metrics {
  readonly registry = new Registry();

  constructor(process: string) {
    this.registry.setDefaultLabels({ process });
    collectDefaultMetrics({ register: this.registry });
  }

  /**
   * @param known values of its only label, which are 0 from the start: of a series that begins with its first event nobody sees
   *   the growth, and an alarm on it stays silent
   */
  counter<Label extends string>(
    name: string,
    help: string,
    labelNames: readonly Label[] = [],
    known: readonly string[] = [],
  ): Counter<Label> {
    const counter = new Counter({ name: `postfleet_${name}`, help, labelNames, registers: [this.registry] });
    const [label] = labelNames;
    for (const value of known) if (label !== undefined) counter.inc({ [label]: value } as Record<Label, string>, 0);
    return counter;
  }

  gauge<Label extends string>(name: string, help: string, labelNames: readonly Label[] = []): Gauge<Label> {
    return new Gauge({ name: `postfleet_${name}`, help, labelNames, registers: [this.registry] });
  }

  histogram<Label extends string>(
    name: string,
    help: string,
    buckets: readonly number[],
    labelNames: readonly Label[] = [],
  ): Histogram<Label> {
    return new Histogram({
      name: `postfleet_${name}`,
      help,
      labelNames,
      buckets: [...buckets],
      registers: [this.registry],
    });
  }

  /** The text a scraper reads, and its content type. */
  async render(): Promise<{ contentType: string; text: string }> {
    return { contentType: this.registry.contentType, text: await this.registry.metrics() };
  }
}
