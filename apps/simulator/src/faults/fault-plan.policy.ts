import { chance } from '../chance/seeded-chance.policy';

export const FAULT_KINDS = [
  '429',
  '500',
  '503',
  'reset-before',
  'accept-then-reset',
  'accept-then-500',
  'accept-then-hang',
  'hang',
  'slow',
  'slow-body',
  'wrong-json',
  '429-entries',
  '429-operation',
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

export interface FaultRule {
  readonly id: number;
  /** Operation name, or the beginning of some and `*`: `Send*`, `*`. */
  readonly operation: string;
  readonly account?: string | undefined;
  readonly region?: string | undefined;
  readonly kind: FaultKind;
  /** How many requests it still hits; unlimited when absent. */
  count?: number | undefined;
  /** Fraction of matching requests; all when absent. */
  readonly rate?: number | undefined;
  /** Real time, milliseconds since the epoch. */
  readonly untilMs?: number | undefined;
  /** For `slow` and `slow-body`: real milliseconds added to the answer. */
  readonly delayMs?: number | undefined;
  hits: number;
}

/** Which requests go wrong, and how. The first rule that matches decides. */
export class FaultPlan {
  private rules: FaultRule[] = [];
  private nextId = 1;
  private draws = 0;

  constructor(private readonly seed: number) {}

  add(rule: Omit<FaultRule, 'id' | 'hits'>): FaultRule {
    const added = { ...rule, id: this.nextId, hits: 0 };
    this.nextId += 1;
    this.rules.push(added);
    return added;
  }

  clear(): void {
    this.rules = [];
  }

  list(): readonly FaultRule[] {
    return this.rules;
  }

  next(operation: string, account: string, region: string, nowMs: number): FaultRule | undefined {
    if (this.rules.length === 0) return undefined;
    this.rules = this.rules.filter((rule) => (rule.untilMs ?? Infinity) > nowMs && rule.count !== 0);
    const hit = this.rules.find(
      (rule) =>
        isMeant(rule.operation, operation) &&
        (rule.account ?? account) === account &&
        (rule.region ?? region) === region &&
        this.drawn(rule),
    );
    if (hit === undefined) return undefined;
    hit.hits += 1;
    if (hit.count !== undefined) hit.count -= 1;
    return hit;
  }

  private drawn(rule: FaultRule): boolean {
    if (rule.rate === undefined) return true;
    this.draws += 1;
    return chance(this.seed, `fault|${String(rule.id)}|${String(this.draws)}`) < rule.rate;
  }
}

function isMeant(pattern: string, operation: string): boolean {
  return pattern.endsWith('*') ? operation.startsWith(pattern.slice(0, -1)) : pattern === operation;
}

/** The verdict that a fault gives before the request is looked at; undefined when the request is carried out. */
export function refusalVerdict(kind: FaultKind): string | undefined {
  switch (kind) {
    case '429':
    case '429-operation':
      return 'TooManyRequestsException';
    case '500':
      return 'InternalFailure';
    case '503':
      return 'ServiceUnavailable';
    case 'reset-before':
    case 'hang':
      return kind;
    case 'accept-then-reset':
    case 'accept-then-500':
    case 'accept-then-hang':
    case 'slow':
    case 'slow-body':
    case 'wrong-json':
    case '429-entries':
      return undefined;
  }
}

/** How an injected fault shows in the arrival log; `verdict` is set when the request is refused because of it. */
export interface InjectedMark {
  readonly kind: string;
  readonly verdict?: string;
}
