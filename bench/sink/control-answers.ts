import type { SinkAccount } from './sink-limits';

/** Answers to the few control calls that a worker makes beside sending. Nothing about signatures is checked. */
export function assumeRoleAnswer(form: string): string {
  const accountId = /arn%3Aaws%3Aiam%3A%3A(\d{12})%3A/i.exec(form)?.[1] ?? '000000000000';
  // The access key names the account: the sink reads it back from the credential scope of every request.
  return (
    '<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>' +
    `<AccessKeyId>${accessKeyOf(accountId)}</AccessKeyId><SecretAccessKey>secret-of-${accountId}</SecretAccessKey>` +
    '<SessionToken>token</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>' +
    `<AssumedRoleUser><AssumedRoleId>AROA:bench</AssumedRoleId><Arn>arn:aws:sts::${accountId}:assumed-role/bench/bench</Arn></AssumedRoleUser>` +
    '</AssumeRoleResult><ResponseMetadata><RequestId>sink</RequestId></ResponseMetadata></AssumeRoleResponse>'
  );
}

export function accessKeyOf(accountId: string): string {
  return `ASIA${accountId}`;
}

export function getAccountAnswer({ rate, quota }: SinkAccount, used: number): string {
  return JSON.stringify({
    DedicatedIpAutoWarmupEnabled: false,
    EnforcementStatus: 'HEALTHY',
    ProductionAccessEnabled: true,
    SendingEnabled: true,
    SendQuota: { Max24HourSend: quota, MaxSendRate: rate, SentLast24Hours: used },
  });
}
