import { isHeaderSafe, type Issue } from '@libs/kernel';

/** Whom a tenant's invoices are made out to. */
export interface BillingProfile {
  readonly legalName: string;
  /** Lines of the postal address. */
  readonly address: readonly string[];
  readonly taxId: string | null;
  readonly email: string | null;
}

const MAX_LINES = 6;

/** Everything that is wrong with it, field by field; empty when it may be stored. */
export function profileIssues(profile: BillingProfile): Issue[] {
  const issues: Issue[] = [];
  const refuse = (message: string, ...path: string[]) => issues.push({ code: 'INVALID_INPUT', message, path });
  const isLine = (text: string) => text.trim() !== '' && text.length <= 200 && isHeaderSafe(text);
  if (!isLine(profile.legalName)) refuse('Expected 1 to 200 printable characters.', 'legalName');
  if (profile.address.length > MAX_LINES) refuse(`Expected at most ${MAX_LINES} lines.`, 'address');
  profile.address.forEach((line, index) => {
    if (!isLine(line)) refuse('Expected 1 to 200 printable characters.', 'address', String(index));
  });
  if (profile.taxId !== null && !isLine(profile.taxId)) refuse('Expected 1 to 200 printable characters.', 'taxId');
  if (profile.email !== null && !/^[^\s@]{1,64}@[^\s@]{3,190}$/.test(profile.email)) {
    refuse('Expected an e-mail address.', 'email');
  }
  return issues;
}
