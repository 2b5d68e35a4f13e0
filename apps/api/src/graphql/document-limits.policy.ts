import {
  GraphQLError,
  Kind,
  OperationTypeNode,
  type ASTVisitor,
  type DocumentNode,
  type FragmentDefinitionNode,
  type OperationDefinitionNode,
  type SelectionSetNode,
  type ValidationContext,
} from 'graphql';
import { QUERY_LIMITS } from '../api.settings';

interface Measures {
  readonly aliases: number;
  readonly directives: number;
  readonly depth: number;
  readonly introspectionDepth: number;
  readonly rootFields: number;
  readonly mutations: number;
}

/**
 * Size of a document in the terms that cost us. Depth counts fields, not fragments: a client that splits a query into
 * fragments asks for no more. Each fragment is measured once, so that a bomb of fragments is as cheap as its text.
 */
export function measureDocument(document: DocumentNode): Measures {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);
  }
  const known = new Map<string, { plain: number; introspection: number }>();
  const open = new Set<string>();
  let aliases = 0;
  let directives = 0;

  const depthOf = (set: SelectionSetNode): { plain: number; introspection: number } => {
    let plain = 0;
    let introspection = 0;
    for (const selection of set.selections) {
      directives += selection.directives?.length ?? 0;
      if (selection.kind === Kind.FIELD) {
        if (selection.alias) aliases += 1;
        const below = selection.selectionSet ? depthOf(selection.selectionSet) : { plain: 0, introspection: 0 };
        const isIntrospection = selection.name.value === '__schema' || selection.name.value === '__type';
        introspection = Math.max(introspection, isIntrospection ? 1 + below.plain : below.introspection);
        plain = Math.max(plain, isIntrospection ? 1 : 1 + below.plain);
      } else {
        const below =
          selection.kind === Kind.INLINE_FRAGMENT
            ? depthOf(selection.selectionSet)
            : fragmentDepth(selection.name.value);
        plain = Math.max(plain, below.plain);
        introspection = Math.max(introspection, below.introspection);
      }
    }
    return { plain, introspection };
  };
  const fragmentDepth = (name: string): { plain: number; introspection: number } => {
    const measured = known.get(name);
    if (measured) return measured;
    const fragment = fragments.get(name);
    // A cycle is refused by graphql's own rule; here it only must not run for ever.
    if (!fragment || open.has(name)) return { plain: 0, introspection: 0 };
    open.add(name);
    const depth = depthOf(fragment.selectionSet);
    open.delete(name);
    known.set(name, depth);
    return depth;
  };

  const operations = document.definitions.filter((definition) => definition.kind === Kind.OPERATION_DEFINITION);
  const depths = operations.map((operation) => depthOf(operation.selectionSet));
  for (const name of fragments.keys()) fragmentDepth(name);
  for (const definition of document.definitions) {
    if (definition.kind === Kind.OPERATION_DEFINITION || definition.kind === Kind.FRAGMENT_DEFINITION) {
      directives += definition.directives?.length ?? 0;
    }
  }
  const roots = operations.map((operation) => ({ operation, fields: rootFieldCount(operation, fragments) }));
  return {
    aliases,
    directives,
    depth: Math.max(0, ...depths.map((depth) => depth.plain)),
    introspectionDepth: Math.max(0, ...depths.map((depth) => depth.introspection)),
    rootFields: Math.max(0, ...roots.map((root) => root.fields)),
    mutations: Math.max(
      0,
      ...roots.filter((root) => root.operation.operation === OperationTypeNode.MUTATION).map((root) => root.fields),
    ),
  };
}

/** Fields at the root after fragments; counting stops a little above the limit, so that a bomb costs nothing. */
function rootFieldCount(
  operation: OperationDefinitionNode,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
): number {
  const enough = QUERY_LIMITS.rootFields + 1;
  let visited = 0;
  let fields = 0;
  const walk = (set: SelectionSetNode, open: readonly string[]): void => {
    for (const selection of set.selections) {
      visited += 1;
      if (fields >= enough || visited > 5_000) {
        fields = enough;
        return;
      }
      if (selection.kind === Kind.FIELD) fields += 1;
      else if (selection.kind === Kind.INLINE_FRAGMENT) walk(selection.selectionSet, open);
      else {
        const fragment = fragments.get(selection.name.value);
        if (fragment && !open.includes(fragment.name.value))
          walk(fragment.selectionSet, [...open, fragment.name.value]);
      }
    }
  };
  walk(operation.selectionSet, []);
  return fields;
}

/** What is too much about a document, in a sentence, or nothing. */
export function excessOf(measures: Measures): string | undefined {
  const checks: readonly (readonly [number, number, string])[] = [
    [measures.depth, QUERY_LIMITS.depth, 'levels of fields'],
    [measures.introspectionDepth, QUERY_LIMITS.introspectionDepth, 'levels of introspection'],
    [measures.aliases, QUERY_LIMITS.aliases, 'aliases'],
    [measures.directives, QUERY_LIMITS.directives, 'directives'],
    [measures.rootFields, QUERY_LIMITS.rootFields, 'fields at the root'],
    [measures.mutations, QUERY_LIMITS.mutations, 'mutations in a document'],
  ];
  const over = checks.find(([found, limit]) => found > limit);
  return over
    ? `At most ${over[1]} ${over[2]}; found ${over[2] === 'fields at the root' ? 'more' : String(over[0])}.`
    : undefined;
}

/** The same as a validation rule, so that a refused document never reaches execution. */
export function documentLimits(context: ValidationContext): ASTVisitor {
  return {
    Document: {
      enter(document) {
        const excess = excessOf(measureDocument(document));
        if (excess !== undefined)
          context.reportError(new GraphQLError(excess, { extensions: { code: 'QUERY_TOO_COMPLEX' } }));
      },
    },
  };
}
