const KB = 1_000;
const MB = 1_000 * KB;
const HOUR_MS = 3_600_000;

/** The limits of one message and of one call: stated in the API's descriptions with these very numbers. */
export const ACCEPT_LIMITS = {
  /** To, Cc and Bcc together; SES's own limit. */
  recipients: 50,
  replyTo: 10,
  /** Entries of one batch. */
  batch: 1_000,
  /** UTF-8 bytes. */
  htmlBytes: 500 * KB,
  textBytes: 200 * KB,
  /** The whole message as it travels, attachments in base64. */
  messageBytes: 10 * MB,
  attachments: 20,
  /** Decoded bytes of all attachments of one call, batches included. */
  inlineAttachmentBytes: 1 * MB,
  subjectLength: 998,
  nameLength: 200,
  headers: 15,
  headerNameLength: 126,
  headerValueLength: 995,
  tags: 20,
  tagLength: 256,
  idempotencyKeyLength: 255,
  filenameLength: 255,
  /** SES's own, as that of names. */
  contentTypeLength: 78,
  contentIdLength: 78,
  mimeLineLength: 998,
  /** How far ahead a message may be scheduled, and how long it may then wait. */
  scheduleAheadMs: 30 * 24 * HOUR_MS,
  lifetimeMs: 7 * 24 * HOUR_MS,
  /** How long a message waits at most when it does not say. */
  defaultLifetimeMs: { TRANSACTIONAL: HOUR_MS, MARKETING: 48 * HOUR_MS },
  /** How long an idempotency key is remembered. */
  idempotencyMs: 72 * HOUR_MS,
} as const;
