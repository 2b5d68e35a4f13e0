import { isUtf8 } from 'node:buffer';
import { UnitOfWork } from '@libs/database';
import { Log } from '@libs/observability';
import { ApiKeyService, OperatorKeyService, type KeyPrincipal, type OperatorPrincipal } from '@libs/tenancy';
import { Injectable } from '@nestjs/common';
import type { NextFunction, Request, Response } from 'express';
import { ApiSettings, BODY_LIMIT, QUERY_LIMITS, SEND_BODY_LIMIT } from '../api.settings';
import type { Role, Scope } from '../auth/access.decorator';
import { mayUse } from '../auth/access.policy';
import { factsOf, rememberFacts, type Principal } from '../auth/principal';
import { CostBuckets } from '../graphql/cost-bucket.service';
import { bucketOwner } from '../graphql/edge.plugin';
import { sendRefusal } from './error.body';
import { HttpRefusal } from './http.errors';
import { isWithinShape } from './json-shape.policy';
import { readBody } from './read-body';
import { withinRequest } from './request.scope';

export type Endpoint = 'customer' | 'admin';

/** The name of the scheme is read in any case (RFC 9110, 11.1). */
const BEARER = /^Bearer +([A-Za-z0-9_]{1,128})$/i;

/**
 * Everything that happens to a GraphQL request before GraphQL sees it, in this order: who asks, may they ask here, have
 * they points left, and only then is a byte of the body read. Guards would come too late: introspection and
 * `__typename` never meet them (SECURITY.md 1.4, 7).
 */
@Injectable()
export class GraphqlEdge {
  private readonly strangers: CostBuckets;

  constructor(
    private readonly uow: UnitOfWork,
    private readonly keys: ApiKeyService,
    private readonly operators: OperatorKeyService,
    private readonly buckets: CostBuckets,
    private readonly settings: ApiSettings,
    private readonly log: Log,
  ) {
    this.strangers = new CostBuckets(settings.strangers);
  }

  handle(endpoint: Endpoint, request: Request, response: Response, next: NextFunction): void {
    const { requestId } = factsOf(request);
    // An answer is for whoever asked, and for now.
    response.setHeader('cache-control', 'no-store');
    this.admit(endpoint, request).then(
      ({ principal, body }) => {
        request.body = body;
        const facts = { requestId, principal };
        rememberFacts(request, facts);
        withinRequest(facts, () => {
          if (principal.kind === 'key') this.uow.confine(principal.tenantId, next);
          else next();
        });
      },
      (error: unknown) => {
        const refused =
          error instanceof HttpRefusal
            ? error
            : new HttpRefusal(
                503,
                'INTERNAL',
                `The service cannot answer now. Quote ${requestId} when you ask about it.`,
                { 'retry-after': '5' },
              );
        if (refused !== error) this.log.error('a request could not be admitted', { requestId, error });
        sendRefusal(response, refused, { requestId, docsUrl: this.settings.docsUrl(refused.code) });
      },
    );
  }

  /**
   * Lets in a request beside GraphQL: the key of a tenant that may do this, with so many points left.
   * @throws HttpRefusal 401, 403 or 429
   */
  async admitKey(request: Request, scope: Scope, points: number): Promise<KeyPrincipal> {
    const principal = await this.authenticate(request);
    if (principal.kind !== 'key' || !principal.scopes.includes(scope)) {
      throw new HttpRefusal(403, 'FORBIDDEN', `This address needs an API key with the scope "${scope}".`);
    }
    rememberFacts(request, { requestId: factsOf(request).requestId, principal });
    const { retryAfterSeconds } = this.buckets.take(bucketOwner(principal), points);
    if (retryAfterSeconds > 0) throw rateLimited(retryAfterSeconds);
    return principal;
  }

  private async admit(endpoint: Endpoint, request: Request): Promise<{ principal: Principal; body: unknown }> {
    const principal = await this.authenticate(request);
    if ((principal.kind === 'operator') !== (endpoint === 'admin')) {
      const other =
        endpoint === 'admin' ? 'an operator key (pf_adm_...)' : 'an API key of a tenant (pf_live_... or pf_test_...)';
      throw new HttpRefusal(403, 'FORBIDDEN', `This endpoint needs ${other}.`);
    }
    const wait = this.buckets.peek(bucketOwner(principal), 1);
    if (wait > 0) throw rateLimited(wait);
    if (request.method !== 'POST') throw new HttpRefusal(405, 'INVALID_INPUT', 'Use POST.', { allow: 'POST' });
    const type = (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase();
    if (type !== 'application/json')
      throw new HttpRefusal(415, 'INVALID_INPUT', 'Content-Type must be application/json.');
    const sends = principal.kind === 'key' && principal.scopes.includes('send');
    return { principal, body: parseJson(await readBody(request, sends ? SEND_BODY_LIMIT : BODY_LIMIT)) };
  }

  /**
   * Lets in a request beside GraphQL: an operator of this role or a higher one, with so many points left.
   * @throws HttpRefusal 401, 403 or 429; the connection closes then, because a body may follow that nobody reads
   */
  async admitOperator(request: Request, role: Role, points: number): Promise<OperatorPrincipal> {
    const principal = await this.authenticate(request);
    if (principal.kind !== 'operator' || !mayUse(principal, { role })) {
      throw new HttpRefusal(
        403,
        'FORBIDDEN',
        `This address needs an operator key (pf_adm_...) with the role ${role} or a higher one.`,
        { connection: 'close' },
      );
    }
    rememberFacts(request, { requestId: factsOf(request).requestId, principal });
    const { retryAfterSeconds } = this.buckets.take(bucketOwner(principal), points);
    if (retryAfterSeconds > 0) throw rateLimited(retryAfterSeconds);
    return principal;
  }

  private async authenticate(request: Request): Promise<Principal> {
    const key = BEARER.exec(request.headers.authorization ?? '')?.[1];
    const principal = key === undefined ? undefined : await this.principalOf(key);
    if (principal) return principal;
    // A known key is never held up by somebody else's wrong ones behind the same address.
    // Taken after the look-up, so that many guesses at once cannot all find the same point.
    const { retryAfterSeconds } = this.strangers.take(`ip:${request.socket.remoteAddress ?? 'unknown'}`, 1);
    if (retryAfterSeconds > 0) throw rateLimited(retryAfterSeconds);
    throw new HttpRefusal(
      401,
      'UNAUTHENTICATED',
      key === undefined
        ? 'Send your key as "Authorization: Bearer <key>".'
        : 'This key is unknown, revoked or expired.',
      { 'www-authenticate': 'Bearer realm="postfleet"' },
    );
  }

  private principalOf(key: string): Promise<Principal | undefined> {
    return key.startsWith('pf_adm_') ? this.operators.authenticate(key) : this.keys.authenticate(key);
  }
}

function rateLimited(seconds: number): HttpRefusal {
  return new HttpRefusal(429, 'RATE_LIMITED', `Too many requests. Retry in ${seconds} s.`, {
    'retry-after': String(seconds),
  });
}

function parseJson(bytes: Buffer): unknown {
  // Read all the same, each letter of another encoding would be a replacement character in the mail that leaves.
  if (!isUtf8(bytes)) throw new HttpRefusal(400, 'INVALID_INPUT', 'The body is not UTF-8, as JSON must be.');
  let body: unknown;
  try {
    body = JSON.parse(bytes.toString('utf8'));
  } catch {
    // Also what a body nested too deeply for the parser ends in.
    throw new HttpRefusal(400, 'INVALID_INPUT', 'The body is not valid JSON.');
  }
  if (typeof body !== 'object' || body === null)
    throw new HttpRefusal(400, 'INVALID_INPUT', 'The body must be a JSON object with "query".');
  if (Array.isArray(body))
    throw new HttpRefusal(
      400,
      'INVALID_INPUT',
      'Batches of operations are not accepted: send one operation per request.',
    );
  if (!isWithinShape(body, QUERY_LIMITS.jsonDepth, QUERY_LIMITS.jsonNodes)) {
    throw new HttpRefusal(
      400,
      'QUERY_TOO_COMPLEX',
      `The body nests deeper than ${QUERY_LIMITS.jsonDepth} levels or has more than ${QUERY_LIMITS.jsonNodes} values.`,
    );
  }
  return body;
}
