import { classifyAnswer, type SendFailure } from './send-outcome.policy';

export type SendOutcome = { readonly kind: 'sent'; readonly sesMessageId: string } | SendFailure;

/** An answer of SES has a few hundred bytes; more was not written by SES. */
export const MAX_ANSWER_BYTES = 64 * 1_024;

/** An id of SES has some sixty characters; the rest could not be stored, and no event would come with it. */
const MESSAGE_ID = /^[\u0021-\u007e]{1,200}$/;
/** AWS's names of errors. */
const NAME = /^[\w.]{1,100}$/;

/**
 * What SES answered. `errorType`: the header x-amzn-errortype. Only an answer that was read to its end is given here.
 */
export function readAnswer(status: number, errorType: string | undefined, body: string): SendOutcome {
  const fields = fieldsOf(body);
  if (status >= 200 && status < 300) {
    const sesMessageId = readId(fields);
    if (sesMessageId !== undefined) return { kind: 'sent', sesMessageId };
    const message = 'SES answered without a message id.';
    return { kind: 'in-doubt', code: 'NoMessageId', message, httpStatus: status };
  }
  return classifyAnswer({
    status,
    name: bareName(errorType) || bareName(fields?.['code']) || bareName(fields?.['__type']),
    message: textOf(fields?.['message']) ?? textOf(fields?.['Message']) ?? '',
    readable: fields !== undefined,
  });
}

/** Undefined when there is none that could be one of SES's. */
export function readId(fields: Readonly<Record<string, unknown>> | undefined): string | undefined {
  const id = fields?.['MessageId'];
  return typeof id === 'string' && MESSAGE_ID.test(id) ? id : undefined;
}

/** Undefined when the body is not what AWS writes: an object in JSON, or nothing. */
function fieldsOf(body: string): Readonly<Record<string, unknown>> | undefined {
  if (body === '') return {};
  try {
    const parsed: unknown = JSON.parse(body);
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed) ? { ...parsed } : undefined;
  } catch {
    return undefined;
  }
}

const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

/** The name alone of `namespace#Name:http://…` or `Name,…`; empty when that is no name AWS gives. */
function bareName(type: unknown): string {
  const [first = ''] = (textOf(type) ?? '').split(/[,:]/);
  const name = first.slice(first.indexOf('#') + 1).trim();
  return NAME.test(name) ? name : '';
}
