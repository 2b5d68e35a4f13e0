import { RateCardConflict, RateCardService } from '@libs/billing';
import { Log } from '@libs/observability';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { NextFunction, Request, Response } from 'express';
import helmet from 'helmet';
import { ADMIN_PATH, ApiModule, CUSTOMER_PATH, type ApiOptions } from './api.module';
import { factsOf, rememberFacts } from './auth/principal';
import { EdgeAdapter } from './http/edge.adapter';
import { GraphqlEdge } from './http/graphql-edge.middleware';
import { requestIdFor } from './http/request-id.policy';

/** The whole api, ready to listen. The program and its tests make it here, so that both have the same edge. */
export async function createApi(options: ApiOptions): Promise<NestExpressApplication> {
  const app = await NestFactory.create<NestExpressApplication>(
    ApiModule.forRoot(options),
    new EdgeAdapter(options.settings),
    {
      // Bodies are read by the edge, after authentication, with the limit of the key.
      bodyParser: false,
      logger: options.resources.log,
      abortOnError: false,
    },
  );
  app.disable('x-powered-by');
  // Answers to POST are never asked for again by their hash, and hashing those of batches costs.
  app.disable('etag');
  app.use(
    helmet({
      contentSecurityPolicy: { useDefaults: false, directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] } },
    }),
  );
  app.use((request: Request, response: Response, next: NextFunction) => {
    const requestId = requestIdFor(request.get('request-id') ?? request.get('x-request-id'));
    rememberFacts(request, { requestId });
    response.setHeader('Request-Id', requestId);
    next();
  });
  const log = app.get(Log);
  app.use((request: Request, response: Response, next: NextFunction) => {
    const startedAt = performance.now();
    response.once('finish', () => {
      const { requestId, principal } = factsOf(request);
      const who =
        principal?.kind === 'key'
          ? { tenant: principal.tenantId, key: principal.keyId }
          : { operator: principal?.operatorId };
      log.debug('answered', {
        requestId,
        ...who,
        method: request.method,
        path: request.path,
        status: response.statusCode,
        ms: Math.round(performance.now() - startedAt),
      });
    });
    next();
  });
  const edge = app.get(GraphqlEdge);
  app.use(ADMIN_PATH, (request: Request, response: Response, next: NextFunction) => {
    edge.handle('admin', request, response, next);
  });
  app.use(CUSTOMER_PATH, (request: Request, response: Response, next: NextFunction) => {
    edge.handle('customer', request, response, next);
  });
  await app.init();
  await seedRates(app, log);
  return app;
}

/** Prices come with the code. A stored price that differs was changed by somebody, and is not this program's to change back. */
async function seedRates(app: NestExpressApplication, log: Log): Promise<void> {
  try {
    await app.get(RateCardService).seed({ actor: 'api' });
  } catch (error) {
    if (!(error instanceof RateCardConflict)) throw error;
    log.error('the rate card of this version differs from the stored one; the stored one stays', { error });
  }
}
