import type { Issue } from '@libs/kernel';
import { CARDS, SKUS, type CardRate, type StoredRate } from './rate-card.policy';

/** The largest amount of a bigint column; far above any price. */
const MOST = 10n ** 15n;

/**
 * Everything that is wrong with a price that is to be added, field by field.
 * @param open the first moment that is not part of a month closed for ever; undefined = every moment
 */
export function newRateIssues(wanted: CardRate, stored: readonly StoredRate[], open: Date | undefined): Issue[] {
  const issues: Issue[] = [];
  const wrong = (field: keyof CardRate, message: string) => {
    issues.push({ code: 'INVALID_INPUT', message, path: [field] });
  };
  const known = {
    card: new Set([...Object.values(CARDS), ...stored.map((rate) => rate.card)]),
    sku: new Set([...Object.values(SKUS), ...stored.map((rate) => rate.sku)]),
  };
  for (const field of ['card', 'sku'] as const) {
    // A price that nothing is reckoned with would leave the gap that it is meant to fill.
    if (!known[field].has(wanted[field])) wrong(field, `Expected one of ${[...known[field]].sort().join(', ')}.`);
  }
  if (wanted.source.trim() === '' || wanted.source.length > 500)
    wrong('source', 'Expected where the price is published.');
  if (wanted.amountMicro < 0n || wanted.amountMicro > MOST)
    wrong('amountMicro', `Expected 0 to ${MOST} micro-dollars.`);
  if (wanted.perUnits < 1n || wanted.perUnits > MOST) wrong('perUnits', `Expected 1 to ${MOST} units.`);
  if (wanted.tierFrom < 0n || wanted.tierFrom > MOST) wrong('tierFrom', `Expected 0 to ${MOST} units.`);
  issues.push(...momentIssues('validFrom', wanted.validFrom, open));
  if (wanted.validTo !== null) {
    issues.push(...momentIssues('validTo', wanted.validTo, open));
    if (wanted.validTo <= wanted.validFrom) wrong('validTo', 'Expected a time after the price begins.');
  }
  const other = stored.find((rate) => samePlace(rate, wanted) && overlaps(rate, wanted));
  if (other) {
    const until = other.validTo?.toISOString() ?? 'further notice';
    issues.push({
      code: 'CONFLICT',
      message: `A price is in force from ${other.validFrom.toISOString()} until ${until}: end it first.`,
      path: ['validFrom'],
    });
  }
  return issues;
}

/** Everything that is wrong with ending a price at that moment. */
export function endIssues(rate: StoredRate, validTo: Date, open: Date | undefined): Issue[] {
  if (rate.validTo !== null) {
    return [{ code: 'CONFLICT', message: 'This price has an end already.', path: ['validTo'] }];
  }
  const issues = momentIssues('validTo', validTo, open);
  if (validTo <= rate.validFrom) {
    issues.push({ code: 'INVALID_INPUT', message: 'Expected a time after the price begins.', path: ['validTo'] });
  }
  return issues;
}

/** Usage is known by the day, so prices change with one; and what is closed for ever keeps its prices. */
function momentIssues(field: 'validFrom' | 'validTo', at: Date, open: Date | undefined): Issue[] {
  if (!at.toISOString().endsWith('T00:00:00.000Z')) {
    return [{ code: 'INVALID_INPUT', message: 'Expected the beginning of a day in UTC.', path: [field] }];
  }
  if (open !== undefined && at < open) {
    const message = `Expected ${open.toISOString()} or later: the months before are final.`;
    return [{ code: 'INVALID_INPUT', message, path: [field] }];
  }
  return [];
}

function samePlace(a: CardRate, b: CardRate): boolean {
  return a.card === b.card && a.sku === b.sku && a.tierFrom === b.tierFrom;
}

function overlaps(a: CardRate, b: CardRate): boolean {
  return (b.validTo === null || a.validFrom < b.validTo) && (a.validTo === null || b.validFrom < a.validTo);
}
