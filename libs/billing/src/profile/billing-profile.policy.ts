import { canonicalAddress, isHeaderSafe, type Issue } from '@libs/kernel';

/** Whom invoices are made out to. An issued invoice keeps what it was issued with. */
export interface BillingProfile {
  readonly legalName: string;
  /** Line by line, with the country. */
  readonly address: readonly string[];
  readonly taxId: string | null;
  /** Where invoices would be sent. */
  readonly email: string | null;
}

const MAX_LINES = 8;

/** Everything that is wrong with it, field by field. */
export function profileIssues({ legalName, address, taxId, email }: BillingProfile): Issue[] {
  const issues: Issue[] = [];
  const refuse = (message: string, ...path: string[]) => issues.push({ code: 'INVALID_INPUT', message, path });
  if (!isText(legalName) || legalName.length > 200) refuse('Expected 1 to 200 printable characters.', 'legalName');
  if (address.length === 0 || address.length > MAX_LINES) refuse(`Expected 1 to ${MAX_LINES} lines.`, 'address');
  address.forEach((line, index) => {
    if (!isText(line) || line.length > 120) refuse('Expected 1 to 120 printable characters.', 'address', String(index));
  });
  if (taxId !== null && (!isText(taxId) || taxId.length > 50)) {
    refuse('Expected 1 to 50 printable characters, or null.', 'taxId');
  }
  if (email !== null && canonicalAddress(email) === undefined) refuse('Expected a bare address, or null.', 'email');
  return issues;
}

function isText(text: string): boolean {
  return text.trim() !== '' && isHeaderSafe(text);
}
