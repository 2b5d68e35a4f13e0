import type { Charge, InvoiceLine, PlanInForce, SpendChange, TenantMonth, TenantSpend } from '@libs/billing';
import { DomainError, formatUsd, parseUsd, type Issue } from '@libs/kernel';
import type { UpdateSpendSettingsInput } from './billing.input';
import type { Billing, CurrentPlan, SpendSettings } from './billing.type';
import type { ChargeLine } from './charge-line.type';

const HOUR_MS = 3_600_000n;

export function toBilling({ period, plan, recipients, ipMs, soFar, projected }: TenantMonth): Billing {
  return {
    period: period.name,
    from: period.start,
    to: period.end,
    recipients,
    dedicatedIpHours: hours(ipMs),
    lines: soFar.charges.map(toChargeLine),
    charge: formatUsd(soFar.totalMicro),
    projectedCharge: formatUsd(projected.totalMicro),
    plan: toCurrentPlan(plan),
  };
}

export function toChargeLine({ rate, amountMicro, ...charge }: Charge): ChargeLine {
  return {
    ...charge,
    price: rate && { amount: formatUsd(rate.amountMicro), per: rate.perUnits },
    amount: formatUsd(amountMicro),
  };
}

/** An invoice has its lines as text. */
export function lineOfInvoice(line: InvoiceLine): ChargeLine {
  return {
    sku: line.sku,
    description: line.description,
    quantity: BigInt(line.quantity),
    unit: line.unit,
    price: line.rate && { amount: formatUsd(BigInt(line.rate.amountMicro)), per: BigInt(line.rate.perUnits) },
    amount: formatUsd(BigInt(line.amountMicro)),
    from: new Date(line.from),
    to: new Date(line.to),
  };
}

function toCurrentPlan({ name, price }: PlanInForce): CurrentPlan {
  return {
    name,
    baseFee: formatUsd(price.baseFeeMicro),
    includedRecipients: price.includedRecipients,
    overage: price.overage.map((tier) => ({
      from: tier.from,
      amount: formatUsd(tier.amountMicro),
      per: tier.perUnits,
    })),
    dedicatedIpFee: formatUsd(price.dedicatedIpFeeMicro),
    minimum: formatUsd(price.minimumMicro),
    since: price.validFrom,
  };
}

export function toSpend({ alertsMicro, hardCapMicro, marketingStoppedUntil }: TenantSpend): SpendSettings {
  return {
    alertsUsd: alertsMicro.map(formatUsd),
    hardCapUsd: hardCapMicro === null ? null : formatUsd(hardCapMicro),
    marketingStoppedUntil,
  };
}

/** @throws DomainError INVALID_INPUT for every amount that is not whole micro-dollars */
export function toSpendChange({ alertsUsd, hardCapUsd }: UpdateSpendSettingsInput): SpendChange {
  const issues: Issue[] = [];
  const amount = (text: string, ...path: string[]): bigint => {
    try {
      return parseUsd(text);
    } catch {
      const message = 'Expected US dollars with at most six decimals, for example "500".';
      issues.push({ code: 'INVALID_INPUT', message, path });
      return 0n;
    }
  };
  const alertsMicro = alertsUsd?.map((text, index) => amount(text, 'alertsUsd', String(index)));
  const hardCapMicro = typeof hardCapUsd === 'string' ? amount(hardCapUsd, 'hardCapUsd') : hardCapUsd;
  DomainError.throwIfAny(issues);
  return {
    ...(alertsMicro === undefined ? {} : { alertsMicro }),
    ...(hardCapMicro === undefined ? {} : { hardCapMicro }),
  };
}

/** Milliseconds as hours, cut to three decimals. */
function hours(ms: bigint): string {
  const thousandths = (ms * 1_000n) / HOUR_MS;
  const fraction = (thousandths % 1_000n).toString().padStart(3, '0').replace(/0+$/, '');
  return fraction === '' ? `${thousandths / 1_000n}` : `${thousandths / 1_000n}.${fraction}`;
}
