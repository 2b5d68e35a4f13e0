/** The host SES sends through in a region. */
export function sesOrigin(region: string): string {
  return `https://email.${region}.${region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com'}`;
}
