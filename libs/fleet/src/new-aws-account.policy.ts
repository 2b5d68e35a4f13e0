import { isHeaderSafe, MODES, type Issue, type Mode } from '@libs/kernel';
import { SES_REGIONS } from './ses-regions';

/** What an operator says about an account that is to join. */
export interface NewAwsAccount {
  /** 12 digits. */
  readonly accountId: string;
  readonly name: string;
  /** Code of a tier. */
  readonly tier: string;
  /** AWS regions to send from, at least one. */
  readonly regions: readonly string[];
  /** `arn:aws:iam::<accountId>:role/postfleet/fleet-send` unless given. */
  readonly sendRoleArn?: string;
  /** `arn:aws:iam::<accountId>:role/postfleet/fleet-manage` unless given. */
  readonly manageRoleArn?: string;
  /** LIVE unless given. A TEST account stands behind the test endpoint and serves test mode of every plan. */
  readonly mode?: Mode;
}

const ACCOUNT_ID = /^[0-9]{12}$/;
const ROLE_ARN = /^arn:aws:iam::([0-9]{12}):role\/[\w+=,.@/-]{1,512}$/;
const MAX_NAME = 120;

/** Everything that is wrong with the input, each with its field. */
export function newAwsAccountIssues(input: NewAwsAccount, tiers: readonly string[]): Issue[] {
  const issues: Issue[] = [];
  const refuse = (message: string, ...path: string[]) => {
    issues.push({ code: 'INVALID_INPUT', message, path });
  };
  if (!ACCOUNT_ID.test(input.accountId)) refuse('Expected the 12 digits of an AWS account id.', 'accountId');
  if (input.name.trim() === '' || input.name.length > MAX_NAME || !isHeaderSafe(input.name)) {
    refuse(`Expected 1 to ${MAX_NAME} printable characters.`, 'name');
  }
  if (!tiers.includes(input.tier)) refuse(`There is no tier of that code. Tiers: ${tiers.join(', ')}.`, 'tier');
  if (input.mode !== undefined && !MODES.includes(input.mode)) refuse('Expected LIVE or TEST.', 'mode');
  if (input.regions.length === 0) refuse('Expected at least one AWS region, for example us-east-1.', 'regions');
  input.regions.forEach((region, i) => {
    if (!SES_REGIONS.some((known) => known === region)) {
      refuse(`Expected an AWS region with Amazon SES: ${SES_REGIONS.join(', ')}.`, 'regions', String(i));
    } else if (input.regions.indexOf(region) !== i) {
      refuse('This region is named twice.', 'regions', String(i));
    }
  });
  for (const field of ['sendRoleArn', 'manageRoleArn'] as const) {
    const arn = input[field];
    if (arn === undefined) continue;
    const owner = ROLE_ARN.exec(arn)?.[1];
    if (owner === undefined)
      refuse('Expected a role ARN such as arn:aws:iam::111122223333:role/postfleet/name.', field);
    else if (owner !== input.accountId) refuse(`This role belongs to account ${owner}, not to the one given.`, field);
  }
  if (input.sendRoleArn !== undefined && input.sendRoleArn === input.manageRoleArn) {
    refuse(
      'Sending and managing need two roles: who may send must not be able to change the account.',
      'manageRoleArn',
    );
  }
  return issues;
}

export function defaultRoleArn(accountId: string, purpose: 'send' | 'manage'): string {
  return `arn:aws:iam::${accountId}:role/postfleet/fleet-${purpose}`;
}
