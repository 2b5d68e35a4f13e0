import type { Arrival } from '../arrivals/arrival.log';
import type { RegionState } from '../state/simulator.state';
import { CountingMeter, type MeteredSend, type MeterReading } from './counting-meter.policy';
import { SendGate, type LimitVerdict, type SendDemand, type SendLimits } from './send-gate.policy';

/** The gate and the meter of every (account, region); both are rebuilt from the arrival log after a restart. */
export class SendingLimitsService {
  private gates = new Map<string, SendGate>();
  private meters = new Map<string, CountingMeter>();

  admit(account: string, region: string, demand: SendDemand, limits: SendLimits): LimitVerdict {
    return this.gate(account, region).admit(demand, limits);
  }

  observe(account: string, region: string, send: MeteredSend, limits: SendLimits): void {
    this.meter(account, region).observe(send, limits);
  }

  sentLast24Hours(account: string, region: string, now: number): number {
    return this.gate(account, region).sentLast24Hours(now);
  }

  readings(): { account: string; region: string; meter: MeterReading }[] {
    return [...this.meters].map(([key, meter]) => {
      const [account = '', region = ''] = key.split('/');
      return { account, region, meter: meter.read() };
    });
  }

  replay(row: Arrival): void {
    if (row.limits === undefined || row.nRecipients === undefined) return;
    const [max24HourSend, maxSendRate, bucketCapacity] = row.limits;
    const limits = { max24HourSend, maxSendRate, bucketCapacity: bucketCapacity ?? undefined };
    const { at, since, nRecipients: recipients, quotaRecipients = recipients } = row;
    const demand = { at, since, recipients, quotaRecipients };
    this.observe(
      row.account,
      row.region,
      { ...demand, verdict: row.verdict, injected: row.injected !== undefined },
      limits,
    );
    if (row.verdict === 'accepted') this.gate(row.account, row.region).replay(demand, limits);
  }

  reset(): void {
    this.gates = new Map();
    this.meters = new Map();
  }

  private gate(account: string, region: string): SendGate {
    return ensure(this.gates, `${account}/${region}`, () => new SendGate());
  }

  private meter(account: string, region: string): CountingMeter {
    return ensure(this.meters, `${account}/${region}`, () => new CountingMeter());
  }
}

export function limitsOf(region: RegionState): SendLimits {
  return {
    max24HourSend: region.max24HourSend,
    maxSendRate: region.maxSendRate,
    bucketCapacity: region.bucketCapacity,
  };
}

function ensure<T>(map: Map<string, T>, key: string, create: () => T): T {
  let value = map.get(key);
  if (value === undefined) {
    value = create();
    map.set(key, value);
  }
  return value;
}
