import { suppressionKey, testVerdict } from '@libs/deliverability';
import type { MailAddress, MessageId, Mode, Stream, TenantId } from '@libs/kernel';
import type { OutgoingMail } from '@libs/aws';
import { isRaw, type StoredContent } from '../stored-content';

/** A READY message as the claim finds it, with everything that is checked again before it goes. */
export interface Candidate {
  readonly tenantId: TenantId;
  readonly id: MessageId;
  readonly mode: Mode;
  readonly stream: Stream;
  readonly tenantActive: boolean;
  readonly domainReady: boolean;
  /** Null while the tenant's set does not exist on this account, or its mail is held. */
  readonly configurationSet: string | null;
  /** The tenant's mail leaves the account by another lane by now than this message was written with. */
  readonly laneLeft: boolean;
  readonly content: StoredContent;
  /** Addresses among its recipients that stand on the tenant's suppression list. */
  readonly suppressed: readonly string[];
}

export type WaitReason = 'TENANT_PAUSED' | 'DOMAIN_NOT_READY' | 'ROUTE_NOT_READY';

/** What a claim does with a candidate. */
export type ClaimDecision =
  | { readonly kind: 'send'; readonly recipients: number; readonly suppressed: readonly string[] }
  | { readonly kind: 'suppress' }
  /** It was accepted, or on its way, while its tenant got another lane: it takes that one. */
  | { readonly kind: 'relane' }
  | { readonly kind: 'wait'; readonly reason: WaitReason; readonly waitMs: number };

/** What was granted before a tenant was paused waits no longer than it takes the feeder to hold the rest, milliseconds. */
const PAUSE_MS = 2_000;

/**
 * Accepting checked all of this once; it may have changed since. A message whose recipients are all suppressed by now is
 * never sent; one that lost only some goes to the others.
 */
export function decideClaim(candidate: Candidate): ClaimDecision {
  if (!candidate.tenantActive) return { kind: 'wait', reason: 'TENANT_PAUSED', waitMs: PAUSE_MS };
  if (!candidate.domainReady) return { kind: 'wait', reason: 'DOMAIN_NOT_READY', waitMs: 10_000 };
  if (candidate.configurationSet === null && candidate.laneLeft) return { kind: 'relane' };
  if (candidate.configurationSet === null) return { kind: 'wait', reason: 'ROUTE_NOT_READY', waitMs: 5_000 };
  const suppressed = candidate.suppressed.filter((address) => isSuppressible(address));
  const left = recipientsOf(candidate.content).filter((address) => !suppressed.includes(address));
  return left.length === 0 ? { kind: 'suppress' } : { kind: 'send', recipients: left.length, suppressed };
}

/** Test addresses behave as their name says, whatever happened before. */
function isSuppressible(address: string): boolean {
  const key = suppressionKey(address);
  return key !== undefined && testVerdict(key) !== 'free';
}

function recipientsOf(content: StoredContent): string[] {
  return [...content.to, ...content.cc, ...content.bcc].map((address) => address.email);
}

/** The mail of a claimed message, from its content as JSON, without its suppressed recipients, tagged so that its events find the way back. */
export function composeMail(
  stored: string,
  suppressed: readonly string[],
  configurationSet: string,
  tags: Readonly<Record<string, string>>,
): OutgoingMail {
  const content = JSON.parse(stored) as StoredContent;
  const kept = (list: readonly MailAddress[]) =>
    suppressed.length === 0 ? list : list.filter((address) => !suppressed.includes(address.email));
  return {
    from: content.from,
    to: kept(content.to),
    cc: kept(content.cc),
    bcc: kept(content.bcc),
    replyTo: content.replyTo,
    content: isRaw(content)
      ? { raw: Buffer.from(content.raw, 'base64') }
      : {
          subject: content.subject,
          ...(content.html === undefined ? {} : { html: content.html }),
          ...(content.text === undefined ? {} : { text: content.text }),
          headers: content.headers,
          attachments: content.attachments,
        },
    configurationSet,
    tags,
  };
}
