import { publicKeyOf, type IdleReport, type MarginReport, type WaterfallReport } from '@libs/billing';
import { formatUsd, toPublicId } from '@libs/kernel';
import type * as shown from './report.type';

interface PriceAndCost {
  readonly priceMicro: bigint;
  readonly costMicro: bigint;
}

function amountsOf({ priceMicro, costMicro }: PriceAndCost) {
  return { price: formatUsd(priceMicro), cost: formatUsd(costMicro), margin: formatUsd(priceMicro - costMicro) };
}

export function toMargin(report: MarginReport): shown.MarginReport {
  const { period, state, asOf } = report;
  return {
    period,
    state,
    asOf,
    ...amountsOf(report),
    rows: report.rows.map((row) => ({
      kind: row.kind,
      id: publicKeyOf(row),
      name: row.name,
      ...amountsOf(row),
      lines: row.lines.map((line) => ({
        topic: line.topic,
        ...amountsOf(line),
        skus: [...line.skus],
        rateIds: [...line.rateIds],
        planPriceIds: [...line.planPriceIds],
        methods: [...line.methods],
      })),
    })),
  };
}

export function toWaterfall(report: WaterfallReport): shown.CostWaterfall {
  const { period, state, asOf } = report;
  return {
    period,
    state,
    asOf,
    fleet: formatUsd(report.fleetMicro),
    steps: report.steps.map(({ kind, topic, reason, amountMicro, afterMicro }) => ({
      kind,
      topic,
      reason,
      amount: formatUsd(amountMicro),
      after: formatUsd(afterMicro),
    })),
  };
}

export function toIdleCost(report: IdleReport): shown.IdleCost {
  const { period, state, asOf } = report;
  return {
    period,
    state,
    asOf,
    fleet: formatUsd(report.fleetMicro),
    idle: formatUsd(report.idleMicro),
    rows: report.rows.map((row) => ({
      sendingAccountId: row.sendingAccountId && toPublicId('sendingAccount', row.sendingAccountId),
      account: row.account,
      poolId: row.laneId && toPublicId('lane', row.laneId),
      pool: row.pool,
      topic: row.topic,
      idle: formatUsd(row.idleMicro),
      whole: formatUsd(row.wholeMicro),
      idlePermille: row.idlePermille === null ? null : Number(row.idlePermille),
      hint: row.hint,
    })),
  };
}
