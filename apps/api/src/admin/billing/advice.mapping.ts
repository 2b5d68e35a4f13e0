import {
  IP_ADVICE_ASSUMES,
  PLAN_ADVICE_ASSUMES,
  type IpAdvice,
  type PlanAdvice,
  type WhatIfReport,
} from '@libs/billing';
import { formatUsd, toPublicId } from '@libs/kernel';
import type * as shown from './advice.type';
import type { PriceWhatIf } from './report.type';

export function toPlanAdvice(advice: PlanAdvice): shown.PricingPlanAdvice {
  return {
    period: advice.period,
    saving: formatUsd(advice.savingMicro),
    assumes: [...PLAN_ADVICE_ASSUMES],
    accounts: advice.accounts.map((one) => ({
      sendingAccountId: toPublicId('sendingAccount', one.sendingAccountId),
      account: one.account,
      recipients: one.recipients,
      ipMilliseconds: one.ipMs,
      current: one.current,
      best: one.best,
      saving: formatUsd(one.savingMicro),
      options: one.options.map(({ plan, costMicro, contains, onManagedIpsMicro }) => ({
        plan,
        cost: formatUsd(costMicro),
        contains: contains.map(({ sku, worthMicro }) => ({ sku, worth: formatUsd(worthMicro) })),
        costOnManagedIps: onManagedIpsMicro === null ? null : formatUsd(onManagedIpsMicro),
      })),
    })),
  };
}

export function toIpAdvice(advice: IpAdvice): shown.DedicatedIpAdvice {
  const tenant = advice.atTenantPrice;
  return {
    recipientsPerMonth: advice.recipients,
    dedicatedIps: advice.ips,
    options: advice.options.map(({ kind, costMicro, extraMicro, rateIds }) => ({
      kind,
      cost: formatUsd(costMicro),
      extra: formatUsd(extraMicro),
      rateIds: rateIds.map(String),
    })),
    cheaperOwn: advice.cheaperOwn,
    standardPaysFrom: advice.standardPaysFrom,
    atTenantPrice: tenant && {
      priceShared: formatUsd(tenant.priceSharedMicro),
      priceWithIps: formatUsd(tenant.priceWithIpsMicro),
      marginShared: formatUsd(tenant.marginSharedMicro),
      marginStandard: formatUsd(tenant.marginStandardMicro),
      paysByItself: tenant.paysByItself,
    },
    assumes: [...IP_ADVICE_ASSUMES],
  };
}

export function toWhatIf(report: WhatIfReport): PriceWhatIf {
  const { beforeMicro, afterMicro, costMicro } = report;
  return {
    period: report.period,
    before: formatUsd(beforeMicro),
    after: formatUsd(afterMicro),
    cost: formatUsd(costMicro),
    marginBefore: formatUsd(beforeMicro - costMicro),
    marginAfter: formatUsd(afterMicro - costMicro),
    dearer: report.dearer,
    cheaper: report.cheaper,
    rows: report.rows.map((row) => ({
      tenantId: toPublicId('tenant', row.tenantId),
      name: row.name,
      before: formatUsd(row.beforeMicro),
      after: formatUsd(row.afterMicro),
      cost: formatUsd(row.costMicro),
      marginAfter: formatUsd(row.afterMicro - row.costMicro),
    })),
  };
}
