import { z } from 'zod';

/** Bytes of an SNS delivery at most: SNS itself allows 256 kB (aws-facts 7.1). */
export const MAX_SNS_BODY_BYTES = 256 * 1024;

const text = z.string().max(MAX_SNS_BODY_BYTES);
const signed = {
  MessageId: z.string().min(1).max(100),
  TopicArn: z.string().max(400),
  Message: text,
  Timestamp: z.string().max(64),
  SignatureVersion: z.enum(['1', '2']),
  Signature: z.string().max(4_096),
  SigningCertURL: z.string().max(400),
};
const confirmation = { ...signed, Token: z.string().max(4_096), SubscribeURL: z.string().max(8_192) };

const snsMessage = z.discriminatedUnion('Type', [
  z.object({ Type: z.literal('Notification'), ...signed, Subject: z.string().nullish() }),
  z.object({ Type: z.literal('SubscriptionConfirmation'), ...confirmation }),
  z.object({ Type: z.literal('UnsubscribeConfirmation'), ...confirmation }),
]);
export type SnsMessage = z.output<typeof snsMessage>;

/** The delivery behind a raw body, or undefined for anything that SNS does not send. */
export function parseSnsMessage(body: string): SnsMessage | undefined {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    return undefined;
  }
  const parsed = snsMessage.safeParse(json);
  return parsed.success ? parsed.data : undefined;
}

/** The text SNS signs: `Key\nValue\n` for each signed key in byte order; Subject only when present (aws-facts 7.1). */
export function stringToSign(message: SnsMessage): string {
  const pairs: readonly (readonly [string, string | null | undefined])[] =
    message.Type === 'Notification'
      ? [
          ['Message', message.Message],
          ['MessageId', message.MessageId],
          ['Subject', message.Subject],
          ['Timestamp', message.Timestamp],
          ['TopicArn', message.TopicArn],
          ['Type', message.Type],
        ]
      : [
          ['Message', message.Message],
          ['MessageId', message.MessageId],
          ['SubscribeURL', message.SubscribeURL],
          ['Timestamp', message.Timestamp],
          ['Token', message.Token],
          ['TopicArn', message.TopicArn],
          ['Type', message.Type],
        ];
  return pairs
    .filter(([, value]) => value !== undefined && value !== null)
    .map(([key, value]) => `${key}\n${value ?? ''}\n`)
    .join('');
}

/** The region in a topic's ARN, or undefined when it is not the ARN of a topic. */
export function regionOfTopic(topicArn: string): string | undefined {
  return /^arn:aws:sns:([a-z]{2}(?:-[a-z]+)+-\d):\d{12}:[A-Za-z0-9_-]{1,256}$/.exec(topicArn)?.[1];
}

const FILE = /^[0-9a-f]{32}$/;

/**
 * True when `url` is exactly `<origin>/SimpleNotificationService-<32 hex>.pem`. Compared as a string: every URL parser
 * reads some hostile address as the right host (user info, back-slashes, full-width letters, `/../`), a string
 * comparison reads none (SECURITY.md 51).
 */
export function isCertificateOf(origin: string, url: string): boolean {
  const start = `${origin}/SimpleNotificationService-`;
  return (
    url.length === start.length + 36 &&
    url.startsWith(start) &&
    url.endsWith('.pem') &&
    FILE.test(url.slice(start.length, start.length + 32))
  );
}

/** The only origin Amazon's certificates for a region come from. */
export function snsOrigin(region: string): string {
  return `https://sns.${region}.amazonaws.com`;
}

const LATE_MS = 3_600_000;

/** A delivery signed more than an hour ago is flagged, not refused: SNS may retry that long, and a replay is harmless. */
export function isLate(timestamp: string, nowMs: number): boolean {
  const at = Date.parse(timestamp);
  return Number.isNaN(at) || nowMs - at > LATE_MS;
}
