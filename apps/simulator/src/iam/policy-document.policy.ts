import { z } from 'zod';

const list = z.union([z.string(), z.array(z.string())]).transform((value) => (Array.isArray(value) ? value : [value]));
const conditionValue = z
  .union([z.string(), z.number(), z.boolean(), z.array(z.union([z.string(), z.number(), z.boolean()]))])
  .transform((value) => (Array.isArray(value) ? value : [value]).map(String));

const statement = z.object({
  Sid: z.string().optional(),
  Effect: z.enum(['Allow', 'Deny']),
  Principal: z.union([z.literal('*'), z.record(z.string(), list)]).optional(),
  Action: list.optional(),
  NotAction: list.optional(),
  Resource: list.optional(),
  NotResource: list.optional(),
  Condition: z.record(z.string(), z.record(z.string(), conditionValue)).optional(),
});

const document = z.object({
  Version: z.enum(['2012-10-17', '2008-10-17']).optional(),
  Id: z.string().optional(),
  Statement: z.union([statement, z.array(statement)]).transform((value) => (Array.isArray(value) ? value : [value])),
});

export type PolicyDocument = z.infer<typeof document>;
type Statement = z.infer<typeof statement>;

/** What is asked of a policy. Context keys are lower-case; a key may have several values (ses:Recipients). */
export interface AccessRequest {
  readonly action: string;
  readonly resource: string;
  readonly context: Readonly<Record<string, readonly string[]>>;
  /** Set for resource policies (role trust, topic policy): the names the caller answers to. */
  readonly principals?: { readonly AWS?: readonly string[]; readonly Service?: readonly string[] };
}

export type Decision = 'ALLOW' | 'EXPLICIT_DENY' | 'IMPLICIT_DENY';

/** Parses an IAM policy, or returns undefined when IAM would call it malformed. */
export function parsePolicy(text: string): PolicyDocument | undefined {
  try {
    const parsed = document.safeParse(JSON.parse(text));
    if (!parsed.success) return undefined;
    const sound = parsed.data.Statement.every(
      (one) => (one.Action !== undefined || one.NotAction !== undefined) && conditionsKnown(one),
    );
    return sound ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}

/** One deny decides; otherwise one allow is needed. */
export function evaluate(documents: readonly PolicyDocument[], request: AccessRequest): Decision {
  let allowed = false;
  for (const one of documents.flatMap((policy) => policy.Statement)) {
    if (!matches(one, request)) continue;
    if (one.Effect === 'Deny') return 'EXPLICIT_DENY';
    allowed = true;
  }
  return allowed ? 'ALLOW' : 'IMPLICIT_DENY';
}

function matches(one: Statement, request: AccessRequest): boolean {
  return (
    principalMatches(one, request) &&
    actionMatches(one, request.action) &&
    resourceMatches(one, request.resource) &&
    conditionsMatch(one, request.context)
  );
}

function principalMatches(one: Statement, request: AccessRequest): boolean {
  if (request.principals === undefined) return true;
  if (one.Principal === undefined) return false;
  if (one.Principal === '*') return true;
  const { AWS: aws = [], Service: service = [] } = request.principals;
  // Principals know no wildcards except the lone "*" (IAM): a trust policy names who it trusts.
  const named = (allowed: readonly string[] | undefined, names: readonly string[]): boolean =>
    (allowed ?? []).some((entry) => (entry === '*' && names.length > 0) || names.includes(entry));
  return named(one.Principal['AWS'], aws) || named(one.Principal['Service'], service);
}

function actionMatches(one: Statement, action: string): boolean {
  const lower = action.toLowerCase();
  const hit = (patterns: readonly string[]): boolean =>
    patterns.some((pattern) => wildcard(pattern.toLowerCase()).test(lower));
  if (one.NotAction !== undefined) return !hit(one.NotAction);
  return hit(one.Action ?? []);
}

function resourceMatches(one: Statement, resource: string): boolean {
  const hit = (patterns: readonly string[]): boolean => patterns.some((pattern) => wildcard(pattern).test(resource));
  if (one.NotResource !== undefined) return !hit(one.NotResource);
  // Trust policies have no Resource: the role itself is meant.
  return one.Resource === undefined || hit(one.Resource);
}

type Operator = (actual: string, expected: string) => boolean;

const OPERATORS: Readonly<Record<string, Operator>> = {
  StringEquals: (a, e) => a === e,
  StringEqualsIgnoreCase: (a, e) => a.toLowerCase() === e.toLowerCase(),
  StringLike: (a, e) => wildcard(e).test(a),
  ArnEquals: (a, e) => wildcard(e).test(a),
  ArnLike: (a, e) => wildcard(e).test(a),
  Bool: (a, e) => a.toLowerCase() === e.toLowerCase(),
};

interface ParsedOperator {
  readonly test: Operator;
  readonly negated: boolean;
  readonly ifExists: boolean;
  readonly quantifier: 'any' | 'all';
}

function parseOperator(text: string): ParsedOperator | undefined {
  const [, quantifier = '', rest = ''] = /^(ForAnyValue:|ForAllValues:)?(.+)$/.exec(text) ?? [];
  const ifExists = rest.endsWith('IfExists');
  const bare = ifExists ? rest.slice(0, -'IfExists'.length) : rest;
  const negated = bare.includes('Not');
  const test = OPERATORS[bare.replace('Not', '')];
  if (test === undefined) return undefined;
  return { test, negated, ifExists, quantifier: quantifier === 'ForAllValues:' ? 'all' : 'any' };
}

function conditionsKnown(one: Statement): boolean {
  return Object.keys(one.Condition ?? {}).every((name) => parseOperator(name) !== undefined);
}

function conditionsMatch(one: Statement, context: AccessRequest['context']): boolean {
  return Object.entries(one.Condition ?? {}).every(([name, tests]) => {
    const operator = parseOperator(name);
    return (
      operator !== undefined &&
      Object.entries(tests).every(([key, expected]) => holds(operator, context[key.toLowerCase()], expected))
    );
  });
}

function holds(operator: ParsedOperator, actual: readonly string[] | undefined, expected: readonly string[]): boolean {
  if (actual === undefined || actual.length === 0) {
    return operator.ifExists || operator.negated || operator.quantifier === 'all';
  }
  const one = (value: string): boolean => {
    const hit = expected.some((want) => operator.test(value, want));
    return operator.negated ? !hit : hit;
  };
  return operator.quantifier === 'all' || operator.negated ? actual.every(one) : actual.some(one);
}

const compiled = new Map<string, RegExp>();

function wildcard(pattern: string): RegExp {
  let regex = compiled.get(pattern);
  if (regex === undefined) {
    const source = pattern
      .replace(/[.+^${}()|[\]\\]/g, '\\$&')
      .replace(/\*+/g, '.*')
      .replace(/\?/g, '.');
    regex = new RegExp(`^${source}$`, 's');
    if (compiled.size > 5000) compiled.clear();
    compiled.set(pattern, regex);
  }
  return regex;
}
