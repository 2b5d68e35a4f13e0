import type { MailAddress } from '@libs/kernel';

/** An attachment as it is stored and handed to SES. */
export interface StoredAttachment {
  readonly filename: string;
  /** Left out where SES is to find it from the name. */
  readonly contentType?: string;
  /** The bytes in base64, canonical (padded, no line breaks). */
  readonly base64: string;
  /** For `cid:` references from the HTML part. */
  readonly contentId?: string;
}

/** Who it goes to. Recipients that were suppressed when the message was accepted are not in here. */
interface StoredEnvelope {
  readonly from: MailAddress;
  readonly to: readonly MailAddress[];
  readonly cc: readonly MailAddress[];
  readonly bcc: readonly MailAddress[];
  readonly replyTo: readonly MailAddress[];
}

export interface StoredInline extends StoredEnvelope {
  readonly subject: string;
  readonly html?: string;
  readonly text?: string;
  readonly headers: readonly { readonly name: string; readonly value: string }[];
  readonly attachments: readonly StoredAttachment[];
}

export interface StoredRaw extends StoredEnvelope {
  /** The whole MIME message in base64, lines ended by CRLF. */
  readonly raw: string;
}

/** What `message_body.content` holds: everything the dispatcher needs to write the request, validated at accept. */
export type StoredContent = StoredInline | StoredRaw;

export function isRaw(content: StoredContent): content is StoredRaw {
  return 'raw' in content;
}
