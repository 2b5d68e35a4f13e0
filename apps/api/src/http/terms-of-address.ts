import { beneath, DomainError } from '@libs/kernel';
import type { PriceTerms } from '@libs/plans';
import { toPriceTerms } from '../admin/plan/plan-price.mapping';

interface Asked {
  readonly period: string;
  readonly planId: string | null;
  readonly terms: PriceTerms;
}

const KNOWN = [
  'period',
  'planId',
  'baseFee',
  'includedRecipients',
  'overage',
  'dedicatedIpFee',
  'minimum',
  'monotone',
] as const;

/**
 * The terms of a what-if in the parameters of an address, named as in `PlanTermsInput`; tiers are `overage=<from>:<price>[:<per>]`,
 * as often as there are tiers.
 * @throws DomainError INVALID_INPUT naming the parameter
 */
export function termsOfAddress(parameters: object): Asked {
  const given = new Map(Object.entries(parameters) as [string, unknown][]);
  const stranger = [...given.keys()].find((name) => !KNOWN.some((one) => one === name));
  if (stranger !== undefined) throw wrong([stranger], `Expected ${KNOWN.join(', ')}.`);
  const text = (name: (typeof KNOWN)[number]): string | undefined => {
    const value = given.get(name);
    if (value === undefined || typeof value === 'string') return value;
    throw wrong([name], 'Expected it once.');
  };
  return {
    period: text('period') ?? '',
    planId: text('planId') ?? null,
    terms: beneath('terms', () =>
      toPriceTerms({
        baseFee: text('baseFee') ?? '0',
        includedRecipients: countOf(text('includedRecipients') ?? '0', ['includedRecipients']),
        overage: [given.get('overage') ?? []].flat().map(tierOf),
        dedicatedIpFee: text('dedicatedIpFee') ?? '0',
        minimum: text('minimum') ?? '0',
        monotone: truthOf(text('monotone') ?? 'true', ['monotone']),
      }),
    ),
  };
}

function tierOf(value: unknown, index: number): { from: bigint; price: string; per: bigint } {
  const at = ['overage', String(index)];
  const [from = '', price, per = '1000', ...more] = typeof value === 'string' ? value.split(':') : [];
  if (price === undefined || more.length > 0) {
    throw wrong(at, 'Expected <from>:<price> or <from>:<price>:<per>, for example "0:0.40:1000".');
  }
  return { from: countOf(from, [...at, 'from']), price, per: countOf(per, [...at, 'per']) };
}

function truthOf(text: string, path: readonly string[]): boolean {
  if (text !== 'true' && text !== 'false') throw wrong(path, 'Expected true or false.');
  return text === 'true';
}

function countOf(text: string, path: readonly string[]): bigint {
  if (!/^\d{1,16}$/.test(text)) throw wrong(path, 'Expected a whole number.');
  return BigInt(text);
}

function wrong(path: readonly string[], message: string): DomainError {
  return new DomainError({ code: 'INVALID_INPUT', message, path });
}
