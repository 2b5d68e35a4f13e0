import type { ComplexityEstimator } from 'graphql-query-complexity';
import { getNamedType, isCompositeType, isLeafType } from 'graphql';
import { DEFAULT_PAGE, MAX_PAGE } from './connection.type';

/** What a mutation costs beside the objects it answers. */
const MUTATION_COST = 2;

/** Rows a page argument may bring: clamped, because a negative or absurd `first` must not make a query look cheap. */
function pageFactor(args: Readonly<Record<string, unknown>>, takesPage: boolean): number {
  if (!takesPage) return 1;
  const asked = args['first'] ?? args['last'] ?? DEFAULT_PAGE;
  return typeof asked === 'number' && asked >= 1 && asked <= MAX_PAGE ? asked : MAX_PAGE;
}

/**
 * Objects cost one point, plain values nothing, a connection its page times what a row costs. `nodes` and `edges` of a
 * connection are free themselves: the page was charged where it was asked for.
 */
export const costEstimator: ComplexityEstimator = ({ args, childComplexity, field, type }) => {
  const named = getNamedType(field.type);
  if (type.name === 'Mutation') return MUTATION_COST + childComplexity;
  if (isLeafType(named)) return 0;
  if (type.name.endsWith('Connection') || type.name.endsWith('Edge')) {
    return field.name === 'pageInfo' ? 0 : Math.max(1, childComplexity + (field.name === 'edges' ? 0 : 1));
  }
  const takesPage = field.args.some((argument) => argument.name === 'first');
  if (takesPage) return 1 + pageFactor(args, true) * childComplexity;
  return isCompositeType(named) && !named.name.startsWith('__') ? 1 + childComplexity : childComplexity;
};

/** Objects in an answer: what it really cost. */
export function actualCost(data: unknown): number {
  let cost = 0;
  const stack: unknown[] = [data];
  while (stack.length > 0) {
    const value = stack.pop();
    if (Array.isArray(value)) for (const item of value as unknown[]) stack.push(item);
    else if (typeof value === 'object' && value !== null) {
      cost += 1;
      for (const child of Object.values(value) as unknown[]) stack.push(child);
    }
  }
  return cost;
}
