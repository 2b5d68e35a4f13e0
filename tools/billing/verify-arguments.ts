import { parseArgs } from 'node:util';
import { UsageProblem } from '../local-stack/stack-problem';

export interface VerifyArguments {
  /** `YYYY-MM`; null: the month before this one, or October 2026 for a generated one. */
  readonly period: string | null;
  readonly json: boolean;
  /** Of the generated month. */
  readonly tenants: number;
  readonly messages: number;
  readonly seed: number;
  /** The invariant that a corruption of the generated month shall break; null: none. */
  readonly corrupt: number | null;
  /** Where the generated month is kept, when not in `.data`. */
  readonly data: string | null;
}

/** @throws UsageProblem naming the argument and what was expected */
export function parseVerifyArguments(args: readonly string[]): VerifyArguments {
  const { values } = parsed(args);
  const number = (name: 'tenants' | 'messages' | 'seed' | 'corrupt', least: number, most: number, usual: string) => {
    const text = values[name] ?? usual;
    const value = /^\d{1,9}$/.test(text) ? Number(text) : -1;
    if (value < least || value > most) {
      throw new UsageProblem(`--${name} must be a whole number from ${least} to ${most}, got "${text}"`);
    }
    return value;
  };
  if (values.period !== undefined && !/^20\d\d-(0[1-9]|1[0-2])$/.test(values.period)) {
    throw new UsageProblem(`--period must be a month as YYYY-MM, for example 2026-10, got "${values.period}"`);
  }
  return {
    period: values.period ?? null,
    json: values.json ?? false,
    tenants: number('tenants', 7, 100_000, '60'),
    messages: number('messages', 100, 10_000_000, '50000'),
    seed: number('seed', 0, 999_999_999, '1'),
    corrupt: values.corrupt === undefined ? null : number('corrupt', 1, 14, ''),
    data: values.data ?? null,
  };
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        period: { type: 'string' },
        json: { type: 'boolean' },
        tenants: { type: 'string' },
        messages: { type: 'string' },
        seed: { type: 'string' },
        corrupt: { type: 'string' },
        data: { type: 'string' },
      },
    });
  } catch (error) {
    const problem = error instanceof Error ? error.message.split('. ')[0] : String(error);
    throw new UsageProblem(`${problem}; --help lists the options`);
  }
}
