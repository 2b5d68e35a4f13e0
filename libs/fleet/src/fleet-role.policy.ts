import type { FleetRole } from '@libs/aws';
import type { AwsAccount } from './aws-account.repository';
import { MANAGE_SESSION } from './aws-names.policy';

/** The role that sets an account up and looks at it. */
export function manageRole(account: AwsAccount, region: string): FleetRole {
  return {
    mode: account.mode,
    accountId: account.accountId,
    roleArn: account.manageRoleArn,
    externalId: account.externalId,
    region,
    sessionName: MANAGE_SESSION,
  };
}

/** The role that sends; narrowed to one tenant by `sessionPolicy`. */
export function sendRole(account: AwsAccount, region: string, sessionName: string, sessionPolicy?: string): FleetRole {
  return {
    ...manageRole(account, region),
    roleArn: account.sendRoleArn,
    sessionName,
    ...(sessionPolicy === undefined ? {} : { sessionPolicy }),
  };
}
