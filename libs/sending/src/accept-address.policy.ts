import { canonicalAddress, isHeaderSafe, type MailAddress } from '@libs/kernel';
import type { AddressInput, EmailInput } from './accept-input';
import { ACCEPT_LIMITS } from './accept-limits';
import { quoted, type Problems } from './accept-problems';

export interface Envelope {
  readonly from: MailAddress;
  readonly to: readonly MailAddress[];
  readonly cc: readonly MailAddress[];
  readonly bcc: readonly MailAddress[];
  readonly replyTo: readonly MailAddress[];
}

/** Sender and recipients, checked; undefined when any is wrong. An address named twice gets the mail once. */
export function checkEnvelope(input: EmailInput, problems: Problems): Envelope | undefined {
  const from = checkAddress(input.from, ['from'], problems, true);
  const to = checkList(input.to, 'to', problems);
  const cc = checkList(input.cc ?? [], 'cc', problems);
  const bcc = checkList(input.bcc ?? [], 'bcc', problems);
  const replyTo = checkList(input.replyTo ?? [], 'replyTo', problems, true);
  if (input.to.length === 0) problems.add(['to'], 'Name at least one recipient.');
  const count = input.to.length + (input.cc?.length ?? 0) + (input.bcc?.length ?? 0);
  if (count > ACCEPT_LIMITS.recipients) {
    const message = `A message has at most ${String(ACCEPT_LIMITS.recipients)} recipients in to, cc and bcc together; this one has ${String(count)}. Send one message per recipient instead.`;
    problems.add(['to'], message, 'TOO_MANY_RECIPIENTS');
  }
  if ((input.replyTo?.length ?? 0) > ACCEPT_LIMITS.replyTo) {
    problems.add(['replyTo'], `At most ${String(ACCEPT_LIMITS.replyTo)} reply-to addresses.`);
  }
  if (!from || !to || !cc || !bcc || !replyTo) return undefined;
  const seen = new Set<string>();
  const once = (list: readonly MailAddress[]) =>
    list.filter(({ email }) => {
      const key = email.toLowerCase();
      if (seen.has(key)) return false;
      seen.add(key);
      return true;
    });
  return { from, to: once(to), cc: once(cc), bcc: once(bcc), replyTo };
}

function checkList(
  list: readonly AddressInput[],
  field: string,
  problems: Problems,
  sender = false,
): MailAddress[] | undefined {
  // Over the limit the count is reported; checking each of a million would only cost time.
  const checked = list
    .slice(0, ACCEPT_LIMITS.recipients)
    .map((address, index) => checkAddress(address, [field, String(index)], problems, sender));
  return checked.every((address) => address !== undefined) ? checked : undefined;
}

function checkAddress(
  input: AddressInput,
  path: readonly string[],
  problems: Problems,
  sender: boolean,
): MailAddress | undefined {
  const email = canonicalAddress(input.email);
  if (email === undefined) {
    problems.add(
      [...path, 'email'],
      `${quoted(input.email)} is not an address such as ann@example.com. A display name goes into "name"; the part before @ is plain ASCII.`,
    );
  }
  const name = input.name ?? '';
  const wrong = nameProblem(name, sender);
  if (wrong !== undefined) problems.add([...path, 'name'], wrong);
  if (email === undefined || wrong !== undefined) return undefined;
  return name === '' ? { email } : { email, name };
}

function nameProblem(name: string, sender: boolean): string | undefined {
  if (!isHeaderSafe(name)) return 'A display name holds no line breaks, control or direction characters.';
  if (name.length > ACCEPT_LIMITS.nameLength)
    return `A display name has at most ${String(ACCEPT_LIMITS.nameLength)} characters.`;
  // A sender called "ceo@bank.com" shows readers an address that is not the sender's.
  if (sender && /[@\uff20\ufe6b]/u.test(name))
    return 'A sender\'s display name holds no "@": readers would take it for the address.';
  return undefined;
}
