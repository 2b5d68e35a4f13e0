import { ApiArm, atRate, type Accepted } from '../api-arm';
import { EngineArm } from '../engine-arm';
import type { Lab } from '../lab';
import type { Result } from '../result';
import { percentile } from '../statistics';
import { waitsMs } from '../waits';

const ACCOUNTS = 4;
const RATE = 200;
const PER_SECOND = 20;

/** Transactional mail by the real api, one mutation a message, on accounts whose whole rate bulk mail uses. */
export async function b09(lab: Lab): Promise<Result> {
  const seconds = Math.max(15, lab.args.seconds * 2);
  const account = { rate: RATE, quota: 50_000_000, tenantWeights: [10, 10] };
  const arm = await EngineArm.prepare(lab, { accounts: Array.from({ length: ACCOUNTS }, () => account) });
  let api: ApiArm | undefined;
  try {
    const senders = arm.fleet.tenants.filter((_, i) => i % 2 === 0);
    api = await ApiArm.start(lab, arm.database, senders);
    const front = api;
    lab.progress(`transactional mail under saturated bulk for ${seconds} s`);
    await arm.fill(ACCOUNTS * RATE * (seconds + 25));
    await arm.connectSink();
    await arm.runUp();
    const from = await lab.sink.length();
    const accepted: Accepted[] = [];
    await atRate(lab, PER_SECOND, seconds, async (n) => {
      const tenant = senders[n % senders.length];
      if (tenant) accepted.push(await front.sendOne(tenant, 'TRANSACTIONAL', 1_024));
    });
    const waits = await waitsMs(lab, accepted, from);
    const fromAsking = accepted.map(({ askedUs, ackUs }, i) => (waits[i] ?? NaN) + (ackUs - askedUs) / 1_000);
    return {
      id: 'B9',
      measure: 'transactional mail from acceptance to the wire under saturated bulk',
      figures: [
        { name: 'p50', value: percentile(waits, 0.5), unit: 'ms', target: { most: 120 }, stretch: { most: 60 } },
        { name: 'p99', value: percentile(waits, 0.99), unit: 'ms', target: { most: 300 }, stretch: { most: 150 } },
      ],
      notes: [
        `${waits.length} messages at ${PER_SECOND}/s over ${ACCOUNTS} accounts of ${RATE}/s that bulk mail keeps full, from the api's acknowledgement to the last byte at SES.`,
        `From the customer's request on, the acceptance included: p50 ${percentile(fromAsking, 0.5).toFixed(0)} ms, p99 ${percentile(fromAsking, 0.99).toFixed(0)} ms.`,
      ],
    };
  } finally {
    await api?.stop();
    await arm.close();
  }
}
