import { randomUUID } from 'node:crypto';
import type { AwsError } from './aws.errors';

export interface WireAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The protocols the simulated services speak; each has its own shape of success and error. */
export type WireProtocol = 'rest-json' | 'query' | 'json-1.1';

export function jsonAnswer(value: unknown): WireAnswer {
  return {
    status: 200,
    headers: { 'content-type': 'application/json', 'x-amzn-requestid': randomUUID() },
    body: JSON.stringify(value),
  };
}

export function xmlAnswer(action: string, namespace: string, result: string): WireAnswer {
  const requestId = randomUUID();
  const inner = result === '' ? '' : `<${action}Result>${result}</${action}Result>`;
  return {
    status: 200,
    headers: { 'content-type': 'text/xml', 'x-amzn-requestid': requestId },
    body: `<${action}Response xmlns="${namespace}">${inner}<ResponseMetadata><RequestId>${requestId}</RequestId></ResponseMetadata></${action}Response>`,
  };
}

export function errorAnswer(error: AwsError, protocol: WireProtocol, namespace = ''): WireAnswer {
  const requestId = randomUUID();
  if (protocol === 'query') {
    const type = error.status >= 500 ? 'Receiver' : 'Sender';
    return {
      status: error.status,
      headers: { 'content-type': 'text/xml', 'x-amzn-requestid': requestId },
      body: `<ErrorResponse xmlns="${namespace}"><Error><Type>${type}</Type><Code>${error.name}</Code><Message>${xmlText(error.message)}</Message></Error><RequestId>${requestId}</RequestId></ErrorResponse>`,
    };
  }
  const json11 = protocol === 'json-1.1';
  return {
    status: error.status,
    headers: {
      'content-type': json11 ? 'application/x-amz-json-1.1' : 'application/json',
      'x-amzn-requestid': requestId,
      'x-amzn-errortype': error.name,
    },
    body: JSON.stringify(json11 ? { __type: error.name, Message: error.message } : { message: error.message }),
  };
}

function xmlText(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;');
}

export function xmlElement(name: string, value: string | number | boolean): string {
  return `<${name}>${xmlText(String(value))}</${name}>`;
}
