import type { KeyPrincipal, OperatorPrincipal } from '@libs/tenancy';
import type { Request, Response } from 'express';

export type Principal = KeyPrincipal | OperatorPrincipal;

/** What the edge knows about a request once it let it in. */
export interface RequestFacts {
  readonly requestId: string;
  readonly principal?: Principal;
}

const facts = new WeakMap<Request, RequestFacts>();

export function rememberFacts(request: Request, known: RequestFacts): void {
  facts.set(request, known);
}

/** The facts of a request; only a request that never met the edge has none. */
export function factsOf(request: Request): RequestFacts {
  return facts.get(request) ?? { requestId: 'req_unknown' };
}

/** What every resolver of both endpoints may rely on: who asks, and under which request id. */
export interface ApiContext<Who extends Principal, Loaders> {
  readonly req: Request;
  readonly res: Response;
  readonly requestId: string;
  readonly principal: Who;
  readonly loaders: Loaders;
  /** Set by the cost plugin before execution; the edge reports it with the answer. */
  cost?: QueryCost;
}

export interface QueryCost {
  readonly requested: number;
  actual: number;
}
