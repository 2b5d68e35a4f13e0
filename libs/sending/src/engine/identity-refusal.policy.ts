import { domainOf, isSameOrBelow } from '@libs/kernel';
import type { StoredContent } from '../stored-content';
import type { AttemptEnd } from './outcome.policy';

/** SES's list of what is not verified: From, and in the sandbox recipients too (aws-facts 2.1). */
const LIST = /failed the check in region [^\s:]+:(.*)$/is;
const QUOTED_NAME = /"(?:[^"\\]|\\.)*"/g;

/**
 * Whose fault it is that SES found an identity not verified. An account in the sandbox may write to verified addresses only:
 * where nothing but recipients failed, that is this message's own end. From, or a list that is cut off (it ends with three
 * dots) or names what the message has not, is the trouble of its domain.
 */
export function identityRefusal(end: AttemptEnd, content: string): AttemptEnd {
  if (end.kind !== 'identity') return end;
  const { from, to, cc, bcc } = JSON.parse(content) as StoredContent;
  const recipients = new Set([...to, ...cc, ...bcc].map(({ email }) => email.toLowerCase()));
  const sender = domainOf(from.email).toLowerCase();
  const failed = identitiesIn(end.message);
  const isOwn = (identity: string) => recipients.has(identity) && !isSameOrBelow(domainOf(identity), sender);
  if (failed.length === 0 || !failed.every(isOwn)) return end;
  const message = `the account that it leaves through is in Amazon SES's sandbox and may write to verified addresses only, which these are not: ${failed.join(', ')}`;
  return { kind: 'rejected', code: 'RecipientNotVerified', message };
}

/** In small letters, without display names. */
function identitiesIn(message: string): string[] {
  const list = LIST.exec(message)?.[1] ?? '';
  const items = list.replaceAll(QUOTED_NAME, '').split(',');
  return items.map((item) => (/<(.*)>/.exec(item)?.[1] ?? item).trim().toLowerCase()).filter((item) => item !== '');
}
