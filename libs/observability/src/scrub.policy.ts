/** What must never reach a log, wherever in a line it stands: our keys, webhook secrets, AWS secrets, passwords in URLs. */
const SECRETS: readonly (readonly [RegExp, string])[] = [
  [/pf_(live|test|adm)_[0-9A-Za-z]{6,}/g, 'pf_$1_***'],
  [/whsec_[0-9A-Za-z+/=]+/g, 'whsec_***'],
  [/\b(AKIA|ASIA)[0-9A-Z]{12,}\b/g, '$1***'],
  [/(:\/\/[^/\s:@]*:)[^@\s/]+@/g, '$1***@'],
  [
    /((?:secretAccessKey|sessionToken|SecretAccessKey|SessionToken|x-amz-security-token)["']?\s*[:=]\s*["']?)[^"'\s,}&]+/gi,
    '$1***',
  ],
  [/(Bearer\s+)[^\s"']+/gi, '$1***'],
];

/** The line without secrets. Runs last, on the finished text, because structured redaction misses what nests or throws. */
export function scrubSecrets(line: string): string {
  return SECRETS.reduce((text, [pattern, replacement]) => text.replace(pattern, replacement), line);
}
