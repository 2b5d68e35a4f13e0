import {
  getNamedType,
  isCompositeType,
  isInputObjectType,
  isLeafType,
  isListType,
  isNonNullType,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLObjectType,
} from 'graphql';

/** Values by the name of their type; anything valid in form will do. */
const LEAVES: Readonly<Record<string, string>> = {
  ID: '"ten_00000000000000000000000000"',
  String: '"x"',
  Int: '1',
  Boolean: 'true',
  BigInt: '"1"',
  Decimal: '"1"',
  DateTime: '"2026-11-01T00:00:00Z"',
  EmailAddress: '"ann@example.com"',
  InDoubtPolicy: 'AT_LEAST_ONCE',
  Stream: 'TRANSACTIONAL',
  Mode: 'TEST',
  TestMailbox: 'SUCCESS',
  FeeShare: 'EVEN',
  IdleShare: 'PLATFORM',
  MarginView: 'TENANT',
  MessageState: 'QUEUED',
  JSON: '{}',
};

export type Replace = (path: readonly string[]) => string | undefined;

/**
 * The smallest document that calls a root field: required arguments only, plus those that `replace` gives a literal for.
 * @param replace a literal for the input at this path, for instance ["input", "id"]
 */
export function sampleOperation(
  root: GraphQLObjectType,
  field: GraphQLField<unknown, unknown>,
  selection?: string,
  replace: Replace = () => undefined,
): string {
  const given = field.args.flatMap((argument) => {
    const literal = literalOf(argument.type, [argument.name], replace);
    return literal === undefined ? [] : [`${argument.name}: ${literal}`];
  });
  const args = given.length === 0 ? '' : `(${given.join(', ')})`;
  const body = isCompositeType(getNamedType(field.type)) ? ` { ${selection ?? '__typename'} }` : '';
  return `${root.name === 'Mutation' ? 'mutation' : 'query'} { ${field.name}${args}${body} }`;
}

function literalOf(type: GraphQLInputType, path: readonly string[], replace: Replace): string | undefined {
  const own = replace(path);
  if (own !== undefined) return own;
  const required = isNonNullType(type);
  const inner = required ? type.ofType : type;
  if (isListType(inner)) {
    const item = literalOf(inner.ofType, [...path, '0'], replace);
    const wanted = replace([...path, '0']) !== undefined;
    return required || wanted ? `[${item ?? ''}]` : undefined;
  }
  if (isInputObjectType(inner)) {
    const fields = Object.values(inner.getFields());
    const chosen = inner.isOneOf
      ? fields.filter((one) => holds(one.type, [...path, one.name], replace)).slice(0, 1)
      : fields;
    const asked = inner.isOneOf && chosen.length === 0 ? fields.slice(0, 1) : chosen;
    const parts = asked.flatMap((one) => {
      const literal =
        literalOf(one.type, [...path, one.name], replace) ??
        (inner.isOneOf ? forced(one.type, [...path, one.name], replace) : undefined);
      return literal === undefined ? [] : [`${one.name}: ${literal}`];
    });
    const wanted = fields.some((one) => holds(one.type, [...path, one.name], replace));
    return required || wanted ? `{ ${parts.join(', ')} }` : undefined;
  }
  return required && isLeafType(inner) ? leaf(inner.name) : undefined;
}

function forced(type: GraphQLInputType, path: readonly string[], replace: Replace): string | undefined {
  if (isListType(type)) return `[${literalOf(type.ofType, [...path, '0'], replace) ?? ''}]`;
  if (isInputObjectType(type)) {
    const parts = Object.values(type.getFields()).flatMap((one) => {
      const literal = literalOf(one.type, [...path, one.name], replace);
      return literal === undefined ? [] : [`${one.name}: ${literal}`];
    });
    return `{ ${parts.join(', ')} }`;
  }
  return isLeafType(type) ? leaf(type.name) : undefined;
}

/** Whether `replace` gives something at this place or below it. */
function holds(type: GraphQLInputType, path: readonly string[], replace: Replace): boolean {
  if (replace(path) !== undefined) return true;
  const inner = isNonNullType(type) ? type.ofType : type;
  if (isListType(inner)) return holds(inner.ofType, [...path, '0'], replace);
  if (!isInputObjectType(inner)) return false;
  return Object.values(inner.getFields()).some((one) => holds(one.type, [...path, one.name], replace));
}

function leaf(name: string): string {
  const literal = LEAVES[name];
  if (literal === undefined) throw new Error(`no sample value for ${name}: add one`);
  return literal;
}

/** Every place below a field's arguments that takes an ID, for instance "input.ids.0". */
export function idPaths(field: GraphQLField<unknown, unknown>): string[] {
  const found: string[] = [];
  const walk = (type: GraphQLInputType, path: readonly string[], seen: readonly string[]): void => {
    const inner = isNonNullType(type) ? type.ofType : type;
    if (isListType(inner)) walk(inner.ofType, [...path, '0'], seen);
    else if (isInputObjectType(inner)) {
      if (seen.includes(inner.name)) return;
      for (const one of Object.values(inner.getFields())) walk(one.type, [...path, one.name], [...seen, inner.name]);
    } else if (inner.name === 'ID') found.push(path.join('.'));
  };
  for (const argument of field.args) walk(argument.type, [argument.name], []);
  return found;
}
