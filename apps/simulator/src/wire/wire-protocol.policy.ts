import { AwsError } from './aws.errors';
import type { WireProtocol } from './http.answer';
import type { WireRequest } from './http.request';

/**
 * The protocol a client speaks, read from the request itself: a service that is not simulated must be refused in a form
 * its client can parse, or the client reports broken XML instead of the refusal.
 */
export function protocolOf(request: Pick<WireRequest, 'method' | 'rawPath' | 'rawQuery' | 'headers'>): WireProtocol {
  if (request.headers['x-amz-target'] !== undefined) return 'json-1.1';
  const asksByAction = request.method === 'POST' || new URLSearchParams(request.rawQuery).has('Action');
  return request.rawPath === '/' && asksByAction ? 'query' : 'rest-json';
}

/** The form fields of a Query request, wherever they are. */
export function formOf(request: Pick<WireRequest, 'method' | 'rawQuery' | 'body'>): URLSearchParams {
  return new URLSearchParams(request.method === 'GET' ? request.rawQuery : request.body.toString('utf8'));
}

/** How AWS refuses an operation it does not have: InvalidAction where operations are actions, else UnknownOperation. */
export function unknownOperation(request: WireRequest): AwsError {
  const protocol = protocolOf(request);
  if (protocol !== 'query') {
    const status = protocol === 'json-1.1' ? 400 : 404;
    return new AwsError(
      'UnknownOperationException',
      status,
      'The requested operation is not recognized by the service.',
    );
  }
  const form = formOf(request);
  return new AwsError(
    'InvalidAction',
    400,
    `Could not find operation ${form.get('Action') ?? ''} for version ${form.get('Version') ?? ''}`,
  );
}
