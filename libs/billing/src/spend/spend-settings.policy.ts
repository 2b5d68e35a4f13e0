import { formatUsd, type Issue } from '@libs/kernel';

/** What a tenant wants to be told about its charges of a month, and where they end. Micro-dollars. */
export interface SpendSettings {
  /** Lowest first. */
  readonly alertsMicro: readonly bigint[];
  /** At this charge marketing stops until the next month; null = never. */
  readonly hardCapMicro: bigint | null;
}

export const NO_SPEND_SETTINGS: SpendSettings = { alertsMicro: [], hardCapMicro: null };

const MAX_ALERTS = 5;
const MAX_MICRO = 10n ** 15n;

/** Everything that is wrong with the settings, field by field. */
export function spendIssues(settings: SpendSettings): Issue[] {
  const issues: Issue[] = [];
  const { alertsMicro, hardCapMicro } = settings;
  if (alertsMicro.length > MAX_ALERTS) issues.push(invalid(`Expected at most ${MAX_ALERTS} amounts.`, 'alertsUsd'));
  alertsMicro.forEach((amount, index) => {
    const path = ['alertsUsd', String(index)];
    if (!isAmount(amount)) issues.push(invalid('Expected an amount above 0, up to 1,000,000,000.', ...path));
    else if (alertsMicro.indexOf(amount) < index)
      issues.push(invalid(`${formatUsd(amount)} is listed twice.`, ...path));
  });
  if (hardCapMicro !== null && !isAmount(hardCapMicro)) {
    issues.push(invalid('Expected an amount above 0, up to 1,000,000,000, or null for no cap.', 'hardCapUsd'));
  }
  return issues;
}

export interface SpendEvent {
  readonly type: 'usage.threshold_reached';
  /** The same for the same threshold in the same month. */
  readonly dedupeKey: string;
  readonly summary: string;
  readonly data: {
    readonly period: string;
    readonly kind: 'ALERT' | 'HARD_CAP';
    readonly thresholdUsd: string;
    readonly chargeUsd: string;
  };
}

export interface SpendDecision {
  /** What is to be told; told already or not. */
  readonly events: readonly SpendEvent[];
  readonly isCapped: boolean;
}

/** What follows from a charge of the month so far. */
export function decideSpend(settings: SpendSettings, period: string, chargeMicro: bigint): SpendDecision {
  const isCapped = settings.hardCapMicro !== null && chargeMicro >= settings.hardCapMicro;
  const reached = settings.alertsMicro.filter((amount) => chargeMicro >= amount);
  const events = reached.map((amount) => eventOf('ALERT', amount, period, chargeMicro));
  if (isCapped) {
    events.push(eventOf('HARD_CAP', settings.hardCapMicro, period, chargeMicro));
  }
  return { events, isCapped };
}

function eventOf(kind: SpendEvent['data']['kind'], threshold: bigint, period: string, chargeMicro: bigint): SpendEvent {
  const [thresholdUsd, chargeUsd] = [formatUsd(threshold), formatUsd(chargeMicro)];
  const what = `The charges of ${period} have reached $${thresholdUsd}`;
  return {
    type: 'usage.threshold_reached',
    dedupeKey: `usage.threshold_reached|${period}|${kind}|${threshold}`,
    summary: kind === 'ALERT' ? `${what}.` : `${what}, your cap: marketing mail stops until the next month.`,
    data: { period, kind, thresholdUsd, chargeUsd },
  };
}

function isAmount(micro: bigint): boolean {
  return micro > 0n && micro <= MAX_MICRO;
}

function invalid(message: string, ...path: string[]): Issue {
  return { code: 'INVALID_INPUT', message, path };
}
