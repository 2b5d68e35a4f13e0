import type { Type } from '@nestjs/common';
import { ArgsType, Field, Int, ObjectType } from '@nestjs/graphql';
import { DomainError, type Page, type PageRequest } from '@libs/kernel';
import { PageInfo } from './words.type';

export const MAX_PAGE = 100;
export const DEFAULT_PAGE = 50;

export interface Edge<Node> {
  readonly cursor: string;
  readonly node: Node;
}

/** A Relay connection, as it travels from a resolver to GraphQL. */
export interface Connection<Node> {
  readonly edges: readonly Edge<Node>[];
  readonly nodes: readonly Node[];
  readonly pageInfo: PageInfo;
}

/** The edge and connection types of a node type: always the same shape. */
export function connectionType<Node>(
  node: () => Type<Node>,
  name: string,
  place: { registerIn: () => new () => object },
): Type<Connection<Node>> {
  @ObjectType(`${name}Edge`, { description: `One row of a ${name}Connection with its cursor.`, ...place })
  class EdgeType {
    @Field(() => String, { description: 'Opaque; hand it back as `after` or `before`.' })
    cursor!: string;

    @Field(() => node(), { description: 'The row itself.' })
    node!: Node;
  }

  @ObjectType(`${name}Connection`, { description: `A page of ${name} rows.`, ...place })
  class ConnectionType {
    @Field(() => [EdgeType], { description: 'Rows with their cursors.' })
    edges!: EdgeType[];

    @Field(() => [node()], { description: 'The rows without cursors.' })
    nodes!: Node[];

    @Field(() => PageInfo, { description: 'Where this page stands in its list.' })
    pageInfo!: PageInfo;
  }
  return ConnectionType;
}

@ArgsType()
export class ForwardPageArgs {
  @Field(() => Int, { nullable: true, defaultValue: DEFAULT_PAGE, description: 'How many rows, 1 to 100.' })
  first?: number | null;

  @Field(() => String, { nullable: true, description: 'Rows after this cursor.' })
  after?: string | null;
}

@ArgsType()
export class PageArgs {
  @Field(() => Int, {
    nullable: true,
    description: 'How many rows from the start, 1 to 100; 50 when neither `first` nor `last` is given.',
  })
  first?: number | null;

  @Field(() => String, { nullable: true, description: 'Rows after this cursor.' })
  after?: string | null;

  @Field(() => Int, { nullable: true, description: 'How many rows from the end, 1 to 100. Not together with `first`.' })
  last?: number | null;

  @Field(() => String, { nullable: true, description: 'Rows before this cursor.' })
  before?: string | null;
}

export interface PageWish {
  readonly first?: number | null | undefined;
  readonly after?: string | null | undefined;
  readonly last?: number | null | undefined;
  readonly before?: string | null | undefined;
}

function refuse(field: string, message: string): never {
  throw new DomainError({ code: 'INVALID_INPUT', message, path: [field] });
}

function countOf(field: string, value: number): number {
  if (value < 1 || value > MAX_PAGE) refuse(field, `\`${field}\` must be 1 to ${MAX_PAGE}; found ${value}.`);
  return value;
}

const CURSOR = /^[A-Za-z0-9_-]{1,400}$/;

/** The text behind a cursor. Cursors are opaque to clients, so anything we did not make is refused by name. */
function fromCursor(field: string, cursor: string): string {
  const text = CURSOR.test(cursor) ? Buffer.from(cursor, 'base64url').toString('utf8') : '';
  if (!text.startsWith('v1:')) refuse(field, `\`${field}\` must be a cursor of an earlier answer.`);
  return text.slice(3);
}

export function toCursor(position: string): string {
  return Buffer.from(`v1:${position}`).toString('base64url');
}

/** Ids are UUIDs, so these stand before the first and behind the last row of any list. */
const FIRST_ID = '00000000-0000-0000-0000-000000000000';
const LAST_ID = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

/** In which direction a list runs: what `last` without `before` means depends on it. */
export type ListOrder = 'oldest-first' | 'newest-first';

export interface PagePlan extends PageRequest {
  /** The page is the end of the list: nothing follows it. */
  readonly atEnd: boolean;
}

/**
 * What a service needs to find a page. `last` without `before` asks for the end of the list.
 * @throws DomainError INVALID_INPUT naming the argument.
 */
export function pageRequest(wish: PageWish, order: ListOrder): PagePlan {
  const backward = wish.last !== undefined && wish.last !== null;
  if (backward && wish.first !== undefined && wish.first !== null) refuse('last', 'Give `first` or `last`, not both.');
  if (backward && wish.after) refuse('after', '`after` goes with `first`, `before` with `last`.');
  if (!backward && wish.before) refuse('before', '`before` goes with `last`, `after` with `first`.');
  if (!backward) {
    const limit = countOf('first', wish.first ?? DEFAULT_PAGE);
    return { limit, atEnd: false, ...(wish.after ? { after: fromCursor('after', wish.after) } : {}) };
  }
  const end = order === 'oldest-first' ? LAST_ID : FIRST_ID;
  const before = wish.before ? fromCursor('before', wish.before) : end;
  return { limit: countOf('last', wish.last ?? 0), before, atEnd: !wish.before };
}

/** @param position what identifies the row's place in the list, in the words of the service that pages it. */
export function toConnection<Row, Node>(
  plan: PagePlan,
  page: Page<Row>,
  position: (row: Row) => string,
  map: (row: Row) => Node,
): Connection<Node> {
  const edges = page.rows.map((row) => ({ cursor: toCursor(position(row)), node: map(row) }));
  return {
    edges,
    nodes: edges.map((edge) => edge.node),
    pageInfo: {
      hasNextPage: page.hasNext && !plan.atEnd,
      hasPreviousPage: page.hasPrevious,
      startCursor: edges[0]?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
  };
}
