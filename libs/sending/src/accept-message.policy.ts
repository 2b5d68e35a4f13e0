import type { MessageId, Mode, TenantId } from '@libs/kernel';
import type { Draft } from './accept.policy';
import type { Route, Sender } from './accept-route.policy';
import type { NewMessage, NewRecipient } from './accept.repository';
import type { EngineState } from './engine-state';
import type { Message, RecipientKind } from './message';
import { leastAdvanced, shownState } from './recipient-state.policy';
import type { StoredContent } from './stored-content';

const SUPPRESSED_DETAIL = 'On the suppression list when the message was accepted.';

/**
 * The rows of an accepted message. A suppressed recipient is recorded and left out of what is sent; a message whose every
 * recipient is suppressed is recorded whole and never sent, so that a batch tells the truth later.
 */
export function newMessage(
  id: MessageId,
  draft: Draft,
  route: Route,
  sender: Pick<Sender, 'inDoubt'>,
  isSuppressed: (address: string) => boolean,
): NewMessage {
  const { from, to, cc, bcc, replyTo } = draft.envelope;
  const everybody = [...to, ...cc, ...bcc];
  const stopped = new Set(everybody.filter((one) => isSuppressed(one.email)));
  const going = everybody.length - stopped.size;
  const free = (list: typeof to) => (stopped.size === 0 ? list : list.filter((one) => !stopped.has(one)));
  const rows = (list: typeof to, kind: RecipientKind): NewRecipient[] =>
    list.map((one) => ({
      kind,
      address: one.email,
      name: one.name ?? null,
      state: stopped.has(one) ? 'SUPPRESSED' : null,
      detail: stopped.has(one) ? SUPPRESSED_DETAIL : null,
    }));
  const content: StoredContent = { from, to: free(to), cc: free(cc), bcc: free(bcc), replyTo, ...draft.body };
  return {
    id,
    stream: draft.stream,
    state: startOf(draft, going === 0),
    sendingAccountId: route.sendingAccountId,
    laneId: route.laneId,
    // Nothing is charged for a message that never goes; the column wants at least one.
    nRcpt: going === 0 ? everybody.length : going,
    bytes: draft.bytes,
    attachmentBytes: draft.attachmentBytes,
    fromAddress: from.email,
    fromName: from.name ?? null,
    subject: draft.subject,
    tags: draft.tags.map(({ name, value }) => ({ name, value })),
    region: draft.region,
    inDoubt: draft.inDoubt ?? sender.inDoubt[draft.stream],
    scheduledAt: draft.scheduledAt ?? null,
    expiresAt: new Date(draft.expiresAtMs),
    content,
    recipients: [...rows(to, 'TO'), ...rows(cc, 'CC'), ...rows(bcc, 'BCC')],
  };
}

function startOf(draft: Draft, allSuppressed: boolean): EngineState {
  if (allSuppressed) return 'SUPPRESSED';
  return draft.scheduledAt ? 'SCHEDULED' : 'READY';
}

/** A message that was just accepted, as its customer sees it. */
export function asAccepted(tenantId: TenantId, mode: Mode, at: Date, message: NewMessage): Message {
  const address = (email: string, name: string | null) => (name === null ? { email } : { email, name });
  const recipients = message.recipients.map(({ address: email, name, kind, state, detail }) => ({
    ...address(email, name),
    kind,
    state: state ?? shownState(message.state),
    at,
    detail,
  }));
  return {
    id: message.id,
    tenantId,
    mode,
    stream: message.stream,
    state: leastAdvanced(recipients.map((one) => one.state)),
    from: address(message.fromAddress, message.fromName),
    to: message.recipients.filter((one) => one.kind === 'TO').map((one) => address(one.address, one.name)),
    recipients,
    subject: message.subject,
    region: message.region,
    tags: message.tags,
    createdAt: at,
    scheduledAt: message.scheduledAt,
    expiresAt: message.expiresAt,
    nRcpt: message.nRcpt,
    bytes: message.bytes,
    sentAt: null,
    sendingAccountId: message.sendingAccountId,
  };
}
