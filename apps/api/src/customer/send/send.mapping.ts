import type { Issue } from '@libs/kernel';
import type { EmailInput as Email } from '@libs/sending';
import type { EmailInput } from './send.input';

/** GraphQL's shape into the plain one. Nothing is checked here: accepting does that, all at once. */
export function toEmail(input: EmailInput): Email {
  const { attachments } = input;
  // As it is: copying the thousand messages of a batch would cost more than looking for attachments.
  if (!attachments) return input as EmailInput & { attachments?: null };
  return {
    ...input,
    attachments: attachments.map(({ source, ...attachment }) => ({ ...attachment, base64: source.base64 ?? '' })),
  };
}

/** An attachment's bytes stand one level deeper here than where accepting sees them. */
export function toInputPath(issue: Issue): Issue {
  const { path } = issue;
  const at = path?.lastIndexOf('attachments') ?? -1;
  if (!path || at < 0 || path[at + 2] !== 'base64') return issue;
  return { ...issue, path: [...path.slice(0, at + 2), 'source', ...path.slice(at + 2)] };
}
