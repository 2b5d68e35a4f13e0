import { testVerdict } from '@libs/deliverability';
import { newId, type Issue, type MessageId } from '@libs/kernel';
import { asAccepted, newMessage } from './accept-message.policy';
import { chooseRoute, type Route, type Sender } from './accept-route.policy';
import { withinInlineLimit, type Checked, type Draft } from './accept.policy';
import type { NewMessage } from './accept.repository';
import type { AcceptCall, Accepted, AcceptedEntry, Submitter } from './accepted';
import type { RememberedCall } from './idempotency.repository';
import type { Message } from './message';

export type Decided =
  { readonly id: MessageId; readonly draft: Draft; readonly route: Route } | { readonly issues: readonly Issue[] };
export type Written = { readonly row: NewMessage } | { readonly issues: readonly Issue[] };

/** A call that was not answered before, on its way through the transaction. */
export interface Open<Entry> {
  readonly call: AcceptCall;
  readonly entries: readonly Entry[];
}

const overInlineLimit: Issue = {
  code: 'ATTACHMENT_TOO_LARGE',
  message:
    'The attachments of one call have at most 1 MB together, and those before this entry used it up. Use another call.',
  path: ['attachments'],
};

/** The key under which a checked address would be suppressed (deliverability's suppressionKey of what is canonical). */
export function keyOf(address: string): string {
  return address.toLowerCase();
}

export function withSuppression(
  sender: Sender,
  listed: ReadonlySet<string>,
  open: readonly Open<Decided>[],
): readonly Open<Written>[] {
  const isSuppressed = (address: string) => {
    const verdict = testVerdict(keyOf(address));
    return verdict === undefined ? listed.has(keyOf(address)) : verdict === 'suppressed';
  };
  return open.map(({ call, entries }) => ({
    call,
    entries: entries.map((entry) =>
      'draft' in entry ? { row: newMessage(entry.id, entry.draft, entry.route, sender, isSuppressed) } : entry,
    ),
  }));
}

export function routed(checked: readonly Checked[], sender: Sender, now: Date): Decided[] {
  const fits = withinInlineLimit(checked.map((one) => ('draft' in one ? one.draft.attachmentBytes : 0)));
  return checked.map((one, index): Decided => {
    if ('issues' in one) return one;
    if (fits[index] !== true) return { issues: [overInlineLimit] };
    const id = newId<MessageId>();
    const choice = chooseRoute(one.draft, sender, id, now);
    return 'issues' in choice ? choice : { id, draft: one.draft, route: choice.route };
  });
}

export function answerOf(by: Submitter, at: Date, entries: readonly Written[]): Accepted {
  const results = entries.map((entry): AcceptedEntry =>
    'row' in entry ? { message: asAccepted(by.tenantId, by.mode, at, entry.row) } : entry,
  );
  return { replayed: false, results };
}

export function resultsOf(earlier: RememberedCall, found: ReadonlyMap<MessageId, Message>): AcceptedEntry[] {
  return earlier.result.map((entry): AcceptedEntry => {
    if (!('id' in entry)) return { issues: entry.issues.map(revived) };
    const message = found.get(entry.id);
    if (!message) throw new Error(`message ${entry.id} of an idempotent call is gone`);
    return { message };
  });
}

/** An issue that was stored as JSON. */
function revived(issue: Issue): Issue {
  return issue.retryAt === undefined ? issue : { ...issue, retryAt: new Date(issue.retryAt) };
}

export function recipientsOf(draft: Draft): string[] {
  const { to, cc, bcc } = draft.envelope;
  return [...to, ...cc, ...bcc].map((one) => one.email);
}
