import type { FleetRole } from '@libs/aws';
import type { AwsAccount } from './aws-account.repository';
import { MANAGE_SESSION } from './aws-names.policy';

type Owner = Pick<AwsAccount, 'mode' | 'accountId' | 'externalId' | 'sendRoleArn' | 'manageRoleArn'>;

/** The role that sets an account up and looks at it. */
export function manageRole(account: Owner, region: string): FleetRole {
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
export function sendRole(account: Owner, region: string, sessionName: string, sessionPolicy?: string): FleetRole {
  return {
    ...manageRole(account, region),
    roleArn: account.sendRoleArn,
    sessionName,
    ...(sessionPolicy === undefined ? {} : { sessionPolicy }),
  };
}
