import type { ApolloServerPlugin, GraphQLRequestContextDidResolveOperation } from '@apollo/server';
import { getComplexity } from 'graphql-query-complexity';
import {
  type DocumentNode,
  GraphQLError,
  isObjectType,
  OperationTypeNode,
  TypeInfo,
  visit,
  visitWithTypeInfo,
  type GraphQLObjectType,
  type GraphQLSchema,
} from 'graphql';
import { QUERY_LIMITS } from '../api.settings';
import { accessOf, type Access } from '../auth/access.decorator';
import { mayUse, refusalText } from '../auth/access.policy';
import type { ApiContext, Principal } from '../auth/principal';
import { refusal } from './api.errors';
import type { CostBuckets } from './cost-bucket.service';
import { actualCost, costEstimator } from './query-cost.policy';

type Context = ApiContext<Principal, unknown>;

/** Whose bucket a principal spends from. */
export function bucketOwner(principal: Principal): string {
  return principal.kind === 'key' ? `key:${principal.keyId}` : `operator:${principal.operatorId}`;
}

/**
 * Everything decided between parsing and execution: may this caller use every field named, is the document within its
 * cost, are the points there. Nothing has run yet, so a refusal is an HTTP status and changes nothing.
 */
export function edgePlugin(buckets: CostBuckets): ApolloServerPlugin<Context> {
  return {
    requestDidStart: () =>
      Promise.resolve({
        didResolveOperation(request) {
          if (request.operation?.operation === OperationTypeNode.SUBSCRIPTION) {
            throw refusal('INVALID_INPUT', 'There are queries and mutations here, and no subscriptions.');
          }
          checkAccess(request);
          chargeCost(request, buckets);
          return Promise.resolve();
        },
        willSendResponse({ contextValue, response }) {
          const { body } = response;
          if (body.kind === 'single') {
            const { cost, principal, requestId } = contextValue;
            const owner = bucketOwner(principal);
            if (cost) {
              cost.actual = Math.min(cost.requested, Math.max(1, actualCost(body.singleResult.data)));
              buckets.giveBack(owner, cost.requested - cost.actual);
            }
            body.singleResult.extensions = {
              ...body.singleResult.extensions,
              requestId,
              cost: {
                requestedQueryCost: cost?.requested ?? 0,
                actualQueryCost: cost?.actual ?? 0,
                throttleStatus: buckets.status(owner),
              },
            };
          }
          return Promise.resolve();
        },
      }),
  };
}

interface Decided {
  readonly name: string;
  readonly access: Access | undefined;
}

/** What documents name, kept as long as Apollo keeps the parsed document and hands it out for the same text. */
const knownFields = new WeakMap<DocumentNode, readonly Decided[]>();

function checkAccess({ schema, document, contextValue }: GraphQLRequestContextDidResolveOperation<Context>): void {
  let fields = knownFields.get(document);
  if (!fields) {
    fields = decidedFields(schema, document);
    knownFields.set(document, fields);
  }
  const refused = fields.find(({ access }) => !mayUse(contextValue.principal, access));
  if (refused) throw refusal('FORBIDDEN', refusalText(refused.name, refused.access));
}

/** The fields of a document that somebody must be allowed to use: those of the roots, and every one with a decision of its own. */
function decidedFields(schema: GraphQLSchema, document: DocumentNode): Decided[] {
  const types = new TypeInfo(schema);
  const roots = rootsOf(schema);
  const fields: Decided[] = [];
  const look = visitWithTypeInfo(types, {
    Field() {
      const field = types.getFieldDef();
      const parent = types.getParentType();
      if (!field || !parent || field.name.startsWith('__')) return;
      const access = accessOf(field);
      // Below the root a field follows its parent, unless a decision of its own is written on it.
      if (roots.some((root) => root === parent) || access !== undefined)
        fields.push({ name: `${parent.name}.${field.name}`, access });
    },
  });
  visit(document, look);
  return fields;
}

function chargeCost(request: GraphQLRequestContextDidResolveOperation<Context>, buckets: CostBuckets): void {
  const { contextValue } = request;
  const requested = Math.max(1, Math.ceil(costOf(request)));
  if (requested > QUERY_LIMITS.cost) {
    throw refusal(
      'QUERY_TOO_COMPLEX',
      `This query may cost ${requested} points; at most ${QUERY_LIMITS.cost}. Ask for smaller pages.`,
    );
  }
  const owner = bucketOwner(contextValue.principal);
  const { retryAfterSeconds } = buckets.take(owner, requested);
  if (retryAfterSeconds > 0) {
    throw refusal(
      'RATE_LIMITED',
      `This query may cost ${requested} points and the key has fewer left. Retry in ${retryAfterSeconds} s.`,
      {
        'retry-after': String(retryAfterSeconds),
      },
    );
  }
  contextValue.cost = { requested, actual: requested };
}

/** Costs of documents that came before: Apollo hands out the same parsed document for the same text. */
const knownCosts = new WeakMap<DocumentNode, Map<string, number>>();
const MAX_VARIANTS = 100;
const PLAIN: readonly string[] = ['number', 'boolean'];

/**
 * The cost of a document follows from its text, its page sizes and its switches. Input objects change nothing about it, and reading a batch of a thousand messages only for that would be dear.
 */
function costOf(context: GraphQLRequestContextDidResolveOperation<Context>): number {
  const { document, request } = context;
  const plain = Object.entries(request.variables ?? {}).filter(([, value]) => PLAIN.includes(typeof value));
  const name = JSON.stringify([request.operationName, plain]);
  const variants = knownCosts.get(document) ?? new Map<string, number>();
  const known = variants.get(name);
  if (known !== undefined) return known;
  const cost = measuredCost(context);
  if (cost === undefined) return 1;
  if (variants.size >= MAX_VARIANTS) variants.clear();
  knownCosts.set(document, variants.set(name, cost));
  return cost;
}

/** Undefined for a variable that cannot be coerced: execution refuses it with the field's name, and before anything runs. */
function measuredCost({
  schema,
  document,
  request,
}: GraphQLRequestContextDidResolveOperation<Context>): number | undefined {
  try {
    return getComplexity({
      schema,
      query: document,
      variables: request.variables ?? {},
      ...(request.operationName === undefined ? {} : { operationName: request.operationName }),
      estimators: [costEstimator],
    });
  } catch (error) {
    if (error instanceof GraphQLError && /maximum allowed number of nodes/.test(error.message)) {
      throw refusal('QUERY_TOO_COMPLEX', 'This query names too many fields.');
    }
    return undefined;
  }
}

/** Fields of the roots that nobody wrote an access decision for. A server with one of those does not start. */
export function undecidedFields(schema: GraphQLSchema): string[] {
  return rootsOf(schema).flatMap((root) =>
    Object.values(root.getFields())
      .filter((field) => accessOf(field) === undefined)
      .map((field) => `${root.name}.${field.name}`),
  );
}

function rootsOf(schema: GraphQLSchema): GraphQLObjectType[] {
  return [schema.getQueryType(), schema.getMutationType()].filter((root) => isObjectType(root));
}
