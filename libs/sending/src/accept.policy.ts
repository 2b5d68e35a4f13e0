import { IN_DOUBT_POLICIES, STREAMS, type InDoubtPolicy, type Issue, type Stream } from '@libs/kernel';
import { checkEnvelope, type Envelope } from './accept-address.policy';
import { checkContent, type CheckedContent } from './accept-content.policy';
import type { EmailInput, NameValueInput } from './accept-input';
import { ACCEPT_LIMITS } from './accept-limits';
import { Problems, quoted } from './accept-problems';

/** One entry that is right in itself; whether this tenant may send it is decided with the tenant's data. */
export interface Draft extends Omit<CheckedContent, 'body'> {
  readonly envelope: Envelope;
  readonly body: CheckedContent['body'];
  readonly stream: Stream;
  readonly tags: readonly NameValueInput[];
  readonly region: string | null;
  /** Undefined when the plan decides. */
  readonly inDoubt: InDoubtPolicy | undefined;
  /** Undefined when it may go at once. */
  readonly scheduledAt: Date | undefined;
  /** Milliseconds since the epoch. */
  readonly expiresAtMs: number;
}

export type Checked = { readonly draft: Draft } | { readonly issues: readonly Issue[] };

/**
 * Everything that can be said about an entry without looking anything up, all at once. Paths are relative to the entry.
 * @param nowMs engine time
 */
export function checkEmail(input: EmailInput, nowMs: number): Checked {
  const problems = new Problems();
  const envelope = checkEnvelope(input, problems);
  const content = checkContent(input, envelope?.from.email, problems);
  const stream = checkStream(input.stream ?? 'TRANSACTIONAL', problems);
  const tags = checkTags(input.tags ?? [], problems);
  const region = checkRegion(input.region ?? null, problems);
  const inDoubt = checkInDoubt(input.inDoubtPolicy ?? undefined, problems);
  const times = checkTimes(input, stream ?? 'TRANSACTIONAL', nowMs, problems);
  if (problems.issues.length > 0 || !envelope || !content || !stream) return { issues: problems.issues };
  return { draft: { envelope, ...content, stream, tags, region, inDoubt, ...times } };
}

/** The key that makes a retry safe. Checked for the whole call. */
export function idempotencyKeyIssue(key: string): Issue | undefined {
  if (
    key.length >= 1 &&
    key.length <= ACCEPT_LIMITS.idempotencyKeyLength &&
    /^[\u0021-\u007e][\u0020-\u007e]*$/.test(key)
  )
    return undefined;
  const message = `An idempotency key has 1 to ${String(ACCEPT_LIMITS.idempotencyKeyLength)} printable ASCII characters, the first of them no space.`;
  return { code: 'INVALID_INPUT', message, path: ['idempotencyKey'] };
}

export function batchSizeIssue(count: number): Issue | undefined {
  if (count === 0)
    return { code: 'INVALID_INPUT', message: 'The batch is empty: give at least one message.', path: ['emails'] };
  if (count <= ACCEPT_LIMITS.batch) return undefined;
  const message = `A batch has at most ${String(ACCEPT_LIMITS.batch)} messages; this one has ${String(count)}.`;
  return { code: 'BATCH_TOO_LARGE', message, path: ['emails'] };
}

function checkStream(text: string, problems: Problems): Stream | undefined {
  const stream = STREAMS.find((known) => known === text);
  if (stream === undefined) problems.add(['stream'], `${quoted(text)} is not a stream: use ${STREAMS.join(' or ')}.`);
  return stream;
}

const TAG = /^[A-Za-z0-9_-]+$/;
/** Our own tags on SES: the way an event finds its message. */
const RESERVED_TAGS = ['tenant', 'message', 'attempt'];

function checkTags(list: readonly NameValueInput[], problems: Problems): readonly NameValueInput[] {
  if (list.length > ACCEPT_LIMITS.tags) problems.add(['tags'], `At most ${String(ACCEPT_LIMITS.tags)} tags.`);
  const seen = new Set<string>();
  list.slice(0, ACCEPT_LIMITS.tags).forEach((tag, index) => {
    for (const field of ['name', 'value'] as const) {
      const issue = tagIssue(field, tag[field]);
      if (issue !== undefined) problems.add(['tags', index, field], issue);
    }
    if (RESERVED_TAGS.includes(tag.name))
      problems.add(['tags', index, 'name'], `"${tag.name}" is a tag of ours: choose another name.`);
    if (seen.has(tag.name)) problems.add(['tags', index, 'name'], `The tag ${quoted(tag.name)} is given twice.`);
    seen.add(tag.name);
  });
  return list;
}

/** What is wrong with the name or the value of a tag; undefined when nothing is. */
export function tagIssue(field: 'name' | 'value', text: string): string | undefined {
  if (TAG.test(text) && text.length <= ACCEPT_LIMITS.tagLength) return undefined;
  return `${quoted(text)}: a tag's ${field} has 1 to ${String(ACCEPT_LIMITS.tagLength)} letters, digits, "_" or "-".`;
}

function checkRegion(region: string | null, problems: Problems): string | null {
  if (region === null || /^(us|eu|apac|[a-z]{2}(-[a-z]+)+-\d)$/.test(region)) return region;
  problems.add(['region'], `${quoted(region)} is not a region: use us, eu, apac or an AWS region such as eu-west-1.`);
  return null;
}

function checkInDoubt(text: string | undefined, problems: Problems): InDoubtPolicy | undefined {
  const policy = IN_DOUBT_POLICIES.find((known) => known === text);
  if (text !== undefined && policy === undefined) {
    const known = IN_DOUBT_POLICIES.join(' or ');
    problems.add(['inDoubtPolicy'], `${quoted(text)} is not a policy for mail in doubt: use ${known}.`);
  }
  return policy;
}

/** True when a sending account's AWS region serves what the message asks for. */
export function regionServes(wanted: string | null, awsRegion: string): boolean {
  if (wanted === null || wanted === awsRegion) return true;
  const prefix = { us: 'us-', eu: 'eu-', apac: 'ap-' }[wanted];
  return prefix !== undefined && awsRegion.startsWith(prefix);
}

function checkTimes(
  input: EmailInput,
  stream: Stream,
  nowMs: number,
  problems: Problems,
): Pick<Draft, 'scheduledAt' | 'expiresAtMs'> {
  const scheduled = input.scheduledAt ?? undefined;
  const start = Math.max(nowMs, scheduled?.getTime() ?? nowMs);
  if (scheduled && Number.isNaN(scheduled.getTime())) problems.add(['scheduledAt'], 'This is not a time.');
  if (start - nowMs > ACCEPT_LIMITS.scheduleAheadMs) {
    problems.add(['scheduledAt'], 'A message is scheduled at most 30 days ahead.');
  }
  const expires = input.expiresAt?.getTime() ?? start + ACCEPT_LIMITS.defaultLifetimeMs[stream];
  if (input.expiresAt && !(expires > start)) {
    problems.add(['expiresAt'], 'A message expires after it may first be sent, not before.');
  } else if (expires - start > ACCEPT_LIMITS.lifetimeMs) {
    problems.add(['expiresAt'], 'A message waits at most 7 days.');
  }
  // A time that has passed means now.
  return { scheduledAt: scheduled && start > nowMs ? scheduled : undefined, expiresAtMs: expires };
}

/** Which entries' attachments fit into one call together, in order; the others are refused. */
export function withinInlineLimit(bytes: readonly number[]): readonly boolean[] {
  let sum = 0;
  return bytes.map((own) => {
    if (own > 0 && sum + own > ACCEPT_LIMITS.inlineAttachmentBytes) return false;
    sum += own;
    return true;
  });
}
