import { ApiArm, atRate, type Accepted } from '../api-arm';
import { EngineArm } from '../engine-arm';
import type { Lab } from '../lab';
import type { Result } from '../result';
import { cpuPerMessage, measureSlice, medianCpu, perSecond, spread, type Slice } from '../slice';
import { percentile } from '../statistics';

const TENANTS = 20;
const BODY_BYTES = 2_048;
const BATCH = 1_000;
/** Clients that hand in batches side by side, each waiting for its answer. */
const CLIENTS = 4;
/** Slices of batches are so much shorter than the usual ones. */
const BATCH_SLICE_PART = 2;
const SINGLES_PER_SECOND = 500;
/** A process in use has compiled what a single mutation runs; for 4,000 of them the interpreter has a part in it. */
const SINGLES_WARM_UP_SECONDS = 8;

/** For batches as many as there are cores to work on: one process is one thread. One is enough for the single mutations. */
const API_PROCESSES = 2;

/** Two api processes, no worker: batches of 1,000 messages, then single mutations at a fixed rate to one of them. */
export async function b13(lab: Lab): Promise<Result> {
  const { seconds, slices } = lab.args;
  const arm = await EngineArm.prepare(lab, {
    accounts: [{ rate: 1_000, quota: 50_000_000, tenantWeights: Array.from({ length: TENANTS }, () => 10) }],
  });
  let api: ApiArm | undefined;
  try {
    const { tenants } = arm.fleet;
    api = await ApiArm.start(lab, arm.database, tenants, API_PROCESSES);
    const front = api;
    lab.progress('accepting batches');
    const hand: { accepted: number; ended: boolean } = { accepted: 0, ended: false };
    const clients = Array.from({ length: CLIENTS }, async (_, client) => {
      for (let n = client; !hand.ended; n += CLIENTS) {
        const tenant = tenants[n % tenants.length];
        if (!tenant) continue;
        // Not in one statement with the sum: it would be read before the answer, and what others add meanwhile be lost.
        const accepted = await front.sendBatch(tenant, 'MARKETING', BODY_BYTES, BATCH);
        hand.accepted += accepted;
      }
    });
    for (const client of clients) client.catch(() => (hand.ended = true));
    await lab.wait(3);
    const batches: Slice[] = [];
    for (let i = 0; i < slices; i += 1) {
      const before = hand.accepted;
      const slice = await measureSlice(lab, seconds / BATCH_SLICE_PART);
      batches.push({ ...slice, sent: hand.accepted - before });
    }
    hand.ended = true;
    await Promise.all(clients);
    // What the batches left behind is theirs; the single messages meet tables as a server in use has them.
    await arm.database.client.query('VACUUM (ANALYZE) message, message_body, recipient, backlog');
    await arm.database.client.query('CHECKPOINT');

    lab.progress(`single mutations at ${SINGLES_PER_SECOND}/s`);
    const singles: Accepted[] = [];
    const one = async (n: number) => {
      const tenant = tenants[n % tenants.length];
      if (tenant) singles.push(await front.sendOne(tenant, 'TRANSACTIONAL', BODY_BYTES));
    };
    await atRate(lab, SINGLES_PER_SECOND, SINGLES_WARM_UP_SECONDS, one);
    singles.length = 0;
    const singlesSeconds = seconds * slices;
    const [single] = await Promise.all([
      measureSlice(lab, singlesSeconds),
      atRate(lab, SINGLES_PER_SECOND, singlesSeconds, one),
    ]);
    const singleUs = Object.entries(cpuPerMessage({ ...single, sent: SINGLES_PER_SECOND * singlesSeconds }));
    const rates = spread(batches.map(perSecond));
    const tookMs = singles.map(({ askedUs, ackUs }) => (ackUs - askedUs) / 1_000);
    return {
      id: 'B13',
      measure: 'accepting mail with 2 KB bodies through the GraphQL api, every commit on disk',
      figures: [
        {
          name: 'in batches of 1,000',
          value: rates.median,
          unit: '/s',
          target: { least: 5_000 },
          stretch: { least: 15_000 },
        },
        {
          name: `single mutation p99 at ${SINGLES_PER_SECOND}/s`,
          value: percentile(tookMs, 0.99),
          unit: 'ms',
          target: { most: 25 },
          stretch: { most: 10 },
        },
      ],
      cpuUs: medianCpu(batches),
      notes: [
        `${CLIENTS} clients with batches in turns for ${TENANTS} tenants; ${API_PROCESSES} api processes (NODE_ENV=production) in turns; clients, PostgreSQL and Redis on the same cores. Median of ${slices} slices, ${rates.least.toFixed(0)} to ${rates.most.toFixed(0)}/s.`,
        `Single mutations, all to one process after ${SINGLES_WARM_UP_SECONDS} s at the same rate: p50 ${percentile(tookMs, 0.5).toFixed(1)} ms, ${singles.length} measured by a client in the harness's process, so its own lags count too.`,
        `CPU of a single mutation: ${singleUs.map(([name, us]) => `${name} ${us.toFixed(0)} us`).join(', ')}.`,
      ],
    };
  } finally {
    await api?.stop();
    await arm.close();
  }
}
