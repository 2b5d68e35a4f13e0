import type { MailAddress, MessageId, Mode, SendingAccountId, Stream, TenantId } from '@libs/kernel';
import type { NameValueInput } from './accept-input';
import type { MessageState } from './recipient-state.policy';

export type RecipientKind = 'TO' | 'CC' | 'BCC';

/** One recipient's own outcome. */
export interface Recipient extends MailAddress {
  readonly kind: RecipientKind;
  readonly state: MessageState;
  /** When it came into that state. */
  readonly at: Date;
  readonly detail: string | null;
}

/** A message as customers see it. */
export interface Message {
  readonly id: MessageId;
  readonly tenantId: TenantId;
  readonly mode: Mode;
  readonly stream: Stream;
  /** The least advanced of the recipients' states. */
  readonly state: MessageState;
  readonly from: MailAddress;
  readonly to: readonly MailAddress[];
  readonly recipients: readonly Recipient[];
  readonly subject: string;
  readonly region: string | null;
  readonly tags: readonly NameValueInput[];
  readonly createdAt: Date;
  readonly scheduledAt: Date | null;
  readonly expiresAt: Date;
  /** Recipients it costs: those suppressed at accept are not among them. */
  readonly nRcpt: number;
  /** As it travels. */
  readonly bytes: number;
  /** When SES took it; null before, or when it never went. */
  readonly sentAt: Date | null;
  /** For cost; never shown to customers. */
  readonly sendingAccountId: SendingAccountId;
}
