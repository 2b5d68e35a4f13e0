import { GraphQLError, Kind, TokenKind, type Token } from 'graphql';

const OPENING: readonly TokenKind[] = [TokenKind.PAREN_L, TokenKind.BRACKET_L, TokenKind.BRACE_L];
const CLOSING: readonly TokenKind[] = [TokenKind.PAREN_R, TokenKind.BRACKET_R, TokenKind.BRACE_R];
const VALUES: readonly TokenKind[] = [
  TokenKind.NAME,
  TokenKind.INT,
  TokenKind.FLOAT,
  TokenKind.STRING,
  TokenKind.BLOCK_STRING,
];

/**
 * From the argument to the value that a document was refused for, where that is written into the document itself; empty where
 * it is none. graphql says where it stands in the text, and for variables only which field it is.
 */
export function literalPath(error: unknown): string[] {
  const node = error instanceof GraphQLError ? error.nodes?.[0] : undefined;
  const value = node?.kind === Kind.OBJECT_FIELD ? node.value : node;
  const path: string[] = [];
  let token = value?.kind.endsWith('Value') === true ? value.loc?.startToken.prev : null;
  while (token) {
    if (token.kind === TokenKind.COLON) {
      path.unshift(token.prev?.value ?? '');
      token = token.prev?.prev;
    }
    const { opening, before } = enclosing(token);
    if (!opening || opening.kind === TokenKind.PAREN_L) return path;
    if (opening.kind === TokenKind.BRACKET_L) path.unshift(String(before));
    token = opening.prev;
  }
  return path;
}

/** The bracket that a place in the document stands in, and how many values of a list stand before it there. */
function enclosing(from: Token | null | undefined): { opening: Token | null; before: number } {
  let before = 0;
  let depth = 0;
  let token = from ?? null;
  for (; token; token = token.prev) {
    if (OPENING.includes(token.kind)) {
      if (depth === 0) break;
      depth -= 1;
    }
    if (depth === 0 && (CLOSING.includes(token.kind) || VALUES.includes(token.kind))) before += 1;
    if (CLOSING.includes(token.kind)) depth += 1;
  }
  return { opening: token, before };
}
