import type { z } from 'zod';
import type { Caller } from '../iam/caller.policy';
import type { RegionState } from '../state/simulator.state';
import { badRequest } from '../wire/aws.errors';
import type { WireRequest } from '../wire/http.request';

/** One authenticated SESv2 request, with the state of the (account, region) it is for. */
export interface SesCall {
  readonly caller: Caller;
  readonly accountId: string;
  readonly region: string;
  readonly state: RegionState;
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly request: WireRequest;
}

export interface SesRoute {
  readonly operation: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** As in the SDK's schema, with {placeholders}. */
  readonly path: string;
  /** What the permission is asked on: the part after `arn:aws:ses:<region>:<account>:`, or `*`. */
  readonly resource?: (call: SesCall) => string;
  readonly handle: (call: SesCall) => unknown;
}

export function sesArn(call: SesCall, suffix: string): string {
  return suffix === '*' ? '*' : `arn:aws:ses:${call.region}:${call.accountId}:${suffix}`;
}

/** The JSON body through its schema; anything else is AWS's validation error. Unknown members are ignored, as at AWS. */
export function bodyOf<T>(call: SesCall, schema: z.ZodType<T>): T {
  let value: unknown;
  try {
    value = call.request.body.length === 0 ? {} : JSON.parse(call.request.body.toString('utf8'));
  } catch {
    throw badRequest('Could not parse the request body as JSON.');
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const where = issue?.path.map(String).join('.') ?? '';
  throw badRequest(
    `1 validation error detected: Value at '${where}' failed to satisfy constraint: ${issue?.message ?? 'is invalid'}`,
  );
}

export function param(call: SesCall, name: string): string {
  return call.params[name] ?? '';
}

/** A page of a list: the token is the index of the next entry. */
export function pageOf<T>(call: SesCall, items: readonly T[]): { items: T[]; next: { NextToken?: string } } {
  const body = call.request.method === 'POST' ? pagingBody(call) : undefined;
  const token = Number(body?.NextToken ?? call.query.get('NextToken') ?? 0);
  const size = Number(body?.PageSize ?? call.query.get('PageSize') ?? 1000);
  if (!Number.isInteger(token) || token < 0) throw badRequest('The NextToken is invalid.');
  if (!Number.isInteger(size) || size < 1) throw badRequest('PageSize must be a positive number.');
  const end = token + Math.min(size, 1000);
  return { items: items.slice(token, end), next: end < items.length ? { NextToken: String(end) } : {} };
}

function pagingBody(call: SesCall): { NextToken?: string; PageSize?: number } {
  try {
    const value: unknown = JSON.parse(call.request.body.toString('utf8') || '{}');
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}

/** restJson1 timestamps are seconds. */
export function epochSeconds(ms: number): number {
  return Math.round(ms) / 1000;
}
