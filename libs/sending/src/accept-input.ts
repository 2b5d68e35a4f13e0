/** What a customer hands in: the plain shape of API.md's EmailInput. Nothing in here has been checked. */
export interface AddressInput {
  readonly email: string;
  readonly name?: string | null;
}

export interface AttachmentInput {
  readonly filename: string;
  readonly contentType?: string | null;
  readonly base64: string;
  readonly contentId?: string | null;
}

export interface ContentInput {
  readonly inline?: { readonly subject: string; readonly html?: string | null; readonly text?: string | null } | null;
  readonly raw?: { readonly mime: string } | null;
}

export interface NameValueInput {
  readonly name: string;
  readonly value: string;
}

export interface EmailInput {
  readonly from: AddressInput;
  readonly to: readonly AddressInput[];
  readonly cc?: readonly AddressInput[] | null;
  readonly bcc?: readonly AddressInput[] | null;
  readonly replyTo?: readonly AddressInput[] | null;
  readonly content: ContentInput;
  /** TRANSACTIONAL unless said otherwise. */
  readonly stream?: string | null;
  readonly headers?: readonly NameValueInput[] | null;
  readonly attachments?: readonly AttachmentInput[] | null;
  readonly tags?: readonly NameValueInput[] | null;
  readonly region?: string | null;
  /** The plan's policy unless said otherwise. */
  readonly inDoubtPolicy?: string | null;
  readonly scheduledAt?: Date | null;
  readonly expiresAt?: Date | null;
}
