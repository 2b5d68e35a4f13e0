import { ApolloServerPluginCacheControlDisabled } from '@apollo/server/plugin/disabled';
import type { ApolloDriverConfig } from '@nestjs/apollo';
import { pruneSchema } from '@graphql-tools/utils';
import type { Log } from '@libs/observability';
import { lexicographicSortSchema, type GraphQLSchema } from 'graphql';
import { QUERY_LIMITS, type ApiSettings } from '../api.settings';
import { currentRequestId } from '../http/request.scope';
import type { CostBuckets } from './cost-bucket.service';
import { documentLimits } from './document-limits.policy';
import { edgePlugin, undecidedFields } from './edge.plugin';
import { formatApiError } from './format-error.policy';

/** The schema as it is served and committed: nothing in it that no field leads to, every root field decided. */
export function finishSchema(schema: GraphQLSchema): GraphQLSchema {
  const finished = lexicographicSortSchema(pruneSchema(schema));
  const undecided = undecidedFields(finished);
  if (undecided.length > 0)
    throw new Error(`no access decision (RequiresScope, RequiresRole) for: ${undecided.join(', ')}`);
  return finished;
}

/** What both endpoints have in common: limits, errors, and everything that is off. */
export function apolloOptions(parts: {
  settings: ApiSettings;
  buckets: CostBuckets;
  log: Log;
}): Omit<ApolloDriverConfig, 'driver'> {
  const { settings, buckets, log } = parts;
  return {
    autoSchemaFile: true,
    transformSchema: finishSchema,
    // Off: GET (the edge takes POST only), batches, automatic persisted queries, the landing page, stack traces.
    allowBatchedHttpRequests: false,
    persistedQueries: false,
    playground: false,
    graphiql: false,
    includeStacktraceInErrorResponses: false,
    csrfPrevention: true,
    // Whoever gets here has shown a key of this endpoint.
    introspection: true,
    parseOptions: { maxLexicalTokens: QUERY_LIMITS.tokens },
    maxRecursiveSelections: QUERY_LIMITS.recursiveSelections,
    validationRules: [documentLimits],
    // Without the cache-control plugin, which looks at every field that is resolved to find that nothing may be cached.
    plugins: [edgePlugin(buckets), ApolloServerPluginCacheControlDisabled()],
    autoTransformHttpErrors: false,
    formatError: (formatted, error) => {
      const requestId = currentRequestId();
      const { shown, fault } = formatApiError(formatted, error, {
        requestId,
        docsUrl: (code) => settings.docsUrl(code),
      });
      if (fault !== undefined)
        log.error('a resolver failed', { requestId, path: formatted.path?.join('.'), error: fault });
      return shown;
    },
  };
}
