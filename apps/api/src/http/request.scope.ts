import { AsyncLocalStorage } from 'node:async_hooks';
import type { RequestFacts } from '../auth/principal';

const current = new AsyncLocalStorage<RequestFacts>();

/** Runs the rest of a request so that code without a context argument (Apollo's formatError) can name it. */
export function withinRequest<T>(facts: RequestFacts, rest: () => T): T {
  return current.run(facts, rest);
}

export function currentRequestId(): string {
  return current.getStore()?.requestId ?? 'req_unknown';
}
