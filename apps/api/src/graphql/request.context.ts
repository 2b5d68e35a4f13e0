import type { KeyPrincipal, OperatorPrincipal } from '@libs/tenancy';
import type { Request, Response } from 'express';
import { factsOf, type ApiContext } from '../auth/principal';

export type CustomerContext<Loaders> = ApiContext<KeyPrincipal, Loaders>;
export type AdminContext<Loaders> = ApiContext<OperatorPrincipal, Loaders>;

interface Exchange {
  readonly req: Request;
  readonly res: Response;
}

/** A request that reached GraphQL without passing the edge is a fault of ours, and gets nothing. */
export function customerContext<Loaders>(
  { req, res }: Exchange,
  loadersFor: (who: KeyPrincipal) => Loaders,
): CustomerContext<Loaders> {
  const { principal, requestId } = factsOf(req);
  if (principal?.kind !== 'key') throw new Error('the customer endpoint was reached without a key');
  return { req, res, requestId, principal, loaders: loadersFor(principal) };
}

export function adminContext<Loaders>({ req, res }: Exchange, loadersFor: () => Loaders): AdminContext<Loaders> {
  const { principal, requestId } = factsOf(req);
  if (principal?.kind !== 'operator') throw new Error('the admin endpoint was reached without an operator');
  return { req, res, requestId, principal, loaders: loadersFor() };
}
