/** What one tenant may do in one sending account. */
export interface SendScope {
  /** 12 digits. */
  readonly accountId: string;
  readonly region: string;
  readonly domains: readonly string[];
  readonly configurationSets: readonly string[];
}

/** AWS's limit of an inline session policy, in characters (aws-facts 8). */
export const MAX_SESSION_POLICY = 2_048;

const ONE_BY_ONE = ['ses:SendEmail', 'ses:SendRawEmail'];
/** SES guards it by no From address (aws-facts 8): the identities alone do. */
const TOGETHER = ['ses:SendBulkEmail'];

/**
 * The session policy of a tenant's sending session: that tenant's identities and configuration sets, and From
 * addresses of its domains only. The result of role and policy is their intersection.
 *
 * A tenant with many domains does not fit into 2,048 characters. Then it gives way step by step, each still tied to the
 * tenant's own configuration sets: (1) mail goes one by one, without SendBulkEmail; (2) the From patterns go, the identity ARNs
 * guard alone; (3) the identities become `identity/*`, and the check of the From domain at acceptance and at claim is what remains.
 */
export function sendSessionPolicy(scope: SendScope): string {
  const arn = (resource: string) => `arn:aws:ses:${scope.region}:${scope.accountId}:${resource}`;
  const domains = [...scope.domains].sort();
  const identities = domains.map((domain) => arn(`identity/${domain}`));
  const sets = [...scope.configurationSets].sort().map((name) => arn(`configuration-set/${name}`));
  const own = [...identities, ...sets];
  const from = domains.flatMap((domain) => [`*@${domain}`, `*@*.${domain}`]);

  const candidates = [
    policy(statement(ONE_BY_ONE, own, from), statement(TOGETHER, own)),
    policy(statement(ONE_BY_ONE, own, from)),
    policy(statement([...ONE_BY_ONE, ...TOGETHER], own)),
    policy(statement(ONE_BY_ONE, [arn('identity/*'), ...sets])),
  ];
  const fitting = candidates.find((text) => text.length <= MAX_SESSION_POLICY);
  if (fitting === undefined) throw new RangeError('the configuration sets alone exceed the size of a session policy');
  return fitting;
}

function policy(...statements: readonly object[]): string {
  return JSON.stringify({ Version: '2012-10-17', Statement: statements });
}

function statement(actions: readonly string[], resources: readonly string[], from?: readonly string[]): object {
  return {
    Effect: 'Allow',
    Action: actions,
    Resource: resources,
    ...(from === undefined ? {} : { Condition: { StringLike: { 'ses:FromAddress': from } } }),
  };
}
