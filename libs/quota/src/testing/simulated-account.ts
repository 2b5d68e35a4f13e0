import { pacedRate, type Fraction } from '../pacing.policy';
import { ringShape } from '../ring.policy';
import type { ModelReply } from './grantor-model';
import type { ModelOffer } from './fair-queue-model';
import type { LedgerFault } from './ledger-fault';
import { LedgerModel } from './ledger-model';

export const SECOND = 1_000_000;
const DAY = 86_400 * SECOND;
export const START = 1_790_000_000 * SECOND;
const LEAD_MS = 100;
const LIFE_MS = 5_000;
/** A request that passed its deadline check may take this long. */
export const REQUEST_US = 15 * SECOND;

export interface SeenGrant {
  readonly t0: number;
  readonly deadline: number;
  readonly messages: readonly { readonly tenant: string; readonly cost: number; readonly class: string }[];
}

function readGrant(reply: ModelReply): SeenGrant | undefined {
  if (reply[0] !== 'GRANT') return undefined;
  return {
    t0: Number(reply[2]),
    deadline: Number(reply[3]),
    messages: reply.slice(8).map((text) => {
      const [tenant = '', , cost = '', klass = ''] = text.split(':');
      return { tenant, cost: Number(cost), class: klass };
    }),
  };
}

/** A ledger with an endless supply of messages, and SES as it is: exact rolling day, bucket with debt. */
export class SimulatedAccount {
  readonly model: LedgerModel;
  now = START;
  private sequence = 0;
  private readonly sends: { at: number; cost: number }[] = [];
  readonly seen: { at: number; cost: number }[] = [];

  constructor(
    readonly quota: number,
    readonly rate: Fraction,
    fault?: LedgerFault,
  ) {
    const { bucketMs, buckets } = ringShape(1);
    this.model = new LedgerModel(bucketMs, buckets, fault);
    const paced = pacedRate(rate);
    this.model.rebuild(START, 1, 'run', quota, paced.num, paced.den, 0, []);
    this.model.open(1);
  }

  offer(
    tenant: string,
    costs: readonly number[],
    klass: 'tx' | 'mk' = 'tx',
    weight = 1,
    limits: Partial<Pick<ModelOffer, 'cap' | 'num' | 'den' | 'lane' | 'leased'>> = {},
  ): void {
    const entries = costs.map((cost) => ({ id: `m${String((this.sequence += 1))}`, cost }));
    const offer = { class: klass, tenant, weight, cap: -1, num: 0, den: 1, most: 1_000, entries, ...limits };
    this.model.offer(this.now, offer);
  }

  acquire(opId = `op${String((this.sequence += 1))}`, at = this.now): SeenGrant | undefined {
    return readGrant(this.ask(opId, at));
  }

  /** The reply as it is, a refusal too. */
  ask(opId = `op${String((this.sequence += 1))}`, at = this.now): ModelReply {
    const p = { opId, epoch: 1, runId: 'run', want: 100, leadMs: LEAD_MS, sliceMs: 1_000, workers: 0, lifeMs: LIFE_MS };
    return this.model.acquire(at, p);
  }

  /** Transactional mail that does not wait behind what is granted. */
  urge(): SeenGrant | undefined {
    const p = { opId: `op${String((this.sequence += 1))}`, epoch: 1, runId: 'run', want: 100, workers: 0 };
    return readGrant(
      this.model.acquire(this.now, { ...p, leadMs: LEAD_MS, sliceMs: 1_000, lifeMs: LIFE_MS, urgent: true }),
    );
  }

  /** What SES will see, and when. */
  send(at: number, cost: number): void {
    this.sends.push({ at, cost });
  }

  /** Lets time pass and SES receive what is due. */
  advance(us: number): void {
    this.now += us;
    this.sends.sort((a, b) => a.at - b.at);
    for (let next = this.sends[0]; next && next.at <= this.now; next = this.sends[0]) {
      this.seen.push(next);
      this.sends.shift();
    }
  }

  /** Most recipients in any rolling 24 hours, as SES counts. */
  worstDay(): number {
    let [worst, sum, from] = [0, 0, 0];
    for (const send of this.seen) {
      sum += send.cost;
      for (let oldest = this.seen[from]; oldest && oldest.at <= send.at - DAY; oldest = this.seen[from]) {
        sum -= oldest.cost;
        from += 1;
      }
      worst = Math.max(worst, sum);
    }
    return worst;
  }

  /** Most recipients in any sliding second. */
  worstSecond(): number {
    let [worst, sum, from] = [0, 0, 0];
    for (const { at, cost } of this.seen) {
      sum += cost;
      for (let oldest = this.seen[from]; oldest && oldest.at <= at - SECOND; oldest = this.seen[from]) {
        sum -= oldest.cost;
        from += 1;
      }
      worst = Math.max(worst, sum);
    }
    return worst;
  }

  /** Sends that would have found SES's bucket without a whole token. */
  dry(): number {
    const rate = this.rate.num / this.rate.den;
    const capacity = Math.max(1, rate);
    let [tokens, at, dry] = [capacity, START, 0];
    for (const send of this.seen) {
      tokens = Math.min(capacity, tokens + ((send.at - at) / SECOND) * rate);
      at = send.at;
      if (tokens < 1 - 1e-6) dry += 1;
      tokens -= send.cost;
    }
    return dry;
  }
}
