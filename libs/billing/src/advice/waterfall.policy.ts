import { ascending, IDLE, PLATFORM } from '../cost/allocation.policy';
import type { CostShare } from './cost-share';
import { topicOfCost, TOPICS, type Topic } from './topic.policy';

/** Which part of the fleet's cost a step is, in the order of the steps. */
export const STEP_KINDS = ['TENANTS', 'PLATFORM', 'IDLE', 'DELTA', 'CREDIT', 'TAX', 'CORRECTION'] as const;
export type StepKind = (typeof STEP_KINDS)[number];

export interface WaterfallStep {
  readonly kind: StepKind;
  /** What was paid for; null where a reason says it. */
  readonly topic: Topic | null;
  /** Why AWS's bill says another amount; null in our own reckoning. */
  readonly reason: string | null;
  readonly amountMicro: bigint;
  /** All steps up to this one together. */
  readonly afterMicro: bigint;
}

/** From what tenants used to what the fleet cost, step by step; the last sum is the whole. */
export interface Waterfall {
  readonly fleetMicro: bigint;
  readonly steps: readonly WaterfallStep[];
}

export function waterfall(costs: readonly CostShare[]): Waterfall {
  const sums = new Map<string, { kind: StepKind; topic: Topic | null; reason: string | null; amountMicro: bigint }>();
  for (const share of costs) {
    const kind = kindOf(share);
    const ours = share.source === 'PROVISIONAL';
    const topic = ours ? topicOfCost(share.sku, share.category) : null;
    const reason = ours ? null : share.reason;
    const place = [STEP_KINDS.indexOf(kind), topic === null ? '' : TOPICS.indexOf(topic), reason ?? ''].join('|');
    const step = sums.get(place) ?? { kind, topic, reason, amountMicro: 0n };
    sums.set(place, { ...step, amountMicro: step.amountMicro + share.costMicro });
  }
  let fleetMicro = 0n;
  const steps = [...sums]
    .sort(([a], [b]) => ascending(a, b))
    .map(([, step]) => {
      fleetMicro += step.amountMicro;
      return { ...step, afterMicro: fleetMicro };
    });
  return { fleetMicro, steps };
}

function kindOf(share: CostShare): StepKind {
  if (share.isCorrection) return 'CORRECTION';
  if (share.source === 'PROVISIONAL') {
    if (share.bearer === IDLE) return 'IDLE';
    return share.bearer === PLATFORM ? 'PLATFORM' : 'TENANTS';
  }
  if (share.category === 'Credit') return 'CREDIT';
  return share.category === 'Tax' ? 'TAX' : 'DELTA';
}
